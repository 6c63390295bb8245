/** One server-sent event. */
export interface StreamEvent {
  readonly name: string;
  readonly data: string;
}

/**
 * Cuts the text of a stream of server-sent events into events (HTML Living Standard §9.2.6). Comment lines give nothing;
 * that something came is what whoever reads the stream goes by. Text may be handed in pieces of any size.
 */
export class EventStreamText {
  #rest = '';
  #name = '';
  #data: string[] = [];

  /** The events that this piece completes. */
  take(piece: string): StreamEvent[] {
    const events: StreamEvent[] = [];
    // A CR at the very end may be the first half of CR LF: it waits for the next piece.
    const text = this.#rest + piece;
    const lines = text.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const done = this.#line(line);
      if (done !== undefined) events.push(done);
    }
    return events;
  }

  #line(line: string): StreamEvent | undefined {
    if (line !== '') {
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'event') this.#name = value;
      if (field === 'data') this.#data.push(value);
      return undefined;
    }
    const event = { name: this.#name || 'message', data: this.#data.join('\n') };
    const isWhole = this.#data.length > 0;
    this.#name = '';
    this.#data = [];
    return isWhole ? event : undefined;
  }
}
