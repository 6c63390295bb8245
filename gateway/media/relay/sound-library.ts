import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LAWS } from './g711.js';
import { SAMPLE_RATE } from './warning-tone.js';

const ENDING = '.alaw';
/** Half a minute, bytes. */
const LONGEST = SAMPLE_RATE * 30;
/** Between two pieces, a breath. */
const PAUSE = new Int16Array(SAMPLE_RATE / 10);

/** The recorded pieces, read once at the start: no disk is touched while packets wait. */
export class SoundLibrary {
  readonly #languages = new Map<string, Map<string, Buffer>>();

  /**
   * Reads `<folder>/<language>/<piece>.alaw`, G.711 A-law without a header. Throws the system's error when the folder cannot
   * be read.
   */
  static load(folder: string): SoundLibrary {
    const library = new SoundLibrary();
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      const pieces = new Map<string, Buffer>();
      for (const file of readdirSync(join(folder, entry.name)))
        if (file.endsWith(ENDING))
          pieces.set(file.slice(0, -ENDING.length), readFileSync(join(folder, entry.name, file)));
      library.#languages.set(entry.name, pieces);
    }
    return library;
  }

  /** Takes a piece of the site's own, in parts; no longer than `LONGEST` in all. */
  learn(language: string, piece: string, sound: Buffer, isFirst: boolean): void {
    const pieces = this.#languages.get(language) ?? new Map<string, Buffer>();
    this.#languages.set(language, pieces);
    const before = isFirst ? undefined : pieces.get(piece);
    const whole = before === undefined ? sound : Buffer.concat([before, sound]);
    pieces.set(piece, whole.subarray(0, LONGEST));
  }

  /**
   * The pieces of A-law in their order. A piece that a language lacks is its general one (`next.in` → `next`), or is left out:
   * not every language has a word for it.
   */
  clips(language: string, pieces: readonly string[]): readonly Buffer[] {
    const known = this.#languages.get(language);
    return pieces
      .map((name) => known?.get(name) ?? known?.get(name.slice(0, name.lastIndexOf('.'))))
      .filter((piece) => piece !== undefined);
  }

  /** The pieces one after the other, 16-bit samples at 8 kHz; undefined when the language has none of them. */
  spoken(language: string, pieces: readonly string[]): Int16Array | undefined {
    const found = this.clips(language, pieces);
    if (found.length === 0) return undefined;
    const sound = new Int16Array(found.reduce((sum, { length }) => sum + length + PAUSE.length, 0));
    let at = 0;
    for (const piece of found) {
      for (const byte of piece) sound[at++] = LAWS.pcma.decode[byte] as number;
      at += PAUSE.length;
    }
    return sound;
  }
}
