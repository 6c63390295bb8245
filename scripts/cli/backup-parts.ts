import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, lstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** The form of backups that this program writes; it reads this one and those before. 2: with files from elsewhere. */
export const FORMAT = 2;
export const MANIFEST = 'manifest.json';

/** One file of a backup. */
export interface Part {
  /** Below `site/`, `data/` or `elsewhere/`, with slashes. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Its permissions. */
  readonly mode: number;
}

/** A file from outside of the site's folder, and where the site's files name it. */
export interface Elsewhere {
  readonly part: string;
  readonly file: string;
  /** JSON pointer into the file. */
  readonly pointer: string;
  /** As the file has it: absolute, or relative to the site's folder. */
  readonly path: string;
}

/** What a backup says of itself. */
export interface Manifest {
  readonly format: number;
  /** The program that made it. */
  readonly version: string;
  readonly site: string;
  readonly gateway: string;
  readonly madeAt: string;
  readonly parts: readonly Part[];
  /** Absent in form 1. */
  readonly elsewhere?: readonly Elsewhere[];
}

/** A backup that cannot be made, or is not what it should be; the message says what to do. */
export class BackupFault extends Error {
  override readonly name = 'BackupFault';
}

/** Every file below a folder, as paths from there, sorted; `skip` leaves out files and whole folders. Links to folders are not followed. */
export function filesIn(folder: string, skip: (path: string) => boolean = () => false): readonly string[] {
  const found: string[] = [];
  const look = (at: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const path = join(at, entry.name);
      const name = relative(folder, path).split(sep).join('/');
      if (skip(name)) continue;
      if (entry.isDirectory()) look(path);
      // A certificate is often a link to a file elsewhere: what it holds is kept.
      else if (entry.isFile() || (entry.isSymbolicLink() && isFileBehind(path))) found.push(name);
    }
  };
  look(folder);
  return found.sort();
}

function isFileBehind(link: string): boolean {
  try {
    return statSync(link).isFile();
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw fault;
  }
}

/** Whether a file is an SQLite database, by its first bytes (SQLite file format §1.3.1). */
export function isDatabase(file: string): boolean {
  const start = Buffer.alloc(16);
  const handle = openSync(file, 'r');
  try {
    return readSync(handle, start, 0, 16, 0) === 16 && start.toString('latin1') === 'SQLite format 3\0';
  } finally {
    closeSync(handle);
  }
}

export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** What the manifest says of a file below `root`. */
export async function partOf(root: string, path: string): Promise<Part> {
  const { size, mode } = lstatSync(join(root, path));
  return { path, bytes: size, sha256: await sha256Of(join(root, path)), mode: mode & 0o777 };
}

/** Runs the system's tar. Rejects with what it said. */
export function tar(args: readonly string[]): Promise<string> {
  return new Promise((settle, reject) => {
    const child = spawn('tar', args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' } });
    let [said, wrong] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      wrong += text;
    });
    child.once('error', (fault) => reject(new BackupFault(`tar cannot be run: ${fault.message}`)));
    child.once('close', (code) => {
      if (code === 0) settle(said);
      else reject(new BackupFault(`tar: ${wrong.trim().split('\n')[0] ?? `exit status ${code}`}`));
    });
  });
}
