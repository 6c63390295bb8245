/** Cuts drachtio's frames, `<decimal length>#<payload>`, out of a stream. Lengths are in bytes; text is Latin-1, a character a byte. */
export class FrameReader {
  #pending: Buffer | undefined;

  constructor(readonly maxBytes: number) {}

  /** Takes a chunk, hands every payload that it completes to `onFrame`; false when the stream is no drachtio client's. */
  take(chunk: Buffer, onFrame: (payload: string) => void): boolean {
    let data = this.#pending === undefined ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#pending = undefined;
    for (;;) {
      let length = 0;
      let at = 0;
      for (; at < data.length; at++) {
        const digit = (data[at] ?? 0) - 48;
        if (digit < 0 || digit > 9) break;
        length = length * 10 + digit;
        if (length > this.maxBytes) return false;
      }
      if (at === data.length) break;
      if (data[at] !== 0x23 || at === 0) return false;
      const end = at + 1 + length;
      if (data.length < end) break;
      onFrame(data.toString('latin1', at + 1, end));
      data = data.subarray(end);
      if (data.length === 0) return true;
    }
    this.#pending = data;
    return true;
  }
}
