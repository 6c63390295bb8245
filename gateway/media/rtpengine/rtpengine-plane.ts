import type { Logger } from 'pino';
import type { CallEvent, CallSink, MediaOrder } from '../../calls/ports.js';
import type { MediaStats } from '../../calls/record.js';
import type { Clock, Timer } from '../../clock/clock.js';
import { type Deadline, msLeft } from '../../clock/deadline.js';
import type { CallId, HandsetId } from '../../policy/ids.js';
import type { MediaDriver } from '../media-driver.js';
import { type MediaRules, PLAIN_RULES } from '../media-rules.js';
import { MediaSession } from '../media-session.js';
import { readEnd, readOffer, readTrunkAnswer, writePlain } from '../sdp.js';
import { NgClient, type NgFields } from './ng-client.js';
import { statsOf } from './ng-stats.js';
import { warningWave } from './warning-wave.js';

/** Contact is tried this often, milliseconds; an order that nobody answers for 2 s has lost it. */
const PING_MS = 500;
/** The daemon counts whole seconds, and may begin in the middle of one: two more are past the deadline, and never before it. */
const BEHIND_S = 2;
const ALL_DIGITS = '0123456789*#';
const MOST_LISTED = 10_000;

export interface RtpengineOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly sink?: CallSink;
  /** Begins the id of every session of this gateway, so that those of a life before can be found. */
  readonly owner: string;
  readonly rulesOf?: (handset: HandsetId) => MediaRules;
  /** Names of the daemon's interfaces, when it has two. */
  readonly interfaces?: { readonly cell: string; readonly carrier: string };
}

interface Held {
  readonly rules: MediaRules;
  readonly session: MediaSession;
  deadlineNs?: bigint;
  timers: Timer[];
}

/**
 * The media plane on an rtpengine daemon (ng protocol). The daemon outlives us: every session bears our name and is deleted at
 * the start before the first call, and each armed call is left with a deletion of the daemon's own, just past the deadline.
 */
export class RtpenginePlane implements MediaDriver {
  readonly #options: RtpengineOptions;
  readonly #held = new Map<CallId, Held>();
  #sink: CallSink | undefined;
  #ng: NgClient | undefined;
  #pings: Timer | undefined;
  #onLost: (why: string) => void = () => undefined;

  constructor(options: RtpengineOptions) {
    this.#options = options;
    this.#sink = options.sink;
  }

  setSink(sink: CallSink): void {
    this.#sink = sink;
  }

  onLost(lost: (why: string) => void): void {
    this.#onLost = lost;
  }

  get attached(): boolean {
    return this.#ng !== undefined;
  }

