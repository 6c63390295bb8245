import { existsSync, type FSWatcher, mkdirSync, readdirSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { DoNotCallList, DoNotCallLists } from '../policy/request.js';
import { ListFault, type LoadedList, readList } from './list-file.js';

const ENDING = '.dnc';

/** Where the compiled lists of a site are. */
export const listFolder = (dataFolder: string): string => join(dataFolder, 'do-not-call');
export const listFile = (dataFolder: string, name: string): string => join(listFolder(dataFolder), `${name}${ENDING}`);

interface Held {
  readonly list: LoadedList | undefined;
  readonly why: string;
  /** By which a new file is told from the one that was read. */
  readonly mark: string;
}

/** The site's do-not-call lists, read once each, and again when a file is replaced. */
export class ListShelf implements DoNotCallLists {
  readonly #held = new Map<string, Held>();
  #watcher: FSWatcher | undefined;

  constructor(
    private readonly folder: string,
    /** A list cannot be read; the one of before stays in force, until it is too old. */
    private readonly onFault: (list: string, why: string) => void,
  ) {
    this.refresh();
  }

  list(name: string): DoNotCallList {
    const held = this.#held.get(name);
    return held?.list === undefined
      ? { isThere: false, why: held?.why ?? 'it was never imported' }
      : {
          isThere: true,
          madeMs: held.list.madeMs,
          has: (number) => held.list?.set.has(number) === true,
          size: held.list.set.size,
        };
  }

  names(): readonly string[] {
    return [...this.#held.keys()].sort();
  }

  /** Reads what is new in the folder. Returns whether anything was. */
  refresh(): boolean {
    if (!existsSync(this.folder)) return false;
    let isNew = false;
    for (const file of readdirSync(this.folder)) {
      if (file.startsWith('.') || !file.endsWith(ENDING)) continue;
      const name = file.slice(0, -ENDING.length);
      const before = this.#held.get(name);
      const mark = markOf(join(this.folder, file));
      if (mark === undefined || before?.mark === mark) continue;
      this.#held.set(name, this.#read(name, mark, before));
      isNew = true;
    }
    return isNew;
  }

  /** Watches the folder; `onChanged` is called after each list that was replaced. */
  watch(onChanged: () => void): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    this.#watcher = watch(this.folder, () => {
      if (this.refresh()) onChanged();
    });
  }

  close(): void {
    this.#watcher?.close();
  }

  #read(name: string, mark: string, before: Held | undefined): Held {
    try {
      return { list: readList(join(this.folder, `${name}${ENDING}`)), why: '', mark };
    } catch (fault) {
      const why = fault instanceof ListFault ? fault.message : `it cannot be read (${(fault as Error).message})`;
      this.onFault(name, why);
      return { list: before?.list, why, mark };
    }
  }
}

/** A file's identity; undefined when it went away meanwhile. */
function markOf(file: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.ino} ${found.size} ${found.mtimeMs}`;
}
