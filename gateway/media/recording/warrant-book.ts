import { createHash } from 'node:crypto';
import { type FileHandle, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Temporal } from 'temporal-polyfill';
import type { Clock } from '../../clock/clock.js';
import { readWarrant, type VerifyingKey, type Warrant, type WarrantFault } from './warrant.js';

const ENDING = '.jws';

/** What became of a warrant that was offered; stable codes. */
export type WarrantOffer =
  | { readonly outcome: 'taken'; readonly id: string }
  | {
      readonly outcome: 'refused';
      readonly why: WarrantFault | 'warrant.over' | 'warrant.id-taken' | 'warrant.not-kept';
    };

export interface WarrantBookOptions {
  readonly clock: Clock;
  /** Where the warrants are, a file each, `*.jws`. It exists. */
  readonly folder: string;
  /** Headquarters' public keys: a warrant is good when one of them signed it. */
  readonly keys: Promise<readonly VerifyingKey[]>;
  /** Writes to the audit chain that a warrant was taken. Throws when the disk does not take it: then it is none. */
  readonly audit: (warrant: Warrant) => void;
  readonly onAlarm: (code: string, detail: string) => void;
}

/** The warrants that a site holds, as files of its data folder: what a person puts there, and what headquarters sends. */
export class WarrantBook {
  readonly #options: WarrantBookOptions;
  /** What each file says, by the file's own text: a signature is verified once. */
  readonly #read = new Map<string, Warrant | WarrantFault>();
  readonly #refused = new Set<string>();
  #held: readonly Warrant[] = [];

  constructor(options: WarrantBookOptions) {
    this.#options = options;
  }

  /** Every warrant that is whole and signed, in force or not. */
  get held(): readonly Warrant[] {
    return this.#held;
  }

  /** Reads the folder again. What is no warrant is an alarm, once; without a folder there are no warrants. */
  async reread(): Promise<void> {
    const { folder, onAlarm } = this.#options;
    try {
      const held: Warrant[] = [];
      for (const name of await readdir(folder)) {
        if (!name.endsWith(ENDING)) continue;
        const read = await this.#judge((await readFile(join(folder, name), 'utf8')).trim());
        if (typeof read !== 'string') held.push(read);
        else if (!this.#refused.has(name)) {
          this.#refused.add(name);
          onAlarm('recording.bad-warrant', `${name} is no warrant of headquarters: ${read}`);
        }
      }
      this.#held = held;
    } catch (error) {
      this.#held = [];
      onAlarm('recording.fault', `the warrants cannot be read: ${String(error)}`);
    }
  }

  /**
   * Takes a warrant from headquarters, a compact JWS: durable and in the audit chain before it counts. The same one again is
   * taken again, and changes nothing. It never rejects.
   */
  async offer(jws: string): Promise<WarrantOffer> {
    const { clock, audit, onAlarm } = this.#options;
    const read = await this.#judge(jws);
    if (typeof read === 'string') return { outcome: 'refused', why: read };
    if (Temporal.Instant.compare(read.until, clock.wall()) <= 0) return { outcome: 'refused', why: 'warrant.over' };
    const { id } = read;
    const known = this.#held.find((warrant) => warrant.id === id);
    if (known !== undefined)
      return known === read ? { outcome: 'taken', id } : { outcome: 'refused', why: 'warrant.id-taken' };
    const path = this.#pathOf(id);
    try {
      await keep(path, jws);
      audit(read);
    } catch (error) {
      onAlarm('recording.fault', `a warrant cannot be kept: ${String(error)}`);
      await rm(path, { force: true }).catch(() => undefined);
      return { outcome: 'refused', why: 'warrant.not-kept' };
    }
    this.#held = [...this.#held, read];
    return { outcome: 'taken', id };
  }

  async #judge(jws: string): Promise<Warrant | WarrantFault> {
    const known = this.#read.get(jws);
    if (known !== undefined) return known;
    const read = await readWarrant(jws, await this.#options.keys);
    // What is refused is not kept: whoever may offer could fill the memory.
    if (typeof read !== 'string') this.#read.set(jws, read);
    return read;
  }

  /** An id is headquarters' own text, and no name for a file. */
  #pathOf(id: string): string {
    return join(this.#options.folder, `${createHash('sha256').update(id).digest('hex').slice(0, 32)}${ENDING}`);
  }
}

/** Writes a file that is whole or not there, and on the disk before this settles. */
async function keep(path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  let file: FileHandle | undefined;
  try {
    file = await open(draft, 'w', 0o600);
    await file.writeFile(`${text}\n`);
    await file.sync();
  } finally {
    await file?.close();
  }
  await rename(draft, path);
}
