import { closeSync, fchownSync, fsyncSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Writes a file whole or not at all, past fsync, readable by its owner alone unless `mode` says otherwise; makes its folder
 * (0700). Root gives it to the folder's owner, unless told not to: the gateway, which is not root, must be able to read it.
 */
export function writeAtomically(path: string, text: string, mode = 0o600, givesAway = true): void {
  makeFolder(dirname(path));
  const fresh = `${path}.new`;
  const file = openSync(fresh, 'w', mode);
  try {
    writeSync(file, text);
    if (givesAway) giveAway(file, dirname(path));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(fresh, path);
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Makes a folder (0700) that belongs to whom the folder above it belongs to. */
function makeFolder(path: string): void {
  if (mkdirSync(path, { recursive: true, mode: 0o700 }) === undefined) return;
  const folder = openSync(path, 'r');
  try {
    giveAway(folder, dirname(path));
  } finally {
    closeSync(folder);
  }
}

function giveAway(file: number, folder: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(folder);
  fchownSync(file, uid, gid);
}
