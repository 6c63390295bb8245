import type { Temporal } from 'temporal-polyfill';
import type { Clock, Timer } from '../clock/clock.js';
import { type Deadline, deadlineAt } from '../clock/deadline.js';
import type { CallId, HandsetId, WingId } from '../policy/ids.js';
import type {
  CallEvent,
  CallRequest,
  CallStore,
  CutoffOrder,
  MediaPlane,
  PlaneName,
  SignallingPlane,
} from './ports.js';
import type { EndCause, MediaStats } from './record.js';

/** Within so long of the order the handset is to call, and so long it hears itself at most, milliseconds. */
export const BEGIN_MS = 60_000;
export const LONGEST_MS = 60_000;
/** How often what was heard is counted while it lasts, milliseconds. */
const LOOK_MS = 500;
/** How long the result stays with the handset, milliseconds. */
const SHOWN_MS = 120_000;

/** Why a test came to nothing. */
export type AudioTestFault =
  | 'nobody-called'
  | 'nothing-heard'
  | 'held'
  | 'no-media'
  | 'no-signalling'
  | 'cut'
  | 'stopped';

/** How a handset's test stands, or what came of it. */
export interface AudioTestReport {
  readonly state: 'waiting' | 'playing' | 'done' | 'failed';
  /** `waiting`: to begin; `playing`: its end at the latest. */
  readonly until: Temporal.Instant;
  /** Of the handset's speech, so far or in all. */
  readonly packets: number;
  readonly lost: number;
  readonly jitterMs: number;
  readonly why?: AudioTestFault;
}

/** What of the media plane a test needs. `echo` settles with the SDP for the 200, or with a code and why not. */
export interface EchoPlane extends Pick<MediaPlane, 'close'> {
  echo(
    call: CallId,
    handset: HandsetId,
    handsetOffer: string,
    forMs: number,
  ): Promise<{ readonly answer: string } | { readonly code: string; readonly why: string }>;
  measure(call: CallId): Promise<MediaStats | undefined>;
}

export interface AudioTestsOptions {
  readonly clock: Clock;
  readonly bootId: string;
  readonly signalling: Pick<SignallingPlane, 'ring' | 'arm' | 'accept' | 'refuse' | 'release'>;
  readonly media: EchoPlane;
  readonly store: Pick<CallStore, 'append'>;
  readonly wingOf: (handset: HandsetId) => WingId | undefined;
  /** Cut or disabled: its calls are refused as always, this one too. */
  readonly isHeld: (handset: HandsetId) => boolean;
  /** A report has changed. */
  readonly changed: () => void;
  readonly onFault: (fault: unknown) => void;
}

interface Running {
  readonly call: CallId;
  readonly handset: HandsetId;
  readonly deadline: Deadline;
  answer: string;
  stats: MediaStats | undefined;
  look: Timer | undefined;
  /** Its end has begun; each plane then says that it has let go. */
  ending: boolean;
  why: AudioTestFault | undefined;
  readonly waitsFor: Set<'signalling' | 'media'>;
}

/**
 * Test calls of handsets, ordered by a technician: the next call of the handset, whatever it dials, is answered by the gateway,
 * and hears itself. Nobody is dialled, and no policy is asked, as there is nobody to be called. Each has a deadline on the
 * engine and on the media plane like any call, ends with a cutoff, and is an event in the audit chain.
 */
export class AudioTests {
  readonly #options: AudioTestsOptions;
  readonly #reports = new Map<HandsetId, AudioTestReport>();
  readonly #timers = new Map<HandsetId, Timer>();
  readonly #running = new Map<CallId, Running>();
  #emptied: (() => void)[] = [];

  constructor(options: AudioTestsOptions) {
    this.#options = options;
  }

  /** How a handset's test stands; undefined without one, and two minutes after it. */
  report(handset: HandsetId): AudioTestReport | undefined {
    return this.#reports.get(handset);
  }

