import type { LeaseMessage } from '../config/schema/types.generated.js';
import type { Lease } from './lease-keeper.js';
import { membersOf } from './payload.js';

const INSTANT = /^[0-9]{1,20}$/;
const MEMBERS = ['connected', 'forMs', 'sentNs', 'untilNs', 'boot', 'confirm'];

/**
 * The lease in a payload, or undefined when it is not one. Written by hand and not by ajv, because an agent has little
 * memory and six members; the tests hold it to `config/schema/messages/line-lease.schema.json`.
 */
export function readLease(payload: Buffer): Lease | undefined {
  const value = membersOf(payload);
  if (value === undefined || Object.keys(value).some((name) => !MEMBERS.includes(name))) return undefined;
  const { connected, forMs, sentNs, untilNs, boot, confirm } = value as Partial<LeaseMessage>;
  if (typeof connected !== 'boolean') return undefined;
  if (typeof forMs !== 'number' || !Number.isInteger(forMs) || forMs < 0 || forMs > 5_000) return undefined;
  if (typeof sentNs !== 'string' || !INSTANT.test(sentNs)) return undefined;
  if (typeof untilNs !== 'string' || !INSTANT.test(untilNs)) return undefined;
  if (typeof boot !== 'string' || boot.length === 0 || [...boot].length > 64) return undefined;
  if (confirm !== undefined && typeof confirm !== 'boolean') return undefined;
  return {
    connected,
    forMs,
    sentNs: BigInt(sentNs),
    untilNs: BigInt(untilNs),
    boot,
    confirm: confirm === true,
  };
}
