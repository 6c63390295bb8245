import type { LawTables } from './g711.js';
import { u32 } from './rtp.js';
import { ToneEar } from './tone-ear.js';

/** RFC 4733 §3.2: the event codes 0 to 15 in their order. */
export const DIGITS = '0123456789*#ABCD';
const EVENT_BYTES = 4;
const NONE = -1;
/** How long the speech is muted from a key heard in it, milliseconds. */
const MUTE_MS = 100;

export interface DigitRules {
  /** The digits that may pass, of 0-9 * # A-D. */
  readonly allowed: string;
  /** How many of them a call may send. Default: any number. */
  readonly most?: number;
  /** Keys in the speech itself are listened for, and muted where they may not pass. */
  readonly inSpeech?: boolean;
}

export type DigitKind = 'event' | 'in-speech' | 'in-info';

/** Which keyed digits may go from the handset to the trunk, as RFC 4733 events, as tones and by signalling. None, unless the profile lists them. */
export class DigitFilter {
  readonly #allowed = new Uint8Array(256);
  readonly #most: number;
  readonly #ear: ToneEar | undefined;
  readonly #onRefused: (kind: DigitKind) => void;
  readonly #onKey: ((key: string) => void) | undefined;
  /** The press that the last event was of: its code in its timestamp's company. */
  #lastStamp = NONE;
  #lastCode = NONE;
  #lastPassed = false;
  #lastTone = '';
  #muteUntilMs = Number.NEGATIVE_INFINITY;
  /** Digits kept from the trunk; one key press is many packets with one timestamp. */
  dropped = 0;
  passed = 0;
  /** Of `dropped`, those that were heard in the speech. */
  muted = 0;

  /** @param onKey told of each key that comes as an event, whether it may pass or not. */
  constructor(
    { allowed, most, inSpeech }: DigitRules,
    onRefused: (kind: DigitKind) => void = () => undefined,
    onKey?: (key: string) => void,
  ) {
    for (const digit of allowed.toUpperCase()) {
      const code = DIGITS.indexOf(digit);
      if (code >= 0) this.#allowed[code] = 1;
    }
    this.#most = most ?? Number.POSITIVE_INFINITY;
    this.#ear = inSpeech === true ? new ToneEar() : undefined;
    this.#onRefused = onRefused;
    this.#onKey = onKey;
  }

  /** Whether the event between `start` and `end` of the packet may pass. */
  passes(packet: Buffer, start: number, end: number): boolean {
    const timestamp = u32(packet, 4);
    const code = packet[start] as number;
    // Four bytes each (RFC 4733 §2.3); what is longer could carry a second event behind an allowed one.
    const isAllowed = end - start === EVENT_BYTES && this.#allowed[code] === 1;
    if (timestamp === this.#lastStamp && code === this.#lastCode) return isAllowed && this.#lastPassed;
    this.#lastStamp = timestamp;
    this.#lastCode = code;
    const key = end - start === EVENT_BYTES ? DIGITS[code] : undefined;
    if (key !== undefined) this.#onKey?.(key);
    this.#lastPassed = isAllowed && this.#mayPass('event');
    if (!isAllowed) this.#refuse('event');
    return this.#lastPassed;
  }

  /** Whether a key that came by signalling may pass; none may while there is no way for it. */
  passesKey(key: string, isReady: boolean): boolean {
    const isAllowed = this.#allowed[DIGITS.indexOf(key)] === 1 && isReady;
    if (!isAllowed) this.#refuse('in-info');
    return isAllowed && this.#mayPass('in-info');
  }

  /** Listens to a packet of speech, and silences its payload in place while a key sounds that may not pass. */
  listen(packet: Buffer, start: number, end: number, law: LawTables, nowMs: number): void {
    if (this.#ear === undefined) return;
    const digit = this.#ear.hear(packet, start, end, law);
    if (digit !== '' && digit !== this.#lastTone) {
      const isAllowed = this.#allowed[DIGITS.indexOf(digit)] === 1;
      if (!isAllowed) this.#refuse('in-speech');
      if (!(isAllowed && this.#mayPass('in-speech'))) this.#muteUntilMs = nowMs + MUTE_MS;
    } else if (digit !== '' && nowMs < this.#muteUntilMs) this.#muteUntilMs = nowMs + MUTE_MS;
    if (digit !== '' || nowMs >= this.#muteUntilMs) this.#lastTone = digit;
    if (nowMs < this.#muteUntilMs) packet.fill(law.silence, start, end);
  }

  #mayPass(kind: DigitKind): boolean {
    if (this.passed >= this.#most) {
      this.#refuse(kind);
      return false;
    }
    this.passed++;
    return true;
  }

  #refuse(kind: DigitKind): void {
    this.dropped++;
    if (kind === 'in-speech') this.muted++;
    this.#onRefused(kind);
  }
}
