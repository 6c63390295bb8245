import { randomUUID } from 'node:crypto';

/** A UUIDv7 (RFC 9562 §5.7) of the Unix time `ms`, milliseconds: ids made later sort later, to the millisecond. */
export function uuid7(ms: number): string {
  const time = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0').slice(-12);
  // All but the time and the version is random in both forms, and the variant bits are where they should be.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
