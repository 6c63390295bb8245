/** What the RFC says is to become of a message. */
export type Verdict =
  /** It is well-formed and goes to whoever handles the method. */
  | { readonly reaches: string }
  /** It is refused with this status. */
  | { readonly refused: number }
  /** Nobody is told anything. */
  | 'discarded';

/** One torture message: what is wrong or strange about it, in the words of the clause, and what is to become of it. */
export interface TortureMessage {
  /** The clause and the RFC's short name for it. */
  readonly clause: string;
  readonly about: string;
  readonly text: string;
  readonly verdict: Verdict;
}

/** A message from its lines, each one ended with CRLF, and the empty line. */
export function lines(...all: readonly string[]): string {
  return `${all.join('\r\n')}\r\n\r\n`;
}

const TWO_STREAMS = [
  'v=0',
  'o=mhandley 29739 7272939 IN IP4 192.0.2.1',
  's=-',
  'c=IN IP4 192.0.2.1',
  't=0 0',
  'm=audio 49217 RTP/AVP 0 12',
  'm=video 3227 RTP/AVP 31',
  'a=rtpmap:31 LPC',
  '',
].join('\r\n');

/** Headers with a description of two streams behind them. `length` is what Content-Length claims. */
export function withSdp(headers: readonly string[], length = TWO_STREAMS.length): string {
  return `${[...headers, 'Content-Type: application/sdp', `Content-Length: ${length}`].join('\r\n')}\r\n\r\n${TWO_STREAMS}`;
}

/** The headers that most of the messages share; `more` replaces the ones of its own name. */
export function plain(startLine: string, id: string, more: readonly string[] = []): string[] {
  const method = startLine.split(' ', 1)[0] ?? '';
  const given = new Set(more.map((line) => line.split(':', 1)[0]?.toLowerCase()));
  const usual = [
    `Via: SIP/2.0/UDP host.example.com;branch=z9hG4bK${id}`,
    'Max-Forwards: 70',
    'From: <sip:caller@example.net>;tag=242etr',
    'To: <sip:user@example.com>',
    `Call-ID: ${id}.0ha0isndaksdj`,
    `CSeq: 8 ${method}`,
    'Contact: <sip:caller@host.example.net>',
  ];
  return [startLine, ...usual.filter((line) => !given.has(line.split(':', 1)[0]?.toLowerCase())), ...more];
}
