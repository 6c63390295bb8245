import type { Clock, Timer } from '../../clock/clock.js';
import type { CallId } from '../../policy/ids.js';
import type { Tap } from '../copies/call-ears.js';
import type { Recorder } from './recorder.js';
import { type RecordableCall, stands, type Warrant, warrantFor } from './warrant.js';

export interface WarrantRecordingOptions {
  readonly clock: Clock;
  readonly recorder: Recorder;
  /** Headquarters' warrants, as they stand now. */
  readonly warrants: () => readonly Warrant[];
  readonly tap: Tap;
  /** Writes to the audit chain. Throws when the disk does not take it: then nothing is recorded. */
  readonly audit: (what: 'begun' | 'ended', call: CallId, warrant: string) => void;
  readonly onAlarm: (code: string, detail: string) => void;
}

interface Under {
  readonly warrant: Warrant;
  /** Whether the recording could begin. */
  readonly begun: Promise<boolean>;
  /** The warrant's own end. */
  readonly lapse: Timer;
}

const TAP = 'recorder';
/** No call lasts longer than a day, and no timer waits longer than that. */
const DAY_MS = 86_400_000;

/** Records each call that a warrant reaches, from its answer to its end or the warrant's, and no other. */
export class WarrantRecording {
  readonly #options: WarrantRecordingOptions;
  readonly #under = new Map<CallId, Under>();

  constructor(options: WarrantRecordingOptions) {
    this.#options = options;
  }

  /** A call is about to talk. It does not wait for this, which never rejects. */
  async armed(call: CallId, facts: RecordableCall): Promise<void> {
    const { clock, warrants, audit, onAlarm } = this.#options;
    const now = clock.wall();
    const warrant = warrantFor(warrants(), facts, now);
    if (warrant === undefined || this.#under.has(call)) return;
    try {
      audit('begun', call, warrant.id);
    } catch (error) {
      onAlarm('recording.not-audited', `a call is not recorded: ${String(error)}`);
      return;
    }
    const begun = this.#begin(call);
    const leftMs = Math.min(DAY_MS, warrant.until.epochMilliseconds - now.epochMilliseconds);
    this.#under.set(call, { warrant, begun, lapse: clock.after(leftMs, () => void this.closed(call)) });
    if (!(await begun)) await this.closed(call);
  }

  async #begin(call: CallId): Promise<boolean> {
    const { recorder, tap } = this.#options;
    const to = await recorder.begin(call, () => void this.closed(call));
    return to !== undefined && (await tap(call, TAP, to));
  }

  /** Ends the recording of a call. Settles when it is sealed; it never rejects. */
  async closed(call: CallId): Promise<void> {
    const under = this.#under.get(call);
    if (under === undefined) return;
    const { tap, recorder, audit, onAlarm } = this.#options;
    this.#under.delete(call);
    under.lapse.cancel();
    // A call may be over before its recording has quite begun.
    await under.begun;
    // First the copies: the ports that they go to are nobody's from then on.
    await tap(call, TAP);
    await recorder.end(call);
    try {
      audit('ended', call, under.warrant.id);
    } catch (error) {
      onAlarm('recording.not-audited', `the end of a recording is not on record: ${String(error)}`);
    }
  }

  /** Ends what no warrant covers any more: it was taken away or replaced, or a clock that was set has made it older than its timer knows. */
  async recheck(): Promise<void> {
    const { warrants, clock } = this.#options;
    const now = clock.wall();
    const held = warrants().filter((warrant) => stands(warrant, now));
    await Promise.all(
      [...this.#under]
        .filter(([, { warrant }]) => !held.some(({ id }) => id === warrant.id))
        .map(([call]) => this.closed(call)),
    );
  }

  /** Ends all. */
  async endAll(): Promise<void> {
    await Promise.all([...this.#under.keys()].map((call) => this.closed(call)));
  }
}
