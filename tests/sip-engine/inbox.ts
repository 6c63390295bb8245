/** The SIP messages that a peer has received, for whoever waits for one of them. */
export class Inbox {
  readonly received: string[] = [];
  #taken = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  put(text: string): void {
    this.received.push(text);
    this.#wake?.();
  }

  /** Nothing comes any more: whoever waits is told so at once. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** The next message that `wanted` accepts, skipping others; rejects after `withinMs`, or when the peer has ended without it. */
  async next(wanted: (text: string) => boolean, withinMs = 5_000): Promise<string> {
    let late = false;
    const patience = setTimeout(() => {
      late = true;
      this.#wake?.();
    }, withinMs);
    try {
      for (;;) {
        while (this.#taken < this.received.length) {
          const text = this.received[this.#taken] ?? '';
          this.#taken += 1;
          if (wanted(text)) return text;
        }
        if (late || this.#ended)
          throw new Error(`nothing of the kind within ${withinMs} ms; received:\n${this.received.join('\n---\n')}`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(patience);
      this.#wake = undefined;
    }
  }

  /** Keeps the newest `count` messages alone, for runs that last; returns how many are gone. */
  forget(count: number): number {
    const gone = Math.max(0, this.received.length - count);
    this.received.splice(0, gone);
    this.#taken = Math.max(0, this.#taken - gone);
    return gone;
  }
}
