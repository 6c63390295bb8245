import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { livePid, removePidFile, writePidFile } from './pid-file.js';

/** sun_path of a UNIX socket holds 108 bytes with its final zero (unix(7)); the longest name of ours is `engine.sock`. */
const LONGEST_FOLDER = 108 - 1 - '/engine.sock'.length;

/** A start-up failure that a person can mend; the gateway prints it and exits with `exitCode`. */
export class StartFault extends Error {
  override readonly name = 'StartFault';
  constructor(
    message: string,
    readonly exitCode: number,
  ) {
    super(message);
  }
}

/**
 * The folder of a site's sockets and pid files, made with mode 0700 and locked for this process.
 * The same site always gets the same folder, so that a gateway finds what a killed one left behind. Throws StartFault when
 * another gateway runs this site, or when somebody else owns the folder.
 */
export function takeRunFolder(dataFolder: string, wanted: string | undefined): { path: string; release: () => void } {
  const path = runFolderOf(dataFolder, wanted);
  if (Buffer.byteLength(path) > LONGEST_FOLDER) {
    throw new StartFault(`runFolder ${path} is too long for a socket's path: at most ${LONGEST_FOLDER} bytes`, 78);
  }
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const facts = lstatSync(path);
  if (!facts.isDirectory() || facts.uid !== process.getuid?.()) {
    throw new StartFault(`runFolder ${path} belongs to somebody else: remove it, or name another in site.json`, 78);
  }
  chmodSync(path, 0o700);
  const lock = join(path, 'gateway.pid');
  const holder = livePid(lock);
  if (holder !== undefined && holder !== process.pid) {
    throw new StartFault(`a gateway of this site is running already (process ${holder}): stop it first`, 75);
  }
  writePidFile(lock, process.pid);
  return { path, release: () => removePidFile(lock, process.pid) };
}

/** Where a site's sockets are, or would be, whether a gateway runs or not: the folder wanted, or one that its data folder names. */
export function runFolderOf(dataFolder: string, wanted: string | undefined): string {
  return wanted ?? defaultFolder(dataFolder);
}

/** The pid of the gateway that runs a site; undefined when none does. */
export function runningGateway(dataFolder: string, wanted: string | undefined): number | undefined {
  return livePid(join(runFolderOf(dataFolder, wanted), 'gateway.pid'));
}

function defaultFolder(dataFolder: string): string {
  const inData = join(dataFolder, 'run');
  if (Buffer.byteLength(inData) <= LONGEST_FOLDER) return inData;
  const name = createHash('sha256').update(dataFolder).digest('hex').slice(0, 16);
  return join(tmpdir(), `balise-${process.getuid?.() ?? 0}-${name}`);
}
