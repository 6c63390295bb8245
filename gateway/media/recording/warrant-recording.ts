import type { Clock } from '../../clock/clock.js';
import type { CallId } from '../../policy/ids.js';
import type { Recorder, TapPorts } from './recorder.js';
import { type RecordableCall, type Warrant, warrantFor } from './warrant.js';

export interface WarrantRecordingOptions {
  readonly clock: Clock;
  readonly recorder: Recorder;
  /** Headquarters' warrants, as they stand now. */
  readonly warrants: () => readonly Warrant[];
  readonly tap: (call: CallId, tap: string, to?: TapPorts) => Promise<boolean>;
  /** Writes to the audit chain. Throws when the disk does not take it: then nothing is recorded. */
  readonly audit: (what: 'begun' | 'ended', call: CallId, warrant: string) => void;
  readonly onAlarm: (code: string, detail: string) => void;
}

const TAP = 'recorder';

/** Records each call that a warrant reaches, from its answer to its end, and no other. */
export class WarrantRecording {
  readonly #options: WarrantRecordingOptions;
  readonly #under = new Map<CallId, { readonly warrant: string; readonly begun: Promise<boolean> }>();

  constructor(options: WarrantRecordingOptions) {
    this.#options = options;
  }

  /** A call is about to talk. It does not wait for this. */
  async armed(call: CallId, facts: RecordableCall): Promise<void> {
    const { clock, warrants, audit, onAlarm } = this.#options;
    const warrant = warrantFor(warrants(), facts, clock.wall());
    if (warrant === undefined || this.#under.has(call)) return;
    try {
      audit('begun', call, warrant.id);
    } catch (error) {
      onAlarm('recording.not-audited', `a call is not recorded: ${String(error)}`);
      return;
    }
    const begun = this.#begin(call);
    this.#under.set(call, { warrant: warrant.id, begun });
    if (!(await begun)) await this.closed(call);
  }

  async #begin(call: CallId): Promise<boolean> {
    const { recorder, tap } = this.#options;
    const to = await recorder.begin(call);
    return to !== undefined && (await tap(call, TAP, to));
  }

  /** The call is over. Settles when its recording is sealed. */
  async closed(call: CallId): Promise<void> {
    const under = this.#under.get(call);
    if (under === undefined) return;
    this.#under.delete(call);
    // A call may be over before its recording has quite begun.
    await under.begun;
    await this.#options.recorder.end(call);
    this.#options.audit('ended', call, under.warrant);
  }
}
