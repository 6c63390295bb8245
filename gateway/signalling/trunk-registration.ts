import { randomInt, randomUUID } from 'node:crypto';
import type Srf from 'drachtio-srf';
import type { Clock, Timer } from '../clock/clock.js';
import type { TrunkAccount, TrunkCredentials } from './account.js';
import { type FinalAnswer, listenerOf, sendRequest, trunkUri } from './trunk-request.js';

/** What we ask for, seconds; the carrier may grant less. */
const WANTED_S = 3_600;
/** However little is granted, we ask no more often, seconds. */
const SHORTEST_WAIT_S = 5;
const LONGEST_S = 86_400;
/** The first wait after a refusal and the longest, seconds (RFC 5626 §4.5). */
const FIRST_WAIT_S = 30;
const LONGEST_WAIT_S = 1_800;

export interface RegistrationEvents {
  /** Said once, until it is registered again: the carrier's status, 408 for none. */
  readonly refused: (why: string) => void;
  /** After a refusal, it is registered. */
  readonly registered: () => void;
}

/**
 * Our registration at a carrier (RFC 3261 §10.2): REGISTER, anew at half of what was granted, with credentials where asked;
 * after a refusal or silence again and again, after 30 s at first and half an hour at most, each wait shortened by chance so
 * that not all gateways come back in one second.
 */
export class TrunkRegistration {
  readonly #callId = randomUUID();
  readonly #tag = randomUUID().slice(0, 8);
  #cseq = 0;
  #wantedS = WANTED_S;
  #failures = 0;
  /** How long the carrier keeps what it was last told, on the monotonic clock. */
  #untilNs = 0n;
  #next: Timer | undefined;
  /** Settles when the REGISTER that went out last has met its end. */
  #asked: Promise<void> = Promise.resolve();
  /** The application of the engine that runs; undefined while none does. */
  #srf: Srf | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly trunk: TrunkAccount,
    private readonly auth: TrunkCredentials,
    private readonly events: RegistrationEvents,
  ) {}

  /** Until it was refused once, it is believed to be; and after a refusal while the carrier still keeps the last. */
  get isUp(): boolean {
    return this.#failures === 0 || this.clock.monotonicNs() < this.#untilNs;
  }

  start(srf: Srf): void {
    this.#srf = srf;
    this.#register(srf);
  }

  stop(): void {
    this.#srf = undefined;
    this.#next?.cancel();
  }

  /** Ends what the carrier keeps of us (RFC 3261 §10.2.2); settles when it has answered, or at once where it keeps nothing. */
  async leave(): Promise<void> {
    const srf = this.#srf;
    this.stop();
    // One REGISTER at a time (§10.2): the one that is out may yet be granted.
    await this.#asked;
    if (srf === undefined || this.clock.monotonicNs() >= this.#untilNs) return;
    this.#untilNs = 0n;
    await new Promise<void>((resolve) => this.#ask(srf, 0, () => resolve()));
  }

  #register(srf: Srf): void {
    this.#asked = new Promise((settle) =>
      this.#ask(srf, this.#wantedS, (answer) => {
        this.#answered(srf, answer);
        settle();
      }),
    );
  }

  #ask(srf: Srf, expiresS: number, done: (answer: FinalAnswer | undefined) => void): void {
    const { username } = this.auth;
    const { host, transport } = this.trunk;
    const address = `<sip:${username}@${host}>`;
    const headers = {
      From: `${address};tag=${this.#tag}`,
      To: address,
      Contact: `<sip:${username}@localhost${transport === 'udp' ? '' : `;transport=${transport}`}>`,
      Expires: String(expiresS),
      'X-Balise-Listener': listenerOf(this.trunk),
    };
    // One Call-ID for all registrations of a life, and a CSeq that only rises (§10.2.4).
    const numbered = () => ({ 'Call-ID': this.#callId, CSeq: `${++this.#cseq} REGISTER` });
    const order = { method: 'REGISTER', uri: trunkUri(this.trunk), headers: { ...headers, ...numbered() } };
    sendRequest(srf, order, this.auth, done, numbered);
  }

  #answered(srf: Srf, answer: FinalAnswer | undefined): void {
    const status = answer?.response.status ?? 503;
    const grantedS = answer !== undefined && status < 300 ? grantedOf(answer) : 0;
    if (grantedS > 0) this.#untilNs = this.clock.monotonicNs() + BigInt(grantedS) * 1_000_000_000n;
    if (this.#srf !== srf) return;
    if (grantedS > 0) {
      if (this.#failures > 0) this.events.registered();
      this.#failures = 0;
      this.#again(srf, Math.max(SHORTEST_WAIT_S, grantedS / 2));
      return;
    }
    const least = status === 423 ? Number(headerOf(answer, 'min-expires')) : 0;
    if (least > this.#wantedS && least <= LONGEST_S) {
      this.#wantedS = least;
      this.#register(srf);
      return;
    }
    if (this.#failures === 0) this.events.refused(status === 408 ? 'no answer to REGISTER' : `REGISTER met ${status}`);
    const waitS = Math.min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 16);
    this.#again(srf, (waitS * randomInt(50, 101)) / 100);
  }

  #again(srf: Srf, afterS: number): void {
    this.#next = this.clock.after(afterS * 1_000, () => this.#register(srf));
  }
}

const headerOf = (answer: FinalAnswer | undefined, name: string): string =>
  answer?.response.has(name) === true ? answer.response.get(name) : '';

/** What the carrier grants our contact, seconds: of its own parameter, or of all together (§10.2.4); 0 when it is not kept. */
function grantedOf(answer: FinalAnswer): number {
  const ours = /<([^>]+)>/.exec(answer.request.get('contact'))?.[1] ?? '';
  const contacts = headerOf(answer, 'contact').split(/,(?=\s*(?:"[^"]*"\s*)?<)/);
  const kept = contacts.find((contact) => contact.includes(ours));
  const given = /;\s*expires\s*=\s*"?(\d+)/i.exec(kept ?? '')?.[1] ?? headerOf(answer, 'expires');
  // A carrier that says nothing keeps us for as long as we have asked for.
  const seconds = given === '' ? Number(answer.request.get('expires')) : Number.parseInt(given, 10);
  if (!Number.isFinite(seconds) || seconds <= 0) return 0;
  return Math.min(LONGEST_S, seconds);
}
