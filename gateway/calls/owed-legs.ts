import type { Logger } from 'pino';
import type { CallId } from '../policy/ids.js';
import type { CallEvent, SignallingPlane } from './ports.js';
import type { LegDialog } from './record.js';

export interface OwedLegsOptions {
  readonly signalling: Pick<SignallingPlane, 'endFromJournal'>;
  /** Legs have ended. */
  readonly onEnded: (call: CallId, event: CallEvent) => void;
  readonly log: Pick<Logger, 'error'>;
}

/** Ends legs by what is known of their dialogs alone; while signalling is away they are owed, and paid when it is back. */
export class OwedLegs {
  readonly #owed = new Map<CallId, readonly LegDialog[]>();
  #isSignallingUp = true;

  constructor(private readonly options: OwedLegsOptions) {}

  signallingLost(): void {
    this.#isSignallingUp = false;
  }

  signallingBack(): void {
    this.#isSignallingUp = true;
    const owed = [...this.#owed];
    this.#owed.clear();
    for (const [call, dialogs] of owed) this.end(call, dialogs);
  }

  end(call: CallId, dialogs: readonly LegDialog[]): void {
    if (!this.#isSignallingUp) {
      this.#owed.set(call, [...(this.#owed.get(call) ?? []), ...dialogs]);
      return;
    }
    const { signalling, onEnded, log } = this.options;
    const told: CallEvent = { type: 'released', plane: 'signalling', legs: dialogs.map(({ leg }) => leg) };
    const settled = dialogs.length === 0 ? Promise.resolve() : signalling.endFromJournal(dialogs);
    settled.then(
      () => onEnded(call, told),
      (fault) => log.error({ event: 'call.legs-not-ended', call, err: fault }),
    );
  }
}
