import type { ValidateFunction } from 'ajv';
import type { Command } from '../../config/schema/types.generated.js';
import { validatorOf } from '../config/schemas.js';

export type { Command } from '../../config/schema/types.generated.js';

/** A value as a command, or what keeps it from being one. */
export function commandIn(value: unknown): { readonly command: Command } | { readonly fault: string } {
  const isCommand = validatorOf('messages/command') as ValidateFunction<Command>;
  if (isCommand(value)) return { command: value };
  const [first] = isCommand.errors ?? [];
  return { fault: `${first?.instancePath ?? ''} ${first?.message ?? 'is no command'}`.trim() };
}

/** The id in the payload of a JWS, or in bare JSON, signed or not; undefined when there is none that a topic may hold. */
export function idIn(text: string): string | undefined {
  const parts = text.split('.');
  const payload = parts.length === 3 ? Buffer.from(parts[1] ?? '', 'base64url').toString('utf8') : text;
  try {
    const value = JSON.parse(payload) as { readonly id?: unknown } | null;
    const id = value?.id;
    return typeof id === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}
