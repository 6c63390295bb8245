import type { MediaOrder } from '../../calls/ports.js';
import type { Clock, Timer } from '../../clock/clock.js';
import { type Deadline, msLeft } from '../../clock/deadline.js';
import type { MediaRules } from '../media-rules.js';
import type { Leg, MediaSession } from '../media-session.js';
import { ANNOUNCEMENT, CLOSING, SPOKEN_WARNINGS } from '../prompts.js';
import type { SoundLibrary } from '../relay/sound-library.js';
import { type AudioDescription, readEnd, writePlain } from '../sdp.js';
import type { NgAnswer, NgFields } from './ng-client.js';
import { type NgAsk, NgSounds, WARNING_CLIP } from './ng-sounds.js';

/**
 * The daemon ends a call by itself so many whole seconds after we last said so; it may begin to count in the middle of one,
 * so that it is never less than two, nor, with the daemon's own look at its calls, more than four.
 */
const LEASE_S = 3;
/** Of those, what there must be behind the deadline, for the same reason. */
const BEHIND_S = 2;
const CLOSING_LEAD_MS = 100;
export const ALL_DIGITS = '0123456789*#';
const TAGS: NgFields = { 'from-tag': 'handset', 'to-tag': 'trunk' };
/** Once it has learned where a side sends from, the daemon drops what comes from elsewhere. */
const OURS: NgFields = { ICE: 'remove', replace: ['origin', 'session-connection'], flags: ['strict-source'] };
/** The same where digits may pass: the daemon then takes the speech apart, so that it can put an event in its place. */
const OURS_WITH_DIGITS: NgFields = { ...OURS, flags: ['strict-source', 'inject DTMF'] };
/** A key as the relay sends it, milliseconds and -dBm0; apart by so much speech that they are two. */
const KEY: NgFields = { 'from-tag': 'handset', duration: 100, volume: 10, pause: 100 };
/** The daemon puts a key into speech that it has heard: the first of it is waited for so often and so long, milliseconds. */
const KEY_TRIES = 10;
const KEY_AGAIN_MS = 100;
const SIDES = ['handset', 'trunk'] as const;

export interface NgCallParts {
  readonly ask: NgAsk;
  readonly clock: Clock;
  readonly rules: MediaRules;
  readonly session: MediaSession;
  readonly sounds: SoundLibrary;
  /** The deadline has passed, and the session is being deleted. */
  readonly onDeadline: () => void;
}

/** What went wrong: a stable code, and why. */
export interface NgFault {
  readonly code: string;
  readonly why: string;
}

/** One call's session at the daemon: a gate for each side, a lease that must be renewed, and what is said in it. */
export class NgCall {
  readonly rules: MediaRules;
  readonly session: MediaSession;
  readonly #parts: NgCallParts;
  readonly #says: NgSounds;
  readonly #gates: Record<Leg, boolean> = { handset: false, trunk: false };
  readonly #held: Record<Leg, boolean> = { handset: false, trunk: false };
  /** What the daemon was last told of what each side sends. */
  readonly #passes: Record<Leg, boolean> = { handset: false, trunk: false };
  /** The digits that may pass; none, unless all may: single ones the daemon cannot choose. */
  #digits = '';
  /** Keys and descriptions of the trunk's go one after the other: the daemon takes orders in any order. */
  #keying: Promise<unknown> = Promise.resolve();
  #answering: Promise<unknown> = Promise.resolve();
  #ringing: 'not yet' | 'rings' | 'never again' = 'not yet';
  /** The gates' orders, one after the other. */
  #order: Promise<NgFault | undefined> = Promise.resolve(undefined);
  #timers: Timer[] = [];
  #deadline: Deadline | undefined;
  /** The daemon knows it. */
  #isUp = false;
  /** The daemon breaks off what it says when its lease is renewed: until then it is not. */
  #saysUntilMs = 0;
  /** What it has been given stands until then at least. */
  #leasedUntilMs = 0;
  #leasing: Promise<NgAnswer> | undefined;
  #isOver = false;

  constructor(parts: NgCallParts) {
    this.#parts = parts;
    this.rules = parts.rules;
    this.session = parts.session;
    this.#says = new NgSounds(parts.ask, parts.clock, (forMs) => this.#makeRoom(forMs));
  }

