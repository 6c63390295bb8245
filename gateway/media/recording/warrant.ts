import type { CryptoKey, KeyObject } from 'jose';
import { Temporal } from 'temporal-polyfill';

/** Leave of headquarters to record the calls of a person or to a number, for a time. */
export interface Warrant {
  readonly id: string;
  readonly person?: string;
  readonly number?: string;
  readonly from: Temporal.Instant;
  readonly until: Temporal.Instant;
}

/** Why a warrant is none; stable codes. */
export type WarrantFault = 'warrant.not-signed' | 'warrant.malformed';

export type VerifyingKey = CryptoKey | KeyObject;

const FIELDS = ['id', 'person', 'number', 'from', 'until'];

/**
 * Reads a warrant: a compact JWS (RFC 7515), EdDSA, by one of headquarters' keys, of {id, person or number, from, until}. What is not
 * whole, or says more than that, is none.
 */
export async function readWarrant(jws: string, keys: readonly VerifyingKey[]): Promise<Warrant | WarrantFault> {
  const text = await verified(jws, keys);
  if (text === undefined) return 'warrant.not-signed';
  try {
    const said = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const { id, person, number, from, until } = said;
    const isOneOf = (typeof person === 'string') !== (typeof number === 'string');
    const isWhole = typeof id === 'string' && id !== '' && typeof from === 'string' && typeof until === 'string';
    if (!isOneOf || !isWhole || Object.keys(said).some((name) => !FIELDS.includes(name))) return 'warrant.malformed';
    const warrant = { id, from: Temporal.Instant.from(from), until: Temporal.Instant.from(until) };
    if (Temporal.Instant.compare(warrant.from, warrant.until) >= 0) return 'warrant.malformed';
    return { ...warrant, ...(typeof person === 'string' ? { person } : { number: String(number) }) };
  } catch {
    return 'warrant.malformed';
  }
}

/** What one of the keys has signed; undefined when none has. */
async function verified(jws: string, keys: readonly VerifyingKey[]): Promise<string | undefined> {
  const { compactVerify } = await import('jose');
  for (const key of keys) {
    try {
      const { payload } = await compactVerify(jws, key, { algorithms: ['EdDSA'] });
      return new TextDecoder().decode(payload);
    } catch {
      // Not by this key; perhaps by the next.
    }
  }
  return undefined;
}

/** What of a call decides whether it may be recorded. */
export interface RecordableCall {
  readonly person?: string;
  readonly number: string;
  /** A lawyer's or an ombudsman's: no warrant reaches it. */
  readonly isPrivileged: boolean;
}

/** Whether the warrant is in force. Its `until` is the first instant at which it is not. */
export const stands = ({ from, until }: Warrant, at: Temporal.Instant): boolean =>
  Temporal.Instant.compare(from, at) <= 0 && Temporal.Instant.compare(at, until) < 0;

/** The first of these warrants that covers the call at this instant; undefined: it is not recorded. */
export function warrantFor(
  warrants: readonly Warrant[],
  { person, number, isPrivileged }: RecordableCall,
  at: Temporal.Instant,
): Warrant | undefined {
  if (isPrivileged) return undefined;
  return warrants.find(
    (warrant) =>
      stands(warrant, at) && (warrant.person === undefined ? warrant.number === number : warrant.person === person),
  );
}
