/** The terminal's side of the demo: a line an event, who speaks, and what happened. */
const COLOURS = {
  handset: 36,
  gateway: 34,
  line: 35,
  headquarters: 33,
  carrier: 90,
  technician: 32,
  statement: 36,
  demo: 1,
} as const;
export type Speaker = keyof typeof COLOURS;

const WIDTH = Math.max(...Object.keys(COLOURS).map((name) => name.length));

export class Story {
  readonly #colour = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;

  /** Prints one line: local time with milliseconds, the speaker, the words. */
  tell(speaker: Speaker, words: string): void {
    const now = new Date();
    const time = `${now.toTimeString().slice(0, 8)}.${String(now.getMilliseconds()).padStart(3, '0')}`;
    const name = speaker.padEnd(WIDTH);
    process.stdout.write(`${time}  ${this.#paint(name, COLOURS[speaker])}  ${words}\n`);
  }

  /** A heading between the scenes. */
  scene(words: string): void {
    process.stdout.write(`\n${this.#paint(words, COLOURS.demo)}\n`);
  }

  plain(words: string): void {
    process.stdout.write(`${words}\n`);
  }

  #paint(words: string, colour: number): string {
    return this.#colour ? `\u001b[${colour}m${words}\u001b[0m` : words;
  }
}

/** "+3.2 ms" or "-0.4 ms". */
export function signedMs(ms: number): string {
  return `${ms >= 0 ? '+' : ''}${ms.toFixed(1)} ms`;
}