  /** Reaches the daemon and deletes what a life before left there. Rejects when nobody answers. */
  async attach(address: string, port: number): Promise<void> {
    this.detach();
    const ng = await NgClient.open(this.#options.clock, address, port);
    try {
      await this.#purge(ng);
    } catch (error) {
      ng.close();
      throw error;
    }
    this.#ng = ng;
    this.#ping(ng);
  }

  detach(): void {
    const ng = this.#ng;
    this.#ng = undefined;
    this.#pings?.cancel();
    for (const held of this.#held.values()) this.#letGo(held);
    // What is still held is deleted by the daemon's own clock, and at the next start.
    for (const call of this.#held.keys()) void ng?.ask('delete', { ...this.#named(call), 'delete delay': 0 });
    this.#held.clear();
    ng?.close();
  }

  open(call: CallId, order: MediaOrder): void {
    const rules = (this.#options.rulesOf ?? (() => PLAIN_RULES))(order.handset);
    const offer = readOffer(order.handsetOffer, rules.codecs);
    if ('fault' in offer) {
      this.#fail(call, offer.fault, offer.why);
      return;
    }
    const session = new MediaSession(offer);
    this.#held.set(call, { rules, session, timers: [] });
    void this.#open(call, session, rules, order.digitsAllowed);
  }

  async #open(call: CallId, session: MediaSession, rules: MediaRules, digitsAllowed: string): Promise<void> {
    const { interfaces } = this.#options;
    const direction: NgFields = interfaces === undefined ? {} : { direction: [interfaces.cell, interfaces.carrier] };
    const offered = await this.#ask('offer', call, {
      'from-tag': 'handset',
      sdp: writePlain(session.offer),
      ICE: 'remove',
      'rtcp-mux': ['offer', 'accept'],
      replace: ['origin', 'session-connection'],
      ...direction,
    });
    // Before anybody can send: both gates closed. Single digits it cannot choose; unless all may pass, none does.
    const passesDigits = [...ALL_DIGITS].every((digit) => digitsAllowed.includes(digit));
    const gates = [this.#ask('block media', call, { flags: ['all'] })];
    if (!passesDigits) gates.push(this.#ask('block DTMF', call, { flags: ['all'] }));
    const failed = [offered, ...(await Promise.all(gates))].find(({ result }) => result === 'failed');
    if (session.closed) return;
    const end = offered.result === 'ok' ? readEnd(String(offered.fields.sdp), rules.codecs) : undefined;
    if (failed?.result === 'failed') this.#fail(call, failed.code, failed.why);
    else if (end === undefined || 'fault' in end) this.#fail(call, 'media.rtpengine', 'an offer without an address');
    else this.#tell(call, { type: 'media-opened', trunkOffer: session.offerAt(end) });
  }

  /** The daemon plays what has a trunk; a refusal has none, and is given without words. */
  announce(call: CallId): void {
    this.#fail(call, 'media.no-prompt', 'rtpengine speaks in no call without a trunk');
  }

  connect(call: CallId, trunkSdp: string, final: boolean): void {
    const held = this.#held.get(call);
    // Early media is for our own relay: here both gates stay closed until the answer.
    if (held === undefined) {
      if (final) this.#fail(call, 'media.lost', 'no session of rtpengine holds this call');
      return;
    }
    const { session } = held;
    const answer = trunkSdp === '' && session.answer ? session.answer : readTrunkAnswer(trunkSdp, session.offer);
    if ('fault' in answer) {
      if (final) this.#fail(call, answer.fault, answer.why);
      return;
    }
    if (final) void this.#connect(call, held, answer);
    else session.connected(answer);
  }

  async #connect(
    call: CallId,
    { session, rules }: Held,
    answer: Parameters<MediaSession['connected']>[0],
  ): Promise<void> {
    const tags = { 'from-tag': 'handset', 'to-tag': 'trunk' };
    const answered = await this.#ask('answer', call, {
      ...tags,
      sdp: writePlain(answer),
      ICE: 'remove',
      replace: ['origin', 'session-connection'],
    });
    if (session.closed) return;
    if (answered.result === 'failed') {
      this.#fail(call, answered.code, answered.why);
      return;
    }
    const end = readEnd(String(answered.fields.sdp), rules.codecs);
    if ('fault' in end) {
      this.#fail(call, 'media.rtpengine', 'an answer without an address');
      return;
    }
    session.handsetAt(end);
    const handsetAnswer = session.connected(answer);
    if (handsetAnswer !== undefined) this.#tell(call, { type: 'media-connected', handsetAnswer });
  }

