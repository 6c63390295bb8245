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
    for (const [call, dialogs] of owed) void this.end(call, dialogs);
  }

  /** Never rejects: true when each leg answered or was declared dead, false when it was not, or is owed. */
  async end(call: CallId, dialogs: readonly LegDialog[]): Promise<boolean> {
    if (!this.#isSignallingUp) {
      this.#owe(call, dialogs);
      return false;
    }
    const { signalling, onEnded, log } = this.options;
    const told: CallEvent = { type: 'released', plane: 'signalling', legs: dialogs.map(({ leg }) => leg) };
    try {
      if (dialogs.length > 0) await signalling.endFromJournal(dialogs);
    } catch (fault) {
      log.error({ event: 'call.legs-not-ended', call, err: fault });
      // Lost on the way: which of them were ended, nobody knows, and a BYE too many does no harm.
      if (!this.#isUp()) this.#owe(call, dialogs);
      return false;
    }
    onEnded(call, told);
    return true;
  }

  #isUp(): boolean {
    return this.#isSignallingUp;
  }

  #owe(call: CallId, dialogs: readonly LegDialog[]): void {
    const known = (this.#owed.get(call) ?? []).filter(
      (one) => !dialogs.some(({ dialogId }) => dialogId === one.dialogId),
    );
    this.#owed.set(call, [...known, ...dialogs]);
  }
}
