/** Installs, upgrades and goes back. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '../cli/command.js';
import { InstallFault } from './fault.js';
import type { Machine } from './machine.js';
import { type Notes, readNotes, writeNotes } from './notes.js';
import * as place from './places.js';
import { putRelease, type Release, type RuntimeChoice, readRelease } from './release.js';
import { checkSite, hasSite, protect, putSite, tellNoSite } from './site.js';
import { askRelease, forwardStore, restoreStore, saveStore, storeVersion } from './store.js';

export interface InstallOptions {
  /** The program: a built source, or a release. */
  readonly source: string;
  /** A site's folder to begin with. */
  readonly site?: string;
  readonly runtime: RuntimeChoice;
}

/**
 * Installs the program, or upgrades to it. Data and site stay; the store is copied and then brought forward when the new
 * program has it otherwise. Whatever fails before the switch leaves the old program, its store and its gateway as they were.
 */
export async function install(machine: Machine, { source, site, runtime }: InstallOptions): Promise<void> {
  const notes = readNotes(machine);
  const current = notes.current === undefined ? undefined : readRelease(machine, notes.current);
  // A site that the program cannot run is refused before anything is changed.
  if (hasSite(machine)) await checkSite(machine);
  else if (site !== undefined) await checkSite(machine, site);
  const next = await putRelease(machine, source, runtime);
  const isNewToSystem = machineFiles(machine, source);
  folders(machine);
  if (site !== undefined) putSite(machine, site);
  else protect(machine);
  if (current?.id === next.id) {
    machine.link(place.CURRENT, next.id);
    machine.say(`release ${next.id} is in use already`);
    if (isNewToSystem) machine.say(`units have changed: systemctl restart ${place.SERVICE}, when no call is up`);
    start(machine, 'start');
    return;
  }
  quiet(machine, current, () => {
    const backup = bringForward(machine, next, notes);
    machine.link(place.CURRENT, next.id);
    const previous = current === undefined ? {} : { previous: { release: current.id, ...(backup && { backup }) } };
    writeNotes(machine, { current: next.id, ...previous });
  });
  start(machine, 'restart');
  removeOthers(machine, [next.id, current?.id]);
  machine.say(
    current === undefined
      ? `release ${next.id} is installed`
      : `release ${current.id} became ${next.id}; back: scripts/install --back`,
  );
  if (!hasSite(machine)) tellNoSite(machine);
}

/**
 * Goes back to the version before, once. The store stays when that version can read it; else the copy from before the
 * upgrade takes its place, and the newer store is kept beside the copies. Throws an `InstallFault` when there is no such
 * version or no copy, and changes nothing then.
 */
export async function goBack(machine: Machine): Promise<void> {
  const notes = readNotes(machine);
  const { current, previous } = notes;
  const [from, to] = [current, previous?.release].map((id) =>
    id === undefined ? undefined : readRelease(machine, id),
  );
  if (from === undefined || to === undefined)
    throw new InstallFault('no version before this one is kept: nothing to go back to', EXIT.no);
  if (hasSite(machine)) {
    await checkSite(machine);
    askRelease(machine, to, 'check');
  }
  quiet(machine, from, () => {
    if (storeVersion(machine) > to.storeVersion) {
      const backup = previous?.backup;
      if (backup === undefined || !machine.has(`${place.BACKUPS}/${backup}`))
        throw new InstallFault(
          `release ${to.id} cannot read the store, and no copy of its time is kept in ${place.BACKUPS}`,
          EXIT.no,
        );
      const kept = saveStore(machine, `of-${from.id}`);
      restoreStore(machine, backup);
      machine.say(
        `what was recorded since the upgrade is in ${place.BACKUPS}/${kept} alone, and headquarters has it twice`,
      );
    } else machine.say('the store stays as it is: that version reads it');
    machine.link(place.CURRENT, to.id);
    writeNotes(machine, { current: to.id });
  });
  machineFiles(machine, machine.at(`${place.PROGRAMS}/${to.id}`));
  start(machine, 'restart');
  machine.say(`release ${from.id} became ${to.id} again`);
}

