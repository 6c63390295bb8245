import type { SideQuality } from '../control-protocol.js';
import { Jitter } from './jitter.js';
import { SequenceWindow } from './sequence-window.js';

/** What is measured of the stream that one side sends, from the answer on. */
export class StreamQuality {
  readonly window = new SequenceWindow();
  readonly jitter = new Jitter();
  packets = 0;
  #lastMs = Number.NaN;
  #longestSilenceMs = 0;

  /** From here on it counts: the far end answered. */
  begin(nowMs: number): void {
    this.window.reset();
    this.jitter.restart();
    this.packets = 0;
    this.#lastMs = nowMs;
  }

  /** A packet of the stream came, at `nowMs`. */
  heard(nowMs: number): void {
    this.packets++;
    const silenceMs = nowMs - this.#lastMs;
    // Not a number before the answer, and then no silence.
    if (silenceMs > this.#longestSilenceMs) this.#longestSilenceMs = silenceMs;
    this.#lastMs = nowMs;
  }

  /** A hold begins or ends: its silence is meant, and that before it is not. */
  paused(begins: boolean, nowMs: number): void {
    if (Number.isNaN(this.#lastMs)) return;
    if (begins) this.#longestSilenceMs = Math.max(this.#longestSilenceMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }

  read(nowMs: number, isHeld: boolean, roundTripMs: number | undefined): SideQuality {
    const silenceMs = isHeld || Number.isNaN(this.#lastMs) ? 0 : nowMs - this.#lastMs;
    return {
      packets: this.packets,
      lost: this.window.lost,
      jitterMs: this.jitter.ms,
      silentMs: Math.max(0, silenceMs),
      longestSilenceMs: Math.max(this.#longestSilenceMs, silenceMs),
      ...(roundTripMs === undefined ? {} : { roundTripMs }),
    };
  }
}