  /** The session, with both gates closed before anybody can send. Tells where the trunk is to send to. */
  async offer(direction: NgFields, digitsAllowed: MediaOrder['digitsAllowed']) {
    const { ask } = this.#parts;
    if ([...ALL_DIGITS].every((digit) => digitsAllowed.includes(digit))) this.#digits = digitsAllowed;
    const offered = await ask('offer', {
      ...TAGS,
      ...this.#ours,
      ...direction,
      sdp: writePlain(this.session.trunkOffer),
      'rtcp-mux': ['offer', 'accept'],
    });
    if (offered.result === 'failed') return offered;
    this.#isUp = true;
    const gates = SIDES.map((side) => ask('block media', { 'from-tag': side }));
    if (this.#digits === '') gates.push(ask('block DTMF', { 'from-tag': 'handset' }));
    // It was offered to the trunk as if the handset spoke events, and takes none.
    if (this.session.offer.events === undefined) gates.push(ask('block DTMF', { 'from-tag': 'trunk' }));
    const failed = (await Promise.all([...gates, this.#lease(LEASE_S)])).find((answer) => answer?.result === 'failed');
    if (failed?.result === 'failed') return failed;
    return this.#endIn(offered.fields);
  }

  /** The trunk's SDP. Tells where the handset is to send to. */
  async answer(audio: AudioDescription) {
    const { ask } = this.#parts;
    const answering = this.#answering.then(() => ask('answer', { ...TAGS, ...this.#ours, sdp: writePlain(audio) }));
    this.#answering = answering;
    const answered = await answering;
    return answered.result === 'failed' ? answered : this.#endIn(answered.fields);
  }

  get #ours(): NgFields {
    return this.#digits === '' ? OURS : OURS_WITH_DIGITS;
  }

  /** Rings back to the handset until it is hushed; false when that has been. */
  ring(): boolean {
    if (this.#ringing === 'never again' || this.#isOver) return false;
    this.#ringing = 'rings';
    this.#says.ring();
    return true;
  }

  /** The far end is there: no ring-back any more. */
  hush(): void {
    if (this.#ringing === 'rings') {
      this.#says.hush();
      this.#saysUntilMs = 0;
    }
    this.#ringing = 'never again';
  }

  /**
   * A key that came by signalling, to the trunk as an event; false where it may not pass, or cannot: the daemon puts it into the
   * handset's speech, and knows no way for one that sends none.
   */
  async press(key: string): Promise<boolean> {
    if (key === '' || !this.#digits.includes(key) || !this.#isTalking) return false;
    const pressing = this.#keying.then(() => this.#play(key));
    this.#keying = pressing;
    return pressing;
  }

  get #isTalking(): boolean {
    return this.#passes.handset && !this.#isOver && this.session.answer?.events !== undefined;
  }

  async #play(key: string): Promise<boolean> {
    const { ask, clock } = this.#parts;
    for (let tries = 0; tries < KEY_TRIES && this.#isTalking; tries++) {
      const played = await ask('play DTMF', { ...KEY, code: key });
      if (played.result === 'ok') return true;
      if (played.code !== 'media.rtpengine') return false;
      await new Promise<void>((resolve) => clock.after(KEY_AGAIN_MS, resolve));
    }
    return false;
  }

  #endIn(fields: NgFields) {
    const end = readEnd(String(fields.sdp), this.rules.codecs);
    return 'fault' in end ? { code: 'media.rtpengine', why: `SDP without an address: ${end.why}` } : end;
  }

  /** What the trunk sends before the answer reaches the handset. */
  early(): void {
    this.#gates.trunk = true;
    void this.#apply();
  }

  /** Says this to the handset; undefined, or why it cannot. */
  announce(language: string, pieces: readonly string[], done: () => void): NgFault | undefined {
    const clips = this.#parts.sounds.clips(language, pieces);
    if (clips.length === 0) return { code: 'media.no-prompt', why: `no "${pieces.join(' ')}" in ${language}` };
    this.#says.say('handset', clips, done);
    return undefined;
  }

  /** Opens the gates until the deadline. A second time it can only come closer. */
  async arm(deadline: Deadline, warningsS: readonly number[]): Promise<NgFault | undefined> {
    const known = this.#deadline;
    if (known !== undefined && deadline.monotonicNs >= known.monotonicNs) return undefined;
    const { rules } = this;
    const announcement = rules.announcement ? this.#parts.sounds.clips(rules.calleeLanguage, [ANNOUNCEMENT]) : [];
    if (rules.announcement && announcement.length === 0)
      return { code: 'media.no-prompt', why: `no announcement in ${rules.calleeLanguage}` };
    this.#deadline = deadline;
    // The daemon's own end first: a call that only we could end must never talk.
    const bounded = await this.#lease(LEASE_S);
    if (bounded?.result === 'failed') return bounded;
    if (this.session.closed) return { code: 'media.lost', why: 'closed in the meantime' };
    this.#plan(deadline, warningsS);
    if (known !== undefined) return undefined;
    this.#gates.trunk = true;
    this.#gates.handset = announcement.length === 0;
    const opened = await this.#apply();
    // What the callee must hear before the caller, it hears: an announcement that fails opens nothing.
    if (announcement.length > 0)
      this.#says.say('trunk', announcement, (fault) => {
        if (fault !== undefined || this.#isOver) return;
        this.#gates.handset = true;
        void this.#apply();
      });
    return opened;
  }

  /** Who may speak after a re-INVITE. It opens no gate. */
  hold({ toTrunk, toHandset }: { readonly toTrunk: boolean; readonly toHandset: boolean }): void {
    this.#held.handset = !toTrunk;
    this.#held.trunk = !toHandset;
    void this.#apply();
  }

  /** Says to the daemon that we are still there; what it answers, or undefined where there is nothing to be renewed. */
  async renew(): Promise<NgAnswer | undefined> {
    return this.#nowMs() < this.#saysUntilMs ? undefined : this.#lease(LEASE_S);
  }

  /** No timer of ours, and no sound, is left; the daemon is told by whoever deletes the session. */
  end(): void {
    this.#isOver = true;
    this.session.closed = true;
    this.#says.stop();
    for (const timer of this.#timers) timer.cancel();
  }

  /** A lease that outlasts what is to be said; false where something is being said already, under one that does not. */
  async #makeRoom(forMs: number): Promise<boolean> {
    const nowMs = this.#nowMs();
    const isSaying = nowMs < this.#saysUntilMs;
    if (isSaying && nowMs + forMs > this.#leasedUntilMs) return false;
    this.#saysUntilMs = Math.max(this.#saysUntilMs, nowMs + forMs);
    const leased = await (isSaying ? this.#leasing : this.#lease(Math.ceil(forMs / 1_000) + 2 * LEASE_S));
    return leased?.result === 'ok';
  }

  async #lease(forS: number): Promise<NgAnswer | undefined> {
    if (!this.#isUp || this.#isOver) return undefined;
    const { ask, clock } = this.#parts;
    const leftMs = this.#deadline === undefined ? Number.POSITIVE_INFINITY : Math.max(0, msLeft(clock, this.#deadline));
    const delayS = Math.min(forS, Math.ceil(leftMs / 1_000) + BEHIND_S);
    this.#leasedUntilMs = this.#nowMs() + (delayS - 1) * 1_000;
    this.#leasing = ask('delete', { 'delete delay': delayS });
    const done = await this.#leasing;
    // To delete what it does not know is no failure to the daemon; to us it is a call that nobody carries.
    if (done.result === 'failed' || done.fields.warning === undefined) return done;
    return { result: 'failed', code: 'media.rtpengine', why: String(done.fields.warning) };
  }

  #nowMs(): number {
    return Number(this.#parts.clock.monotonicNs() / 1_000_000n);
  }

  #plan(deadline: Deadline, warningsS: readonly number[]): void {
    const { clock, sounds, onDeadline } = this.#parts;
    for (const timer of this.#timers) timer.cancel();
    const leftMs = msLeft(clock, deadline);
    const { warnCallee, spokenWarnings, language, calleeLanguage } = this.rules;
    const sides = warnCallee ? SIDES : (['handset'] as const);
    this.#timers = [...new Set(warningsS)].flatMap((seconds) => {
      const waitMs = leftMs - seconds * 1_000;
      const piece = spokenWarnings ? SPOKEN_WARNINGS[seconds] : undefined;
      if (waitMs <= 0) return [];
      return sides.map((side) => {
        const words = piece === undefined ? [] : sounds.clips(side === 'handset' ? language : calleeLanguage, [piece]);
        const clips = words.length === 0 ? [WARNING_CLIP] : words;
        return clock.after(waitMs, () => {
          // The announcement is not spoken over: with its last word the caller is heard.
          if (side === 'handset' || this.#gates.handset) this.#says.say(side, clips);
        });
      });
    });
    const closing = spokenWarnings ? sounds.clips(language, [CLOSING]) : [];
    // With the deadline, and nothing after it; the daemon begins a little later than it is told to.
    const closingMs = leftMs - CLOSING_LEAD_MS - closing.reduce((sum, { length }) => sum + length / 8, 0);
    if (closing.length > 0 && closingMs > 0)
      this.#timers.push(clock.after(closingMs, () => this.#says.say('handset', closing)));
    const over = (): void => {
      this.#isOver = true;
      this.#says.stop();
      onDeadline();
    };
    this.#timers.push(clock.after(Math.max(0, leftMs), over));
  }

  /** Brings the daemon to what the gates and the holds say, in order. */
  #apply(): Promise<NgFault | undefined> {
    this.#order = this.#order.then(async () => {
      for (const side of SIDES) {
        const wanted = this.#gates[side] && !this.#held[side];
        if (wanted === this.#passes[side] || this.#isOver) continue;
        const done = await this.#parts.ask(wanted ? 'unblock media' : 'block media', { 'from-tag': side });
        if (done.result === 'failed') return done;
        this.#passes[side] = wanted;
      }
      return undefined;
    });
    return this.#order;
  }
}
