import { answerTo, headerOf, isRequest, isResponse } from '../sip-engine/udp-peer.js';
import { type Algorithm, type Answer, authorization, type Challenge, challengesOf } from './credentials.js';
import { newBranch, type Parts, requestText, sdp, unique } from './message.js';
import type { Peer, Place } from './peer.js';

/** The status of a response. */
export const statusOf = (text: string): number => Number(/^SIP\/2\.0 (\d{3})/.exec(text)?.[1] ?? 0);

/** A final response to this CSeq of this Call-ID. */
const finalTo =
  (callId: string, cseq: number, method: string) =>
  (text: string): boolean =>
    statusOf(text) >= 200 &&
    headerOf(text, 'Call-ID') === callId &&
    headerOf(text, 'CSeq').toUpperCase() === `${cseq} ${method}`;

/** A handset, hand-written: every byte that it sends can be wrong if a test wants it so. */
export class Phone {
  algorithm: Algorithm = 'MD5';

  constructor(
    readonly peer: Peer,
    readonly gateway: Place,
    readonly user: string,
    readonly password: string,
  ) {}

  get at(): string {
    return `${this.gateway.address}:${this.gateway.port}`;
  }

  get contact(): string {
    return `<sip:${this.user}@${this.peer.address}:${this.peer.port}>`;
  }

  /** A request outside of any dialog. */
  text(method: string, parts: Parts = {}): string {
    const uri = method === 'REGISTER' ? `sip:${this.at}` : `sip:+442079460001@${this.at}`;
    return requestText(method, this.peer, {
      uri,
      from: `<sip:${this.user}@balise>;tag=${unique('tag')}`,
      to: method === 'REGISTER' ? `<sip:${this.user}@balise>` : `<${parts.uri ?? uri}>`,
      callId: unique('call'),
      cseq: 1,
      contact: this.contact,
      ...(method === 'INVITE' ? { body: sdp(this.peer.address) } : {}),
      ...parts,
    });
  }

  /** Sends a request and gives its final response, acknowledged where it is a refused INVITE. */
  async ask(method: string, parts: Parts = {}): Promise<string> {
    const whole = { callId: unique('call'), cseq: 1, branch: newBranch(), ...parts };
    const text = this.text(method, whole);
    this.peer.send(text);
    const answer = await this.peer.next(finalTo(whole.callId, whole.cseq, method));
    if (method === 'INVITE' && statusOf(answer) >= 300) this.peer.send(this.#ack(text, answer, whole.branch));
    return answer;
  }

  /** The ACK of a refusal: hop by hop, with the branch of its INVITE (RFC 3261 §17.1.1.3). */
  #ack(invite: string, answer: string, branch: string): string {
    return requestText('ACK', this.peer, {
      uri: invite.split(' ')[1] ?? '',
      from: headerOf(invite, 'From'),
      to: headerOf(answer, 'To'),
      callId: headerOf(invite, 'Call-ID'),
      cseq: Number.parseInt(headerOf(invite, 'CSeq'), 10),
      branch,
      contact: '',
    });
  }

  /** A challenge to this method, of the algorithm that the phone prefers. */
  async challenge(method: 'REGISTER' | 'INVITE', parts: Parts = {}): Promise<Challenge> {
    const refused = await this.ask(method, parts);
    const found = challengesOf(refused).find(({ algorithm }) => algorithm === this.algorithm);
    if (found === undefined) throw new Error(`no challenge by ${this.algorithm} in\n${refused}`);
    return found;
  }

  /** The Authorization header that answers it, true but for what `answer` says. */
  credentials(challenge: Challenge, method: string, uri: string, answer: Partial<Answer> = {}): string {
    return authorization(challenge, { user: this.user, password: this.password, method, uri, ...answer });
  }

  /** REGISTER, challenged and answered: the final response. */
  async register(parts: Parts = {}): Promise<string> {
    const uri = parts.uri ?? `sip:${this.at}`;
    const line = this.credentials(await this.challenge('REGISTER'), 'REGISTER', uri);
    return this.ask('REGISTER', { ...parts, more: [...(parts.more ?? []), line] });
  }

