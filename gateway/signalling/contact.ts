import { isIP } from 'node:net';

/** What a Contact of a REGISTER asks for. */
export interface Contact {
  /** As it came, without its expiry: what the answer repeats. */
  readonly text: string;
  /** The host of its URI where that is an IP address. */
  readonly address: string | undefined;
  /** Its own expiry as it was written. */
  readonly expires: string | undefined;
}

const IN_BRACKETS = /^(?:"(?:[^"\\]|\\.)*"|[^<>",;]*)\s*<(sips?:[^<>,\s]+)>((?:\s*;[^<>",]*)?)$/i;
const BARE = /^(sips?:[^\s<>",;?]+)((?:\s*;[^<>",]*)?)$/i;
const HOST = /^sips?:(?:[^@]*@)?(\[[0-9a-f:.]+\]|[^:;?@[\]]+)(?::\d{1,5})?(?:[;?].*)?$/i;

/** Whether a star stands in it, alone or beside others (RFC 3261 §10.2.2). */
export const hasStar = (value: string): boolean => /(?:^|,)\s*\*\s*(?:,|$)/.test(value);

/** Reads a Contact header that holds one SIP contact; undefined for two, for none, and for what is not understood. */
export function readContact(value: string): Contact | undefined {
  const [, uri, params = ''] = IN_BRACKETS.exec(value.trim()) ?? BARE.exec(value.trim()) ?? [];
  if (uri === undefined) return undefined;
  const host = HOST.exec(uri)?.[1]?.replace(/^\[|\]$/g, '');
  return {
    text: value.trim().replace(/\s*;\s*expires\s*=[^;]*/i, ''),
    address: host !== undefined && isIP(host) !== 0 ? host : undefined,
    expires: /;\s*expires\s*=\s*([^;]*)/i.exec(params)?.[1]?.trim(),
  };
}
