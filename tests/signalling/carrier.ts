import { answerTo, headerOf, isRequest } from '../sip-engine/udp-peer.js';
import { newBranch, type Parts, requestText, sdp, unique } from './message.js';
import type { Peer } from './peer.js';
import { statusOf } from './phone.js';

/** A carrier's end of a trunk, hand-written. */
export class Carrier {
  constructor(readonly peer: Peer) {}

  /** The next INVITE of the gateway. */
  async invited(): Promise<CarrierCall> {
    return new CarrierCall(this.peer, await this.peer.next(isRequest('INVITE')));
  }

  /** How many INVITEs have come. */
  get invites(): number {
    return this.peer.received.filter(isRequest('INVITE')).length;
  }
}

/** 200 to a request, with nothing of its own. */
export const okTo = (request: string): string =>
  [
    'SIP/2.0 200 OK',
    ...['Via', 'From', 'To', 'Call-ID', 'CSeq'].map((name) => `${name}: ${headerOf(request, name)}`),
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');

/** One call as the carrier holds it. */
export class CarrierCall {
  readonly callId: string;
  readonly tag = unique('callee');
  #cseq = 100;

  constructor(
    readonly peer: Peer,
    readonly invite: string,
  ) {
    this.callId = headerOf(invite, 'Call-ID');
  }

  get contact(): string {
    return `Contact: <sip:gw@${this.peer.address}:${this.peer.port}>`;
  }

  /** A response to the INVITE. */
  say(status: string, more: readonly string[] = [], body = ''): void {
    const type = body === '' ? [] : ['Content-Type: application/sdp'];
    this.peer.send(answerTo(this.invite, status, [this.contact, ...type, ...more], this.tag, body));
  }

  /** 200 with SDP. */
  answer(more: readonly string[] = [], body = sdp(this.peer.address, 9_000, '0 101')): void {
    this.say('200 OK', more, body);
  }

  acknowledged(): Promise<string> {
    return this.of('ACK');
  }

  /** The next request of this call by that method. */
  of(method: string): Promise<string> {
    return this.peer.next((text) => isRequest(method)(text) && headerOf(text, 'Call-ID') === this.callId);
  }

  /** Sends a request in this dialog, from another peer's address where one is given, and gives its final response. */
  async ask(method: string, parts: Parts = {}, from: Peer = this.peer): Promise<string> {
    const cseq = ++this.#cseq;
    const target = /<([^>]+)>/.exec(headerOf(this.invite, 'Contact'))?.[1] ?? '';
    const branch = newBranch();
    const whole = {
      uri: target,
      from: `${headerOf(this.invite, 'To')};tag=${this.tag}`,
      to: headerOf(this.invite, 'From'),
      callId: this.callId,
      cseq,
      branch,
      contact: `<sip:gw@${from.address}:${from.port}>`,
      ...parts,
    };
    from.send(requestText(method, from, whole));
    const answer = await from.next((text) => statusOf(text) >= 200 && headerOf(text, 'CSeq') === `${cseq} ${method}`);
    if (method === 'INVITE') {
      const { body: _, more: __, ...plain } = whole;
      from.send(requestText('ACK', from, { ...plain, ...(statusOf(answer) < 300 ? { branch: newBranch() } : {}) }));
    }
    return answer;
  }
}