  /** INVITE, challenged and answered; not waited for. */
  async dial(uri = `sip:+442079460001@${this.at}`, parts: Parts = {}): Promise<PhoneCall> {
    const challenge = await this.challenge('INVITE', { uri });
    const callId = unique('call');
    const fromTag = unique('tag');
    const branch = newBranch();
    const line = this.credentials(challenge, 'INVITE', uri);
    const from = `<sip:${this.user}@balise>;tag=${fromTag}`;
    const whole = { uri, from, callId, cseq: 2, branch, ...parts, more: [...(parts.more ?? []), line] };
    const invite = this.text('INVITE', whole);
    this.peer.send(invite);
    return new PhoneCall(this, invite, branch, (answer) => this.#ack(invite, answer, branch));
  }
}

/** One call as its handset holds it. */
export class PhoneCall {
  readonly callId: string;
  #cseq: number;
  #to = '';
  #target = '';

  constructor(
    readonly phone: Phone,
    readonly invite: string,
    readonly branch: string,
    private readonly ack: (answer: string) => string,
  ) {
    this.callId = headerOf(invite, 'Call-ID');
    this.#cseq = Number.parseInt(headerOf(invite, 'CSeq'), 10);
  }

  /** The INVITE's final response; acknowledged. */
  async final(): Promise<string> {
    const { peer } = this.phone;
    const answer = await peer.next(finalTo(this.callId, this.#cseq, 'INVITE'));
    if (statusOf(answer) >= 300) {
      peer.send(this.ack(answer));
      return answer;
    }
    this.#learn(answer);
    peer.send(this.text('ACK', { cseq: this.#cseq }));
    return answer;
  }

  /** The first 180; from then on requests can be sent in the early dialog. */
  async ringing(): Promise<string> {
    const ringing = await this.phone.peer.next(isResponse(180));
    this.#learn(ringing);
    return ringing;
  }

  #learn(answer: string): void {
    this.#to = headerOf(answer, 'To');
    this.#target = /<([^>]+)>/.exec(headerOf(answer, 'Contact'))?.[1] ?? `sip:${this.phone.at}`;
  }

  cancel(): void {
    const { peer } = this.phone;
    peer.send(
      requestText('CANCEL', peer, {
        uri: this.invite.split(' ')[1] ?? '',
        from: headerOf(this.invite, 'From'),
        to: headerOf(this.invite, 'To'),
        callId: this.callId,
        cseq: this.#cseq,
        branch: this.branch,
        contact: '',
      }),
    );
  }

  /** A request of this dialog, as `from` would send it. */
  text(method: string, parts: Parts = {}, from: Peer = this.phone.peer): string {
    return requestText(method, from, {
      uri: this.#target,
      from: headerOf(this.invite, 'From'),
      to: this.#to,
      callId: this.callId,
      cseq: ++this.#cseq,
      contact: `<sip:${this.phone.user}@${from.address}:${from.port}>`,
      ...parts,
    });
  }

  /** Sends a request of this dialog, from another peer's address where one is given, and gives its final response. */
  async ask(method: string, parts: Parts = {}, from: Peer = this.phone.peer): Promise<string> {
    const text = this.text(method, parts, from);
    from.send(text);
    const cseq = Number.parseInt(headerOf(text, 'CSeq'), 10);
    const answer = await from.next(finalTo(this.callId, cseq, method));
    if (method !== 'INVITE') return answer;
    if (statusOf(answer) < 300) from.send(this.text('ACK', { cseq }, from));
    else {
      const branch = /branch=([^;\s]+)/.exec(text)?.[1] ?? '';
      from.send(this.text('ACK', { cseq, branch, to: headerOf(answer, 'To') }, from));
    }
    this.#cseq = Math.max(this.#cseq, cseq);
    return answer;
  }

  /** The gateway's BYE to the handset; the peer has answered it. */
  ended(): Promise<string> {
    return this.phone.peer.next((text) => isRequest('BYE')(text) && headerOf(text, 'Call-ID') === this.callId);
  }
}

export { answerTo, headerOf, isRequest, isResponse };
