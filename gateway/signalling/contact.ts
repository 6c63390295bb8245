import { isIP } from 'node:net';

/** A Contact, and where it would have us speak. */
export interface Contact {
  /** As it came, without its expiry: what the answer repeats. */
  readonly text: string;
  readonly uri: string;
  /** The host of its URI where that is an IP address. */
  readonly address: string | undefined;
  /** Its own expiry as it was written. */
  readonly expires: string | undefined;
}

const IN_BRACKETS = /^(?:"(?:[^"\\]|\\.)*"|[^<>",;]*)\s*<(sips?:[^<>,\s]+)>((?:\s*;[^<>",]*)?)$/i;
const BARE = /^(sips?:[^\s<>",;?]+)((?:\s*;[^<>",]*)?)$/i;
const HOST = /^sips?:(?:[^@]*@)?(\[[0-9a-f:.]+\]|[^:;?@[\]]+)(?::\d{1,5})?(?:[;?].*)?$/i;

const ROUTES = /^\s*<[^<>]*>[^<>",]*(?:,\s*<[^<>]*>[^<>",]*)*$/;

/** Whether a star stands in it, alone or beside others (RFC 3261 §10.2.2). */
export const hasStar = (value: string): boolean => /(?:^|,)\s*\*\s*(?:,|$)/.test(value);

/** Reads a Contact header that holds one SIP contact; undefined for two, for none, and for what is not understood. */
export function readContact(value: string): Contact | undefined {
  const [, uri, params = ''] = IN_BRACKETS.exec(value.trim()) ?? BARE.exec(value.trim()) ?? [];
  if (uri === undefined) return undefined;
  return {
    text: value.trim().replace(/\s*;\s*expires\s*=[^;]*/i, ''),
    uri,
    address: addressOf(uri),
    expires: /;\s*expires\s*=\s*([^;]*)/i.exec(params)?.[1]?.trim(),
  };
}

/** The host of a SIP URI where it is an IP address: names are never looked up for a handset, nor are we sent past it. */
function addressOf(uri: string): string | undefined {
  // It would be sent to instead of the host (RFC 3261 §19.1.1).
  if (/;\s*maddr\s*(?:[=;]|$)/i.test(uri)) return undefined;
  const host = HOST.exec(uri)?.[1]?.replace(/^\[|\]$/g, '');
  return host !== undefined && isIP(host) !== 0 ? host : undefined;
}

/**
 * Whether what we send in the dialog of this request would stay where `isAllowed` says: one Contact, and every hop of its
 * Record-Route, each an IP address. Otherwise a cell could have us send to anybody, and our BYE would not reach it.
 */
export function staysWithin(
  request: { has(name: string): boolean; get(name: string): string },
  isAllowed: (address: string) => boolean,
): boolean {
  const contact = request.has('contact') ? readContact(request.get('contact')) : undefined;
  if (contact?.address === undefined || !isAllowed(contact.address)) return false;
  if (!request.has('record-route')) return true;
  const routes = request.get('record-route');
  // Each in brackets, and no name in front: of anything else two readers could make two routes (RFC 3261 §20.30).
  if (!ROUTES.test(routes)) return false;
  const hops = [...routes.matchAll(/<([^>]*)>/g)].map(([, uri = '']) => addressOf(uri));
  return hops.every((hop) => hop !== undefined && isAllowed(hop));
}
