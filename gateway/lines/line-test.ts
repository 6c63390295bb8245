import type { Clock } from '../clock/clock.js';
import type { HandsetId } from '../policy/ids.js';
import type { LineFacts } from '../policy/request.js';

/** How long the board may take to say that a relay opened, and that it closed again, milliseconds. */
const OPEN_MS = 2_000;
const CLOSE_MS = 3_000;

/** What a technician's test of a line came to. Times are from the order to the board's word, milliseconds. */
export interface LineTest {
  readonly outcome: 'well' | 'not-fitted' | 'in-call' | 'unsupervised' | 'busy' | 'did-not-open' | 'did-not-close';
  readonly hook: LineFacts['hook'];
  readonly openedMs?: number;
  /** Absent where policy lets nobody call on this line now: then it stays open, and that is well. */
  readonly closedMs?: number;
}

/** What the test needs of the line plane. */
export interface TestedLine {
  readonly clock: Clock;
  facts(): LineFacts;
  isInCall(): boolean;
  /** Withholds the lease and orders the relay open; gives whether a state that obeyed it has come. */
  open(): () => boolean;
  /** Ends the withholding; gives whether policy lets the line be leased now. */
  close(): boolean;
  /** Settles with true when `reached` holds after a state of this line, or with false after `ms`. */
  until(reached: () => boolean, ms: number): Promise<boolean>;
}

/** Opens an idle line's relay, sees it open, gives it back, and sees it close, all by what the board reads back. */
export async function testLine(line: TestedLine): Promise<LineTest> {
  const { fitted, supervised, hook } = line.facts();
  if (!fitted) return { outcome: 'not-fitted', hook };
  if (!supervised) return { outcome: 'unsupervised', hook };
  if (line.isInCall()) return { outcome: 'in-call', hook };
  const since = (fromNs: bigint) => Number(line.clock.monotonicNs() - fromNs) / 1e6;
  const openNs = line.clock.monotonicNs();
  const isOpen = line.open();
  const opened = await line.until(isOpen, OPEN_MS);
  const openedMs = since(openNs);
  const closeNs = line.clock.monotonicNs();
  const mayClose = line.close();
  if (!opened) return { outcome: 'did-not-open', hook };
  if (!mayClose) return { outcome: 'well', hook, openedMs };
  const closed = await line.until(() => line.facts().relay === 'connected', CLOSE_MS);
  if (!closed) return { outcome: 'did-not-close', hook, openedMs };
  return { outcome: 'well', hook, openedMs, closedMs: since(closeNs) };
}

/** Who waits for what the next states of a line may bring; one for each line. */
export class StateWaits {
  readonly #waiting = new Map<HandsetId, () => void>();

  constructor(private readonly clock: Clock) {}

  has(handset: HandsetId): boolean {
    return this.#waiting.has(handset);
  }

  /** A state of this line came. */
  look(handset: HandsetId): void {
    this.#waiting.get(handset)?.();
  }

  /** Settles with true as soon as `reached` holds after a state of this line, or with false after `ms`. */
  until(handset: HandsetId, reached: () => boolean, ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (is: boolean) => {
        late.cancel();
        this.#waiting.delete(handset);
        resolve(is);
      };
      const late = this.clock.after(ms, () => settle(false));
      this.#waiting.set(handset, () => {
        if (reached()) settle(true);
      });
      if (reached()) settle(true);
    });
  }
}
