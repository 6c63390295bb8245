import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { StoreFault } from './fault.js';

/** The key's file in the data folder. A copy of the database without it gives no number. */
export const CONTACT_KEY_FILE = 'contacts.key';
const BYTES = 32;

/**
 * The key under which the numbers of contacts are sealed; made at the first use, for its owner alone, and on disk before it is
 * used. Throws a `StoreFault` when the file is no key: contacts sealed under it are lost, and must be imported again.
 */
export function contactKey(folder: string): Buffer {
  return keyIn(join(folder, CONTACT_KEY_FILE));
}

/** The same in a file of any name. */
export function keyIn(file: string): Buffer {
  const key = readKey(file) ?? makeKey(file);
  if (key.length === BYTES) return key;
  const what = `it holds ${key.length} bytes, and a key has ${BYTES}`;
  throw new StoreFault(
    'store.corrupt',
    file,
    what,
    'restore it from a copy, or move it away and import the contacts again',
  );
}

function readKey(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fault;
  }
}

/** Two processes may come here at once: the one whose link is there first has made the key. */
function makeKey(file: string): Buffer {
  const fresh = `${file}.${process.pid}`;
  const made = openSync(fresh, 'wx', 0o600);
  try {
    writeSync(made, randomBytes(BYTES));
    fsyncSync(made);
  } finally {
    closeSync(made);
  }
  try {
    linkSync(fresh, file);
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== 'EEXIST') throw fault;
  } finally {
    rmSync(fresh, { force: true });
  }
  return readFileSync(file);
}