/** Does something to the store while no gateway runs; when it fails, the gateway that ran is started again. */
function quiet(machine: Machine, current: Release | undefined, run: () => void): void {
  const mayRun = current !== undefined && hasSite(machine);
  if (mayRun) machine.command(['systemctl', 'stop', place.SERVICE]);
  try {
    run();
  } catch (fault) {
    if (mayRun) machine.command(['systemctl', 'start', place.SERVICE], { optional: true });
    throw fault;
  }
}

/** Copies the store and brings it forward, where the new release has it otherwise. Gives the copy's name. */
function bringForward(machine: Machine, next: Release, notes: Notes): string | undefined {
  const version = storeVersion(machine);
  if (version > next.storeVersion)
    throw new InstallFault(
      `the store is of version ${version}, and release ${next.id} knows ${next.storeVersion}: install a newer one, or go back with --back`,
      EXIT.no,
    );
  const begun = notes.pending?.release === next.id ? notes.pending.backup : undefined;
  if (version === 0 || version === next.storeVersion) {
    if (version > 0) machine.say(`the store stays as it is, version ${version}`);
    return begun;
  }
  const backup = begun ?? saveStore(machine, `before-${next.id}`);
  writeNotes(machine, { ...notes, pending: { release: next.id, backup } });
  try {
    forwardStore(machine, next);
  } catch (fault) {
    restoreStore(machine, backup);
    writeNotes(machine, notes);
    throw fault;
  }
  return backup;
}

/** Units, users, device rules, the command; gives whether systemd has something new to read. */
function machineFiles(machine: Machine, program: string): boolean {
  let isNew = false;
  for (const { name, to } of place.MACHINE_FILES)
    isNew = machine.write(to, readFileSync(join(program, 'config', 'systemd', name), 'utf8')) || isNew;
  machine.write(place.COMMAND, place.COMMAND_TEXT, 0o755);
  if (!isNew) return false;
  machine.command(['systemd-sysusers', '/etc/sysusers.d/balise.conf']);
  machine.command(['systemctl', 'daemon-reload']);
  machine.command(['systemctl', 'try-restart', 'systemd-journald.service'], { optional: true });
  machine.command(['udevadm', 'control', '--reload'], { optional: true });
  machine.command(['udevadm', 'trigger', '--subsystem-match=tty'], { optional: true });
  return true;
}

function folders(machine: Machine): void {
  machine.folder(place.PROGRAMS, 0o755);
  machine.folder(place.CONFIG, 0o755);
  // With the group's bit, a file that `balise` makes there is the gateway's to read.
  machine.folder(place.SITE, 0o2750);
  machine.folder(place.AGENTS, 0o700);
  machine.folder(place.DATA, 0o700);
  machine.command(['chown', `root:${place.USER}`, place.SITE]);
  machine.command(['chown', `${place.USER}:${place.USER}`, place.DATA]);
}

/** The unit is ready when the gateway is: a start that fails is known here. */
function start(machine: Machine, how: 'start' | 'restart'): void {
  if (!hasSite(machine) && !machine.isDry) return;
  machine.command(['systemctl', 'enable', place.SERVICE]);
  try {
    machine.command(['systemctl', how, place.SERVICE]);
  } catch (fault) {
    const why = fault instanceof Error ? fault.message : fault;
    throw new InstallFault(
      `${why}\nwhy: journalctl -u ${place.SERVICE} -n 50; back: scripts/install --back`,
      EXIT.unavailable,
    );
  }
  if (how === 'restart') machine.command(['systemctl', 'try-restart', place.EVERY_AGENT], { optional: true });
}

function removeOthers(machine: Machine, kept: readonly (string | undefined)[]): void {
  if (!machine.has(place.PROGRAMS)) return;
  for (const entry of readdirSync(machine.at(place.PROGRAMS), { withFileTypes: true })) {
    const { name } = entry;
    const isRelease = name.startsWith('.new-') || readRelease(machine, name) !== undefined;
    if (entry.isDirectory() && isRelease && !kept.includes(name)) machine.remove(`${place.PROGRAMS}/${name}`);
  }
}
