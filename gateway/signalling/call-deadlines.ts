import type { CallSink } from '../calls/ports.js';
import type { Clock, Timer } from '../clock/clock.js';
import { type Deadline, msLeft } from '../clock/deadline.js';
import type { CallId } from '../policy/ids.js';
import type { EngineConnection } from './engine-connection.js';

/** The deadline of each call: kept by the engine itself, or by a timer of ours where the engine has no control socket. */
export class CallDeadlines {
  readonly #byDialog = new Map<string, CallId>();
  readonly #timers = new Map<CallId, Timer>();

  constructor(
    private readonly clock: Clock,
    private readonly engine: EngineConnection,
    private readonly tell: CallSink['event'],
  ) {}

  /** Gives both dialogs of a call their deadline. Tells `armed` or `arm-failed`. */
  arm(call: CallId, dialogIds: readonly string[], deadline: Deadline): void {
    const { control } = this.engine;
    if (control === undefined) {
      this.#timers.get(call)?.cancel();
      this.#timers.set(
        call,
        this.clock.after(msLeft(this.clock, deadline), () => this.#passed(call)),
      );
      this.tell(call, { type: 'armed', plane: 'signalling' });
      return;
    }
    for (const id of dialogIds) this.#byDialog.set(id, call);
    void Promise.all(dialogIds.map((id) => control.deadline(id, deadline.monotonicNs))).then((outcomes) => {
      const fault = outcomes.find((outcome) => !outcome.ok);
      if (fault === undefined || fault.ok) this.tell(call, { type: 'armed', plane: 'signalling' });
      else this.tell(call, { type: 'arm-failed', plane: 'signalling', why: fault.why });
    });
  }

  /** The engine has ended this dialog at its deadline. */
  fired(dialogId: string): void {
    const call = this.#byDialog.get(dialogId);
    if (call !== undefined) this.#passed(call);
  }

  forget(call: CallId, dialogIds: readonly string[]): void {
    this.#timers.get(call)?.cancel();
    this.#timers.delete(call);
    for (const id of dialogIds) this.#byDialog.delete(id);
  }

  forgetAll(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#byDialog.clear();
  }

  #passed(call: CallId): void {
    this.tell(call, { type: 'deadline-passed', by: 'signalling' });
  }
}
