import type { Logger } from 'pino';
import type { Announcement, CallSink, MediaOrder } from '../../calls/ports.js';
import type { MediaStats } from '../../calls/record.js';
import type { Clock, Timer } from '../../clock/clock.js';
import type { Deadline } from '../../clock/deadline.js';
import type { CallId, HandsetId, PersonId } from '../../policy/ids.js';
import { type MediaDriver, measuredOf } from '../media-driver.js';
import { PLAIN_RULES, type RulesOf } from '../media-rules.js';
import { type Leg, MediaSession } from '../media-session.js';
import { OfferDesk } from '../offer-desk.js';
import { connectedBy, PlaneReports } from '../plane-reports.js';
import { SoundLibrary } from '../relay/sound-library.js';
import { type AudioDescription, type Direction, promptFormats, readTrunkAnswer, writePromptAnswer } from '../sdp.js';
import { NgCall } from './ng-call.js';
import { type NgAnswer, NgClient, type NgFields } from './ng-client.js';
import { statsOf } from './ng-stats.js';

/** Contact is tried this often, milliseconds; an order that nobody answers for 2 s has lost it. */
const PING_MS = 500;
/** Each session's lease is renewed this often, milliseconds. */
const RENEW_MS = 1_000;
const MOST_LISTED = 10_000;
/** Where nobody is (RFC 863): the other end of a session that only speaks to its handset. */
const NOBODY: Pick<AudioDescription, 'port' | 'rtcpPort'> = { port: 9, rtcpPort: 10 };

export interface RtpengineOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly sink?: CallSink;
  /** Begins the id of every session of this gateway, so that those of a life before can be found. */
  readonly owner: string;
  /** What a handset's calls may carry, asked once a call. Default: G.711, no words. */
  readonly rulesOf?: RulesOf;
  /** What is said in words. Default: nothing can be. */
  readonly sounds?: SoundLibrary;
  /** The wings' networks, in CIDR notation. When any is given, a handset's media address outside them is refused. */
  readonly cell?: readonly string[];
  /** Names of the daemon's interfaces, when it has two. */
  readonly interfaces?: { readonly cell: string; readonly carrier: string };
}

/**
 * The media plane on an rtpengine daemon (ng protocol). The daemon outlives us: every session bears our name and is deleted at
 * the start before the first call, and each is a lease that the daemon itself ends, unless we renew it every second.
 */
export class RtpenginePlane implements MediaDriver {
  readonly #options: RtpengineOptions;
  readonly #reports: PlaneReports;
  readonly #offers: OfferDesk;
  readonly #held = new Map<CallId, NgCall>();
  #ng: NgClient | undefined;
  #pings: Timer | undefined;
  #renewals: Timer | undefined;

  constructor(options: RtpengineOptions) {
    this.#options = options;
    this.#reports = new PlaneReports(options.log, options.sink);
    this.#offers = new OfferDesk(options.cell ?? []);
  }

  setSink(sink: CallSink): void {
    this.#reports.setSink(sink);
  }

  onLost(lost: (why: string) => void): void {
    this.#reports.onLost(lost);
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
    this.#renew();
  }

