/**
 * Contacts that wait on disk until the whole of their file is known to be good: sealed as they will be kept, so that the file is
 * read once and its numbers are opened by nobody. The file has no name from the beginning, and is gone with the process.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Place } from '../../gateway/work/contact-hours.js';
import type { NewContact } from '../../gateway/work/ports.js';

/** One contact; its campaign is that of all, its place one of a few. */
type Kept = readonly [
  token: string,
  callee: number,
  sealed: string,
  language: NewContact['language'],
  place: number,
  times: NewContact['times'],
  priority: number,
];

export class ContactSpill {
  readonly #file: number;
  readonly #parts: { readonly at: number; readonly bytes: number }[] = [];
  readonly #places: Place[] = [];
  readonly #placeIds = new Map<string, number>();
  #end = 0;

  /** Throws when the folder for temporary files takes none. */
  constructor(private readonly campaign: string) {
    const folder = mkdtempSync(join(tmpdir(), 'balise-import-'));
    try {
      this.#file = openSync(join(folder, 'contacts'), 'wx+', 0o600);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Keeps some, as one part. Throws when the disk is full. */
  put(contacts: readonly NewContact[]): void {
    const kept = contacts.map((one): Kept => {
      const { token, callee, sealed, language, place, times, priority } = one;
      return [token, callee, sealed.toString('base64'), language, this.#placeId(place), times, priority];
    });
    const text = Buffer.from(JSON.stringify(kept));
    for (let done = 0; done < text.length; ) done += writeSync(this.#file, text, done);
    this.#parts.push({ at: this.#end, bytes: text.length });
    this.#end += text.length;
  }

  /** What was kept, part by part. */
  *parts(): Iterable<readonly NewContact[]> {
    for (const { at, bytes } of this.#parts) {
      const text = Buffer.alloc(bytes);
      for (let done = 0; done < bytes; ) {
        const read = readSync(this.#file, text, done, bytes - done, at + done);
        if (read === 0) throw new Error('the file of contacts that wait to be taken is shorter than it was');
        done += read;
      }
      yield (JSON.parse(text.toString('utf8')) as Kept[]).map((kept) => this.#contact(kept));
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  #contact([token, callee, sealed, language, place, times, priority]: Kept): NewContact {
    const known = this.#places[place];
    if (known === undefined) throw new Error('a contact that waits to be taken has no place');
    const { campaign } = this;
    return { campaign, token, callee, sealed: Buffer.from(sealed, 'base64'), language, place: known, times, priority };
  }

  #placeId(place: Place): number {
    const key = `${place.country} ${place.zones.join(' ')}`;
    const id = this.#placeIds.get(key) ?? this.#places.push(place) - 1;
    this.#placeIds.set(key, id);
    return id;
  }
}
