/** What a test changes in a message; a header given here stands in place of the usual one, and an empty one is left out. */
export interface Parts {
  readonly uri?: string;
  readonly from?: string;
  readonly to?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly contact?: string;
  readonly branch?: string;
  readonly more?: readonly string[];
  readonly body?: string;
  readonly bodyType?: string;
}

let serial = 0;

/** A name that occurs once in a run of the tests. */
export const unique = (of: string): string => `${of}-${process.pid}-${++serial}`;

export const newBranch = (): string => `z9hG4bK${unique('b')}`;

/** A request, complete and plain. */
export function requestText(
  method: string,
  sender: { readonly transport: string; readonly address: string; readonly port: number },
  parts: Required<Pick<Parts, 'uri' | 'from' | 'to' | 'callId' | 'cseq'>> & Parts,
): string {
  const body = parts.body ?? '';
  const contact = parts.contact ?? `<sip:peer@${sender.address}:${sender.port}>`;
  return [
    `${method} ${parts.uri} SIP/2.0`,
    `Via: SIP/2.0/${sender.transport} ${sender.address}:${sender.port};branch=${parts.branch ?? newBranch()};rport`,
    'Max-Forwards: 70',
    `From: ${parts.from}`,
    `To: ${parts.to}`,
    `Call-ID: ${parts.callId}`,
    `CSeq: ${parts.cseq} ${method}`,
    ...(contact === '' ? [] : [`Contact: ${contact}`]),
    ...(parts.more ?? []),
    ...(body === '' ? [] : [`Content-Type: ${parts.bodyType ?? 'application/sdp'}`]),
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

/** SDP of a peer: G.711 at its own address. Lines given are added at the end. */
export function sdp(address: string, port = 7_000, formats = '0 8 101', more: readonly string[] = []): string {
  return [
    'v=0',
    `o=- 1 1 IN IP4 ${address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    `m=audio ${port} RTP/AVP ${formats}`,
    'a=rtpmap:101 telephone-event/8000',
    ...more,
    '',
  ].join('\r\n');
}