  arm(call: CallId, deadline: Deadline, warningsS: readonly number[]): void {
    void this.#arm(call, deadline, warningsS).then((fault) => {
      if (fault === undefined) this.#tell(call, { type: 'armed', plane: 'media' });
      else this.#tell(call, { type: 'arm-failed', plane: 'media', why: fault });
    });
  }

  /** What went wrong, or undefined. */
  async #arm(call: CallId, deadline: Deadline, warningsS: readonly number[]): Promise<string | undefined> {
    const held = this.#held.get(call);
    if (held === undefined) return 'media.lost: no session of rtpengine holds this call';
    if (held.rules.announcement) return 'media.no-prompt: rtpengine makes no announcement';
    const first = held.deadlineNs === undefined;
    // A second arming can only bring it closer.
    if (held.deadlineNs !== undefined && deadline.monotonicNs >= held.deadlineNs) return undefined;
    held.deadlineNs = deadline.monotonicNs;
    // The daemon's own deletion first: a call that only we could end must never talk.
    const leftS = Math.max(0, Math.ceil(msLeft(this.#options.clock, deadline) / 1_000));
    const bounded = await this.#ask('delete', call, { 'delete delay': leftS + BEHIND_S });
    if (bounded.result === 'failed') return `${bounded.code}: ${bounded.why}`;
    if (held.session.closed) return 'media.lost: closed in the meantime';
    this.#letGo(held);
    this.#plan(call, held, deadline, warningsS);
    if (!first) return undefined;
    const opened = await this.#ask('unblock media', call, { flags: ['all'] });
    return opened.result === 'failed' ? `${opened.code}: ${opened.why}` : undefined;
  }

  #plan(call: CallId, held: Held, deadline: Deadline, warningsS: readonly number[]): void {
    const { clock } = this.#options;
    const leftMs = msLeft(clock, deadline);
    const sides = held.rules.warnCallee ? ['handset', 'trunk'] : ['handset'];
    for (const seconds of new Set(warningsS)) {
      const waitMs = leftMs - seconds * 1_000;
      if (waitMs <= 0) continue;
      const warn = (): void => {
        for (const side of sides) void this.#ask('play media', call, { 'from-tag': side, blob: warningWave() });
      };
      held.timers.push(clock.after(waitMs, warn));
    }
    const end = (): void => {
      void this.#ask('delete', call, { 'delete delay': 0 });
      this.#tell(call, { type: 'deadline-passed', by: 'media' });
    };
    held.timers.push(clock.after(Math.max(0, leftMs), end));
  }

  /** The daemon follows no hold of ours: what a leg does not want to hear, its own telephone does not play. */
  hold(): void {
    // Nothing to be ordered.
  }

  async measure(call: CallId): Promise<MediaStats | undefined> {
    const asked = await this.#ask('query', call);
    return asked.result === 'ok' ? statsOf(asked.fields) : undefined;
  }

  close(call: CallId): void {
    const held = this.#held.get(call);
    if (held !== undefined) {
      held.session.closed = true;
      this.#letGo(held);
    }
    this.#held.delete(call);
    void this.#close(call);
  }

  async #close(call: CallId): Promise<void> {
    // The counts first: after a delayed deletion was ordered, the last delete tells of none.
    const counted = await this.#ask('query', call);
    const deleted = await this.#ask('delete', call, { 'delete delay': 0 });
    const stats = counted.result === 'ok' ? statsOf(counted.fields) : undefined;
    if (deleted.result === 'failed' && deleted.code === 'media.timeout')
      this.#tell(call, { type: 'release-timeout', plane: 'media' });
    else this.#tell(call, { type: 'released', plane: 'media', ...(stats === undefined ? {} : { stats }) });
  }

  #letGo(held: Held): void {
    for (const timer of held.timers) timer.cancel();
    held.timers = [];
  }

  #named = (call: CallId): NgFields => ({ 'call-id': `${this.#options.owner}/${call}` });

  #ask(command: string, call: CallId, fields: NgFields = {}) {
    const ng = this.#ng;
    if (ng === undefined)
      return Promise.resolve({ result: 'failed', code: 'media.lost', why: 'there is no rtpengine' } as const);
    return ng.ask(command, { ...fields, ...this.#named(call) });
  }

  /** Deletes every session that bears our name. */
  async #purge(ng: NgClient): Promise<void> {
    const listed = await ng.ask('list', { limit: MOST_LISTED });
    if (listed.result === 'failed') throw new Error(`rtpengine does not answer: ${listed.why}`);
    const calls = Array.isArray(listed.fields.calls) ? listed.fields.calls.map(String) : [];
    const ours = calls.filter((id) => id.startsWith(`${this.#options.owner}/`));
    for (const id of ours) {
      const deleted = await ng.ask('delete', { 'call-id': id, 'delete delay': 0 });
      if (deleted.result === 'failed') throw new Error(`a session of before cannot be deleted: ${deleted.why}`);
    }
    this.#options.log.info({ event: 'media.purged', sessions: ours.length });
  }

  #ping(ng: NgClient): void {
    void ng.ask('ping').then((answer) => {
      if (this.#ng !== ng) return;
      if (answer.result === 'failed') this.#lost(answer.why);
      else this.#pings = this.#options.clock.after(PING_MS, () => this.#ping(ng));
    });
  }

  #lost(why: string): void {
    this.detach();
    this.#options.log.error({ event: 'media.rtpengine-lost', why }, 'contact with rtpengine lost');
    this.#sink?.planeLost('media', why);
    this.#onLost(why);
  }

  #fail(call: CallId, code: string, why: string): void {
    this.#options.log.warn({ event: 'media.failed', call, code, why });
    this.#tell(call, { type: 'media-failed', code });
  }

  /** Never from inside the order itself: what gave it has not finished its own step yet. */
  #tell(call: CallId, event: CallEvent): void {
    queueMicrotask(() => this.#sink?.event(call, event));
  }
}