  detach(): void {
    const ng = this.#ng;
    this.#ng = undefined;
    this.#pings?.cancel();
    this.#renewals?.cancel();
    for (const [call, held] of this.#held) {
      held.end();
      // If it does not come, the daemon's own clock ends the session.
      void ng?.ask('delete', { ...this.#named(call), 'delete delay': 0 });
    }
    this.#held.clear();
    ng?.close();
  }

  open(call: CallId, order: MediaOrder): void {
    if (order.keys === true) {
      this.#reports.fail(call, 'media.no-desk', 'work needs the relay: rtpengine does not tell us the keys');
      return;
    }
    const held = this.#hold(call, order.handset, order.handsetOffer, order.person, order.digitsAllowed !== '');
    if (held === undefined) return;
    const { interfaces } = this.#options;
    const direction: NgFields = interfaces === undefined ? {} : { direction: [interfaces.cell, interfaces.carrier] };
    void held.offer(direction, order.digitsAllowed).then((end) => {
      if (held.session.closed) return;
      if ('code' in end) this.#reports.fail(call, end.code, end.why);
      else {
        this.#reports.tell(call, { type: 'media-opened', trunkOffer: held.session.offerAt(end) });
        if (order.ringsBack === true) void this.#ringBack(call, held, end.address);
      }
    });
  }

  /** A handset that cannot be rung back to hears nothing until the answer: no fault of its call. */
  async #ringBack(call: CallId, held: NgCall, trunkSide: string): Promise<void> {
    const { session } = held;
    if (promptFormats(session.offer).voice.length === 0) return;
    const end = await held.answer({ ...session.offer, address: trunkSide, ...NOBODY });
    if ('code' in end || session.closed || !held.ring()) return;
    this.#reports.tell(call, { type: 'announcing', answer: writePromptAnswer(session.offer, session.handsetAt(end)) });
  }

  announce(call: CallId, handset: HandsetId, handsetOffer: string, { language, pieces }: Announcement): void {
    const held = this.#hold(call, handset, handsetOffer, undefined, false);
    if (held !== undefined)
      void this.#announce(call, held, language, pieces).then((fault) => {
        if (fault !== undefined && !held.session.closed) this.#reports.fail(call, fault.code, fault.why);
      });
  }

  /** A session whose other end is nobody, with both gates closed: the daemon alone speaks in it. */
  async #announce(call: CallId, held: NgCall, language: string, pieces: readonly string[]) {
    const { session } = held;
    if (promptFormats(session.offer).voice.length === 0)
      return { code: 'media.no-prompt', why: 'no codec in which the handset could hear it' };
    const offered = await held.offer({}, '');
    if ('code' in offered) return offered;
    const end = await held.answer({ ...session.offer, address: offered.address, ...NOBODY });
    if ('code' in end) return end;
    if (session.closed) return undefined;
    const handsetEnd = session.handsetAt(end);
    const fault = held.announce(language, pieces, () => this.#reports.tell(call, { type: 'announced' }));
    if (fault === undefined)
      this.#reports.tell(call, { type: 'announcing', answer: writePromptAnswer(session.offer, handsetEnd) });
    return fault;
  }

  #hold(
    call: CallId,
    handset: HandsetId,
    sdp: string,
    person: PersonId | undefined,
    digitsPass: boolean,
  ): NgCall | undefined {
    const { clock, sounds, rulesOf } = this.#options;
    const rules = (rulesOf ?? (() => PLAIN_RULES))(handset, person);
    const offer = this.#offers.read(sdp, rules.codecs);
    if ('fault' in offer) {
      this.#reports.fail(call, offer.fault, offer.why);
      return undefined;
    }
    const held = new NgCall({
      ask: (command, fields) => this.#ask(command, call, fields),
      clock,
      rules,
      session: new MediaSession(offer, digitsPass),
      sounds: sounds ?? new SoundLibrary(),
      onDeadline: () => {
        void this.#ask('delete', call, { 'delete delay': 0 });
        this.#reports.tell(call, { type: 'deadline-passed', by: 'media' });
      },
    });
    this.#held.set(call, held);
    return held;
  }

  connect(call: CallId, trunkSdp: string, final: boolean): void {
    const held = this.#held.get(call);
    if (held === undefined) {
      if (final) this.#reports.fail(call, 'media.lost', 'no session of rtpengine holds this call');
      return;
    }
    const { session } = held;
    const answer = trunkSdp === '' && session.answer ? session.answer : readTrunkAnswer(trunkSdp, session.trunkOffer);
    if ('fault' in answer) {
      if (final) this.#reports.fail(call, answer.fault, answer.why);
      return;
    }
    held.hush();
    void held.answer(answer).then((end) => {
      if (session.closed) return;
      if ('code' in end) {
        if (final) this.#reports.fail(call, end.code, end.why);
        return;
      }
      session.handsetAt(end);
      const handsetAnswer = session.connected(answer);
      if (!final) held.early();
      if (handsetAnswer !== undefined) this.#reports.tell(call, connectedBy(handsetAnswer, final));
    });
  }

  arm(call: CallId, deadline: Deadline, warningsS: readonly number[]): void {
    const armed = this.#held.get(call)?.arm(deadline, warningsS);
    const gone = { code: 'media.lost', why: 'no session of rtpengine holds this call' };
    void (armed ?? Promise.resolve(gone)).then((fault) => {
      if (fault === undefined) this.#reports.tell(call, { type: 'armed', plane: 'media' });
      else this.#reports.tell(call, { type: 'arm-failed', plane: 'media', why: `${fault.code}: ${fault.why}` });
    });
  }

  hold(call: CallId, leg: Leg, direction: Direction): void {
    const held = this.#held.get(call);
    held?.hold(held.session.held(leg, direction));
  }

  async measure(call: CallId): Promise<MediaStats | undefined> {
    const asked = await this.#ask('query', call);
    const stats = asked.result === 'ok' ? statsOf(asked.fields) : undefined;
    return stats && (this.#held.get(call)?.session.counted(stats) ?? stats);
  }

  measureAll(): Promise<ReadonlyMap<CallId, MediaStats>> {
    return measuredOf(this, this.#held.keys());
  }

  keyed(call: CallId, key: string): void {
    const held = this.#held.get(call);
    void held?.press(key).then((passed) => {
      if (!passed) held.session.infoDigits++;
    });
  }

  close(call: CallId): void {
    void this.#close(call);
  }

  async #close(call: CallId): Promise<void> {
    this.#held.get(call)?.end();
    // The counts first: after a delayed deletion was ordered, the last delete tells of none.
    const counting = this.measure(call);
    this.#held.delete(call);
    const stats = await counting;
    const deleted = await this.#ask('delete', call, { 'delete delay': 0 });
    if (deleted.result === 'failed' && deleted.code === 'media.timeout')
      this.#reports.tell(call, { type: 'release-timeout', plane: 'media' });
    else this.#reports.tell(call, { type: 'released', plane: 'media', ...(stats === undefined ? {} : { stats }) });
  }

  #named = (call: CallId): NgFields => ({ 'call-id': `${this.#options.owner}/${call}` });

  #ask(command: string, call: CallId, fields: NgFields = {}): Promise<NgAnswer> {
    if (this.#ng !== undefined) return this.#ng.ask(command, { ...fields, ...this.#named(call) });
    return Promise.resolve({ result: 'failed', code: 'media.lost', why: 'there is no rtpengine' });
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

  #renew(): void {
    this.#renewals = this.#options.clock.after(RENEW_MS, () => {
      this.#renew();
      for (const [call, held] of this.#held)
        void held.renew().then((answer) => {
          // A daemon that knows the call no more has been started anew, or ended it: nobody carries it.
          if (answer?.result !== 'failed' || answer.code !== 'media.rtpengine' || held.session.closed) return;
          this.#reports.tell(call, { type: 'plane-lost', plane: 'media', why: answer.why });
        });
    });
  }

  #lost(why: string): void {
    this.detach();
    this.#reports.lost('media.rtpengine-lost', why);
  }
}
