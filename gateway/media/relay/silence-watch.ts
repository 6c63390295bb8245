import type { RelayClock, RelayTimer } from './clock.js';

export interface SilenceWatchParts {
  readonly clock: RelayClock;
  readonly forMs: number;
  /** For how long each side has sent nothing, milliseconds; 0 for one that is on hold. */
  readonly silences: () => { readonly handset: number; readonly trunk: number };
  readonly tell: (side: 'handset' | 'trunk', silentMs: number) => void;
}

/** Waits for a side of a call to be silent for too long, and tells once. It looks no sooner than the silence of now can be long enough. */
export class SilenceWatch {
  readonly #parts: SilenceWatchParts;
  #timer: RelayTimer;

  constructor(parts: SilenceWatchParts) {
    this.#parts = parts;
    this.#timer = this.#after(parts.forMs);
  }

  stop(): void {
    this.#timer.cancel();
  }

  #after(ms: number): RelayTimer {
    return this.#parts.clock.after(ms, () => this.#look());
  }

  #look(): void {
    const { forMs, silences, tell } = this.#parts;
    const { handset, trunk } = silences();
    const silentMs = Math.max(handset, trunk);
    if (silentMs < forMs) this.#timer = this.#after(forMs - silentMs);
    else tell(handset >= trunk ? 'handset' : 'trunk', silentMs);
  }
}
