/** Header names: the canonical form (long, lower case) that the engine compares by, and the form that it prints. */

const PRINTED = [
  'Via',
  'Max-Forwards',
  'From',
  'To',
  'Call-ID',
  'CSeq',
  'Contact',
  'Content-Type',
  'Content-Length',
  'Content-Disposition',
  'Content-Encoding',
  'Content-Language',
  'Route',
  'Record-Route',
  'Path',
  'Service-Route',
  'Expires',
  'Min-Expires',
  'Session-Expires',
  'Min-SE',
  'Allow',
  'Allow-Events',
  'Supported',
  'Require',
  'Proxy-Require',
  'Unsupported',
  'User-Agent',
  'Server',
  'Subject',
  'Date',
  'Reason',
  'Retry-After',
  'Warning',
  'Authorization',
  'Proxy-Authorization',
  'WWW-Authenticate',
  'Proxy-Authenticate',
  'Authentication-Info',
  'RSeq',
  'RAck',
  'Refer-To',
  'Referred-By',
  'Replaces',
  'Event',
  'Subscription-State',
  'Accept',
  'Accept-Encoding',
  'Accept-Language',
  'Privacy',
  'P-Asserted-Identity',
  'P-Preferred-Identity',
  'Remote-Party-ID',
  'Diversion',
  'History-Info',
  'MIME-Version',
  'Identity',
  'Reject-Contact',
  'Accept-Contact',
  'Request-Disposition',
] as const;

/** RFC 3261 §7.3.3, RFC 3265, 3515, 3841, 3892, 4028, 4474. */
const COMPACT: Readonly<Record<string, string>> = {
  i: 'call-id',
  m: 'contact',
  e: 'content-encoding',
  l: 'content-length',
  c: 'content-type',
  f: 'from',
  s: 'subject',
  k: 'supported',
  t: 'to',
  v: 'via',
  o: 'event',
  r: 'refer-to',
  u: 'allow-events',
  x: 'session-expires',
  b: 'referred-by',
  j: 'reject-contact',
  a: 'accept-contact',
  d: 'request-disposition',
  y: 'identity',
};

const printedOf = new Map<string, string>(PRINTED.map((name) => [name.toLowerCase(), name]));
// Names as they usually come on the wire, so that the hot path neither lowers nor compares letters.
const canonicalOf = new Map<string, string>();
for (const name of PRINTED) {
  const canonical = name.toLowerCase();
  canonicalOf.set(name, canonical).set(canonical, canonical).set(name.toUpperCase(), canonical);
}
for (const [letter, canonical] of Object.entries(COMPACT)) {
  canonicalOf.set(letter, canonical).set(letter.toUpperCase(), canonical);
}

/** The canonical form of a header's name as it was written. */
export function canonicalName(written: string): string {
  const known = canonicalOf.get(written);
  if (known !== undefined) return known;
  const lower = written.toLowerCase();
  return canonicalOf.get(lower) ?? lower;
}

/** The form in which a header is printed: the registered one, or as it was written where we know none. */
export function printedName(canonical: string, written: string): string {
  return printedOf.get(canonical) ?? written;
}
