import type { Ajv2020 } from 'ajv/dist/2020.js';
import { schemaTexts } from '../../gateway/config/built-schemas.js';
import { compileSchema, newAjv } from '../../gateway/config/schemas.js';

/** Types of events whose `data` has a schema of its own. */
const DATA: Readonly<Record<string, string>> = { 'balise.call.ended': 'call-ended' };

let ajv: Ajv2020 | undefined;
let texts: ReadonlyMap<string, string> | undefined;

/** Drops what closes a schema: what a gateway of a newer version says more is not a fault, and is let be. */
function open(key: string, value: unknown): unknown {
  return key === 'additionalProperties' && value === false ? undefined : value;
}

/** What is wrong with a message of the schema `name` in config/schema/messages/, or undefined when nothing is. */
export function messageFault(name: string, value: unknown): string | undefined {
  ajv ??= newAjv();
  texts ??= new Map([...schemaTexts()].map(([file, text]) => [file, JSON.stringify(JSON.parse(text, open))]));
  const validate = compileSchema(ajv, texts, `messages/${name}`);
  if (validate(value)) return undefined;
  const [first] = validate.errors ?? [];
  return `${first?.instancePath ?? ''} ${first?.message ?? 'is not as the schema says'}`.trim();
}

/** What is wrong with an event: with its envelope, or with its data where the type has a schema. */
export function eventFault(value: unknown): string | undefined {
  return messageFault('event-envelope', value) ?? dataFault(value as Typed);
}

interface Typed {
  readonly type: string;
  readonly kind: string;
  readonly data: unknown;
}

/** What is wrong with the data of an event whose envelope is sound. */
export function dataFault({ type, kind, data }: Typed): string | undefined {
  const name = DATA[type] ?? (kind === 'alarm' ? 'alarm' : undefined);
  const inside = name === undefined ? undefined : messageFault(name, data);
  return inside === undefined ? undefined : `/data${inside.startsWith('/') ? '' : ' '}${inside}`;
}