  /** Has the next call of a handset within a minute be its test; `busy` while one goes on, `held` when it may not call. */
  order(handset: HandsetId): AudioTestReport | 'busy' | 'held' {
    const { clock, isHeld } = this.#options;
    if (this.#reports.get(handset)?.state === 'playing') return 'busy';
    if (isHeld(handset)) return 'held';
    const report = this.#say(handset, { state: 'waiting', until: clock.wall().add({ milliseconds: BEGIN_MS }) });
    this.#after(handset, BEGIN_MS, () => this.#ended(handset, undefined, 'nobody-called'));
    return report;
  }

  /** Whether a request is the test that was ordered; it is then nobody else's. */
  takes({ call, handset, offer, keyed }: CallRequest): boolean {
    if (this.#reports.get(handset)?.state !== 'waiting' || keyed === true) return false;
    const { clock, bootId, isHeld } = this.#options;
    if (isHeld(handset)) {
      this.#ended(handset, undefined, 'held');
      return false;
    }
    const until = clock.wall().add({ milliseconds: LONGEST_MS });
    const deadline = deadlineAt(clock, until, bootId);
    const parts = { answer: '', stats: undefined, look: undefined, ending: false, why: undefined };
    const test: Running = { ...parts, call, handset, deadline, waitsFor: new Set(['signalling', 'media']) };
    this.#running.set(call, test);
    this.#timers.get(handset)?.cancel();
    this.#say(handset, { state: 'playing', until });
    void this.#begin(test, offer);
    return true;
  }

  /** Whether a plane's word was of a test. */
  event(call: CallId, event: CallEvent): boolean {
    const test = this.#running.get(call);
    if (test === undefined) return false;
    switch (event.type) {
      case 'armed':
        if (!test.ending) this.#options.signalling.accept(call, test.answer);
        break;
      case 'accepted':
        this.#look(test);
        break;
      case 'arm-failed':
        this.#end(test, 'fault.signalling', 'no-signalling');
        break;
      case 'media-failed':
        this.#end(test, 'fault.media', 'no-media');
        break;
      case 'deadline-passed':
        this.#end(test, 'deadline');
        break;
      case 'handset-cancelled':
      case 'handset-hung-up':
        this.#end(test, event.type);
        break;
      case 'handset-failed':
        this.#end(test, 'fault.signalling', 'no-signalling');
        break;
      case 'released':
        if (event.plane === 'media' && event.stats !== undefined) test.stats = event.stats;
        if (event.plane !== 'line') this.#released(test, event.plane);
        break;
      case 'release-timeout':
        if (event.plane !== 'line') this.#released(test, event.plane);
        break;
      default:
        break;
    }
    return true;
  }

  /** A plane is gone, and what it held with it. */
  planeLost(plane: PlaneName): void {
    if (plane === 'line') return;
    for (const test of [...this.#running.values()]) {
      if (plane === 'media') this.#end(test, 'fault.media', 'no-media');
      else this.#end(test, 'fault.signalling', 'no-signalling');
      this.#released(test, plane);
    }
  }

  /** Ends the tests of a target at once, with those that wait. */
  cut(target: CutoffOrder['target']): void {
    for (const test of [...this.#running.values()]) {
      if (this.#isOf(test.handset, target)) this.#end(test, 'cutoff', 'cut');
    }
    for (const [handset, { state }] of [...this.#reports]) {
      if (state === 'waiting' && this.#isOf(handset, target)) this.#ended(handset, undefined, 'cut');
    }
  }

  /** Ends all; settles when every plane has let go, or after `boundMs`. */
  async stop(boundMs: number): Promise<void> {
    for (const test of [...this.#running.values()]) this.#end(test, 'gateway-stopped', 'stopped');
    if (this.#running.size > 0) {
      await new Promise<void>((settle) => {
        const bound = this.#options.clock.after(boundMs, settle);
        this.#emptied.push(() => {
          bound.cancel();
          settle();
        });
      });
    }
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  async #begin(test: Running, offer: string): Promise<void> {
    const { signalling, media } = this.#options;
    const { call, handset, deadline } = test;
    // Its To tag must be known before the engine is given a deadline for the dialog.
    signalling.ring(call);
    const told = await media.echo(call, handset, offer, LONGEST_MS);
    if (test.ending) return;
    if ('code' in told) {
      this.#end(test, 'fault.media', 'no-media');
      return;
    }
    test.answer = told.answer;
    signalling.arm(call, deadline);
  }

  #look(test: Running): void {
    const { clock, media } = this.#options;
    test.look = clock.after(LOOK_MS, () => {
      void media.measure(test.call).then((stats) => {
        if (test.ending) return;
        test.stats = stats ?? test.stats;
        this.#say(test.handset, { state: 'playing', until: test.deadline.wall, stats: test.stats });
        this.#look(test);
      });
    });
  }

  /** Silence first, then the leg. */
  #end(test: Running, cause: EndCause, why?: AudioTestFault): void {
    if (test.ending) return;
    test.ending = true;
    test.why = why;
    test.look?.cancel();
    const { media, signalling } = this.#options;
    media.close(test.call);
    signalling.release(test.call, cause);
  }

  #released(test: Running, plane: 'signalling' | 'media'): void {
    // Signalling that lets go by itself has ended the leg.
    if (!test.ending) this.#end(test, 'fault.signalling', 'no-signalling');
    if (!test.waitsFor.delete(plane)) return;
    // What was heard is counted when the sockets close.
    if (plane === 'media') this.#ended(test.handset, test, test.why);
    if (test.waitsFor.size > 0) return;
    this.#running.delete(test.call);
    if (this.#running.size > 0) return;
    for (const settle of this.#emptied.splice(0)) settle();
  }

  /** The result, told and written. */
  #ended(handset: HandsetId, test: Running | undefined, fault: AudioTestFault | undefined): void {
    const { clock, store, onFault } = this.#options;
    const heard = test?.stats?.handsetPackets ?? 0;
    const why = fault ?? (heard > 0 ? undefined : 'nothing-heard');
    const state = why === undefined ? 'done' : 'failed';
    const report = this.#say(handset, { state, until: clock.wall(), stats: test?.stats, ...(why && { why }) });
    this.#after(handset, SHOWN_MS, () => {
      this.#reports.delete(handset);
      this.#options.changed();
    });
    const { packets, lost, jitterMs } = report;
    const data = {
      ...{ handset, outcome: why ?? 'heard', packets, lost, jitterMs },
      ...(test === undefined ? {} : { call: test.call }),
    };
    try {
      store.append([{ kind: 'event', type: 'balise.handset.audio-tested', data }]);
    } catch (error) {
      onFault(error);
    }
  }

  #say(
    handset: HandsetId,
    { stats, ...said }: Pick<AudioTestReport, 'state' | 'until' | 'why'> & { readonly stats?: MediaStats | undefined },
  ): AudioTestReport {
    const { handset: stream } = stats ?? {};
    const heard = { packets: stats?.handsetPackets ?? 0, lost: stream?.lost ?? 0, jitterMs: stream?.jitterMs ?? 0 };
    const report = { ...said, ...heard };
    this.#reports.set(handset, report);
    this.#options.changed();
    return report;
  }

  #after(handset: HandsetId, ms: number, then: () => void): void {
    this.#timers.get(handset)?.cancel();
    this.#timers.set(handset, this.#options.clock.after(ms, then));
  }

  #isOf(handset: HandsetId, target: CutoffOrder['target']): boolean {
    switch (target.kind) {
      case 'site':
        return true;
      case 'wing':
        return this.#options.wingOf(handset) === target.wing;
      case 'handset':
        return handset === target.handset;
      case 'person':
        return false;
      case 'call':
        return this.#running.get(target.call)?.handset === handset;
    }
  }
}
