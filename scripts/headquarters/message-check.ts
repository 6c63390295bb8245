import { validatorOf } from '../../gateway/config/schemas.js';

/** Types of events whose `data` has a schema of its own. */
const DATA: Readonly<Record<string, string>> = { 'balise.call.ended': 'call-ended' };

/** What is wrong with a message of the schema `name` in config/schema/messages/, or undefined when nothing is. */
export function messageFault(name: string, value: unknown): string | undefined {
  const validate = validatorOf(`messages/${name}`);
  if (validate(value)) return undefined;
  const [first] = validate.errors ?? [];
  return `${first?.instancePath ?? ''} ${first?.message ?? 'is not as the schema says'}`.trim();
}

/** What is wrong with an event: with its envelope, or with its data where the type has a schema. */
export function eventFault(value: unknown): string | undefined {
  const fault = messageFault('event-envelope', value);
  if (fault !== undefined) return fault;
  const { type, kind, data } = value as { readonly type: string; readonly kind: string; readonly data: unknown };
  const name = DATA[type] ?? (kind === 'alarm' ? 'alarm' : undefined);
  const inside = name === undefined ? undefined : messageFault(name, data);
  return inside === undefined ? undefined : `/data${inside.startsWith('/') ? '' : ' '}${inside}`;
}
