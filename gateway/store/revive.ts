/** Values of the calls room as JSON columns, and back. Instants are ISO 8601 text, nanosecond counts decimal text. */
import { Temporal } from 'temporal-polyfill';
import type { CallRequest } from '../calls/ports.js';
import type { LegDialog } from '../calls/record.js';
import type { Deadline } from '../clock/deadline.js';
import { instantText } from '../clock/instant-text.js';
import type { Grant } from '../policy/decision.js';
import type { Lockdown } from '../policy/request.js';

type Written<T> = { [K in keyof T]: T[K] extends Temporal.Instant ? string : T[K] };

/** The JSON text of a value that holds instants but no bigint. */
export function toText(value: Lockdown | LegDialog): string {
  return JSON.stringify(value);
}

export function requestToText(request: CallRequest): string {
  return JSON.stringify({ ...request, at: instantText(request.at) });
}

export function grantToText(grant: Grant): string {
  return JSON.stringify({ ...grant, notAfter: instantText(grant.notAfter) });
}

export function requestFrom(text: string): CallRequest {
  const written = JSON.parse(text) as Written<CallRequest>;
  return { ...written, at: Temporal.Instant.from(written.at) };
}

export function grantFrom(text: string): Grant {
  const written = JSON.parse(text) as Written<Grant>;
  return { ...written, notAfter: Temporal.Instant.from(written.notAfter) };
}

export function lockdownFrom(text: string): Lockdown {
  const { from, until, ...rest } = JSON.parse(text) as Omit<Lockdown, 'from' | 'until'> & {
    from: string;
    until?: string;
  };
  return {
    ...rest,
    from: Temporal.Instant.from(from),
    ...(until === undefined ? {} : { until: Temporal.Instant.from(until) }),
  };
}

export function dialogFrom(text: string): LegDialog {
  return JSON.parse(text) as LegDialog;
}

export function deadlineToText(deadline: Deadline): string {
  return JSON.stringify({ ...deadline, wall: instantText(deadline.wall), monotonicNs: `${deadline.monotonicNs}` });
}

export function deadlineFrom(text: string): Deadline {
  const written = JSON.parse(text) as { wall: string; monotonicNs: string; bootId: string };
  return { ...written, wall: Temporal.Instant.from(written.wall), monotonicNs: BigInt(written.monotonicNs) };
}
