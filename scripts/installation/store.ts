/** A site's store across versions: copied before it is brought forward, and put back from the copy. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { DATABASE_FILE } from '../../gateway/store/open.js';
import { EXIT } from '../cli/command.js';
import { run } from './child.js';
import { InstallFault } from './fault.js';
import type { Machine } from './machine.js';
import { BACKUPS, DATA, PROGRAMS, SITE, USER } from './places.js';
import type { Release } from './release.js';

/** SQLite's own: a database whose writer was killed is whole only with them. */
const PARTS = [DATABASE_FILE, `${DATABASE_FILE}-wal`, `${DATABASE_FILE}-shm`];

/** Has a release's own program do something with the site, under the gateway's user; see site-tool.ts. */
export function askRelease(machine: Machine, release: Release, verb: 'check' | 'forward'): void {
  const program = machine.at(`${PROGRAMS}/${release.id}`);
  const node = join(program, 'runtime', 'bin', 'node');
  const args = [join(program, 'dist', 'scripts', 'installation', 'site-tool.js'), verb, machine.at(SITE)];
  if (machine.isLive) run('runuser', ['-u', USER, '--', node, ...args]);
  else run(node, args);
}

/** The version of the site's store (`PRAGMA user_version`); 0 where there is none. It must have no writer. */
export function storeVersion(machine: Machine): number {
  const file = machine.at(`${DATA}/${DATABASE_FILE}`);
  if (!existsSync(file)) return 0;
  const db = new Sqlite(file, { timeout: 2_000, fileMustExist: true });
  try {
    return db.pragma('user_version', { simple: true }) as number;
  } finally {
    db.close();
  }
}

/** Copies the store aside, whole or not at all, and gives the copy's name in /var/lib/balise/backups. The store must have no writer. */
export function saveStore(machine: Machine, wanted: string): string {
  const data = machine.at(DATA);
  const present = PARTS.filter((part) => existsSync(join(data, part)));
  const bytes = present.reduce((sum, part) => sum + statSync(join(data, part)).size, 0);
  const { bavail, bsize } = statfsSync(data);
  if (bavail * bsize < bytes * 1.2) {
    const mb = (n: number): number => Math.ceil(n / 1e6);
    throw new InstallFault(
      `${DATA} has ${mb(bavail * bsize)} MB left, and a copy of the store takes ${mb(bytes)}: make room, e.g. in ${BACKUPS}`,
      EXIT.no,
    );
  }
  const taken = machine.has(BACKUPS) ? readdirSync(machine.at(BACKUPS)) : [];
  let name = wanted;
  for (let number = 2; taken.includes(name); number += 1) name = `${wanted}.${number}`;
  machine.folder(BACKUPS, 0o700);
  const to = machine.at(`${BACKUPS}/${name}`);
  machine.work(`copy the store to ${BACKUPS}/${name}`, () => {
    rmSync(`${to}.new`, { recursive: true, force: true });
    mkdirSync(`${to}.new`, { mode: 0o700 });
    for (const part of present) copyFileSync(join(data, part), join(`${to}.new`, part));
    run('sync', ['-f', `${to}.new`]);
    renameSync(`${to}.new`, to);
  });
  machine.command(['chown', '-R', `${USER}:${USER}`, BACKUPS]);
  return name;
}

/** Puts a copy in the store's place. Throws an `InstallFault` when there is no such copy; the store is then as it was. */
export function restoreStore(machine: Machine, name: string): void {
  const from = machine.at(`${BACKUPS}/${name}`);
  if (!machine.isDry && !existsSync(join(from, DATABASE_FILE)))
    throw new InstallFault(`the copy of the store ${BACKUPS}/${name} is not there: nothing was changed`, EXIT.no);
  const data = machine.at(DATA);
  machine.work(`put the copy ${BACKUPS}/${name} in the place of the store`, () => {
    for (const part of PARTS) {
      if (existsSync(join(from, part))) copyFileSync(join(from, part), join(data, `${part}.new`));
    }
    for (const part of PARTS) rmSync(join(data, part), { force: true });
    for (const part of PARTS) {
      if (existsSync(join(data, `${part}.new`))) renameSync(join(data, `${part}.new`), join(data, part));
    }
    run('sync', ['-f', data]);
  });
  machine.command(['sh', '-c', `chown ${USER}:${USER} ${DATA}/${DATABASE_FILE}*`]);
}

/** Brings the store to a release's version. Throws an `InstallFault` when the release cannot use it. */
export function forwardStore(machine: Machine, release: Release): void {
  machine.work(`bring the store to version ${release.storeVersion}`, () => askRelease(machine, release, 'forward'));
}
