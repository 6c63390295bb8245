/** A request as it went out, with the parts of it that an ACK or a CANCEL repeats (RFC 3261 §9.1, §17.1.1.3). */
export interface SentRequest {
  readonly method: string;
  readonly uri: string;
  /** The value of our Via. */
  readonly via: string;
  readonly branch: string;
  readonly routes: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly cseq: number;
  readonly text: string;
}

/** The ACK or CANCEL that belongs to an INVITE: its Request-URI, Via, Route, From, Call-ID and CSeq number. */
export function hopRequest(invite: SentRequest, method: 'ACK' | 'CANCEL', to: string, more = ''): string {
  const routes = invite.routes.length === 0 ? '' : `Route: ${invite.routes.join(', ')}\r\n`;
  return (
    `${method} ${invite.uri} SIP/2.0\r\nVia: ${invite.via}\r\n${routes}Max-Forwards: 70\r\nFrom: ${invite.from}\r\n` +
    `To: ${to}\r\nCall-ID: ${invite.callId}\r\nCSeq: ${invite.cseq} ${method}\r\n${more}Content-Length: 0\r\n\r\n`
  );
}
