/**
 * Bundles on disk: `policy/current.jws` is the newest that anybody applied, `policy/in-force.jws` the one that the gateway took;
 * and the newest version ever taken, and when headquarters was last heard of.
 * What is read is verified anew each time; a file is never believed for where it lies.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export const bundleFolder = (dataFolder: string): string => join(dataFolder, 'policy');
const CURRENT = 'current.jws';
const IN_FORCE = 'in-force.jws';
const STATE = 'state.json';

export interface ShelfState {
  /** The newest version that was ever in force. */
  readonly version: number;
  /** When headquarters was last heard of, epoch milliseconds. */
  readonly heardMs: number;
}

/** Writes whole or not at all, and is on disk when it returns. */
function writeWhole(folder: string, name: string, text: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const fresh = join(folder, `.${name}.new`);
  const handle = openSync(fresh, 'w', 0o600);
  writeSync(handle, text);
  fsyncSync(handle);
  closeSync(handle);
  renameSync(fresh, join(folder, name));
  const inFolder = openSync(folder, 'r');
  fsyncSync(inFolder);
  closeSync(inFolder);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fault;
  }
}

export class BundleShelf {
  constructor(readonly folder: string) {}

  /** The text of the newest bundle; undefined when there was never one. Throws when it cannot be read. */
  current(): string | undefined {
    return readIfThere(join(this.folder, CURRENT));
  }

  /** Undefined when nothing was ever taken, or what is written is nothing that we wrote. */
  state(): ShelfState | undefined {
    const text = readIfThere(join(this.folder, STATE));
    if (text === undefined) return undefined;
    try {
      const { version, heardMs } = JSON.parse(text) as Partial<ShelfState>;
      return typeof version === 'number' && typeof heardMs === 'number' ? { version, heardMs } : undefined;
    } catch (fault) {
      if (fault instanceof SyntaxError) return undefined;
      throw fault;
    }
  }

  /** Puts a bundle in force: the state first, so that an older one is not taken after a crash between the two. */
  keep(text: string, state: ShelfState): void {
    writeWhole(this.folder, STATE, JSON.stringify(state));
    writeWhole(this.folder, CURRENT, text);
  }

  /** The text of the bundle that the gateway took last; undefined when it never took one. Throws when it cannot be read. */
  inForce(): string | undefined {
    return readIfThere(join(this.folder, IN_FORCE));
  }

  keepInForce(text: string): void {
    if (this.inForce() !== text) writeWhole(this.folder, IN_FORCE, text);
  }

  heard(state: ShelfState): void {
    writeWhole(this.folder, STATE, JSON.stringify(state));
  }
}
