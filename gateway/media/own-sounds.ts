/**
 * The site's own sounds, which the relay is taught before a call that needs them: it touches no disk by itself. They are files of
 * G.711 A-law, 8 kHz, without a header, `<folder>/<language>/<piece>.alaw`, and may be replaced while the gateway runs.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Announcement } from '../calls/ports.js';
import type { OrderBody } from './control-protocol.js';

type Learn = Extract<OrderBody, { do: 'learn' }>;

/** Where they are, in the data folder. */
export const OWN_SOUNDS = 'prompts';
/** Of the sound, bytes that fit into one line of the relay's protocol. */
const PART = 36_000;

export class OwnSounds {
  /** By language and piece, which state of its file the relay knows. */
  readonly #taught = new Map<string, number>();

  constructor(private readonly folder: string) {}

  has(language: string, piece: string): boolean {
    return this.#changedMs(language, piece) !== undefined;
  }

  /** What the relay has still to learn for an announcement. Throws the system's error when a file cannot be read. */
  lessons({ language, pieces }: Announcement): readonly Learn[] {
    return pieces.flatMap((piece) => {
      const changedMs = this.#changedMs(language, piece);
      const key = `${language}/${piece}`;
      if (changedMs === undefined || this.#taught.get(key) === changedMs) return [];
      const sound = readFileSync(this.#file(language, piece));
      this.#taught.set(key, changedMs);
      return parts(sound).map((part, n) => ({
        ...({ do: 'learn', language, piece } as const),
        ...{ sound: part.toString('base64'), first: n === 0 },
      }));
    });
  }

  /** The relay is another one, and knows none of them. */
  forget(): void {
    this.#taught.clear();
  }

  #changedMs(language: string, piece: string): number | undefined {
    return statSync(this.#file(language, piece), { throwIfNoEntry: false })?.mtimeMs;
  }

  #file(language: string, piece: string): string {
    return join(this.folder, language, `${piece}.alaw`);
  }
}

function parts(sound: Buffer): readonly Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < sound.length; at += PART) found.push(sound.subarray(at, at + PART));
  return found;
}
