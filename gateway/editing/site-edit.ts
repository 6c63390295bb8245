import { randomUUID } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import type { Board, Handset } from '../../config/schema/types.generated.js';
import { systemClock } from '../clock/system-clock.js';
import { loadSite, type SiteFiles } from '../config/site.js';
import { writeAtomically } from '../provisioning/atomic-file.js';
import {
  answerFile,
  type BoardChange,
  boardChangesBetween,
  type ChangeAnswer,
  changesBetween,
  changesFolder,
  type HandsetChange,
  type HandsetNote,
  leaveOrder,
} from '../site-changes.js';
import { livePid, writePidFile } from '../supervisor/pid-file.js';
import { runningGateway } from '../supervisor/run-folder.js';
import { EditFault } from './edit-fault.js';

/** A handset as it stands in the file: no default is filled in, so that none is written back. */
export type RawHandset = Partial<Handset> & Pick<Handset, 'id'>;

/** The same of a board. */
export type RawBoard = Partial<Board> & Pick<Board, 'id'>;

/** Whose hand an edit is by, and how a gateway hears of it. */
export interface Hand {
  /** Who gives the order; absent: the user of this process, and the one behind sudo. */
  readonly by?: string;
  /** What was ordered, in words, e.g. `handset disable a-101`. */
  readonly command: string;
  readonly reason?: string;
  /** Has the gateway of this very process take the orders that wait; absent: the running gateway is told by SIGHUP. */
  readonly reload?: () => Promise<void>;
}

/** What an edit wants done. */
export interface Edit {
  readonly handsets: readonly RawHandset[];
  /** What is done beside the file, after the whole was found sound and before it is written, e.g. enrolments. */
  readonly prepare?: (site: SiteFiles) => void;
  readonly notes?: readonly HandsetNote[];
}

export interface EditOutcome {
  readonly site: SiteFiles;
  readonly changes: readonly HandsetChange[];
  readonly boards: readonly BoardChange[];
  /** What the running gateway made of it; `stopped` when none runs, `silent` when it did not answer in time. */
  readonly gateway: ChangeAnswer['outcome'] | 'stopped' | 'silent';
  readonly remarks: readonly string[];
}

const ANSWER_MS = 10_000;
const KEPT_VERSIONS = 50;
const clock = systemClock(() => ({ trusted: true }));

/**
 * Changes a site's handsets.json: the site with the change is checked as a whole first, the version before is kept in the data
 * folder's `history/`, the file is replaced in one step, and a running gateway takes it at once. Throws a `ConfigFault` with
 * every fault, or an `EditFault`; nothing is written then.
 */
export function editHandsets(
  folder: string,
  hand: Hand,
  change: (handsets: readonly RawHandset[], site: SiteFiles) => Edit,
): Promise<EditOutcome> {
  return editFile(folder, 'handsets', hand, (entries, site) => {
    const { handsets, ...more } = change(entries as readonly RawHandset[], site);
    return { entries: handsets, ...more };
  });
}

/** Changes a site's boards.json, which may not be there yet, as `editHandsets` does the other. */
export function editBoards(
  folder: string,
  hand: Hand,
  change: (boards: readonly RawBoard[]) => readonly RawBoard[],
): Promise<EditOutcome> {
  return editFile(folder, 'boards', hand, (entries) => ({ entries: change(entries as readonly RawBoard[]) }));
}

/** The files that people change while a gateway runs. */
type Editable = 'handsets' | 'boards';

async function editFile(
  folder: string,
  name: Editable,
  hand: Hand,
  change: (
    entries: readonly unknown[],
    site: SiteFiles,
  ) => Pick<Edit, 'prepare' | 'notes'> & { readonly entries: readonly unknown[] },
): Promise<EditOutcome> {
  const before = await loadSite(folder);
  const release = takeLock(before.dataFolder);
  try {
    const file = fileOf(before.folder, name);
    mayWrite(file);
    const text = textOf(file);
    const edit = change(JSON.parse(text ?? '[]') as unknown[], before);
    const next = `${JSON.stringify(edit.entries, null, 2)}\n`;
    const site = await loadSite(folder, undefined, { [name]: next });
    const changes = changesBetween(before.handsets, site.handsets);
    const boards = boardChangesBetween(before.boards, site.boards);
    if (textOf(file) !== text) throw new EditFault('site.busy', `${file} was changed meanwhile: try again`);
    edit.prepare?.(site);
    if (changes.length + boards.length > 0) replace(file, name, next, before);
    const told = await tell(site, hand, { changes, boards, notes: edit.notes ?? [] });
    return { site, changes, boards, ...told };
  } finally {
    release();
  }
}

/** An installation keeps it with the data, where the gateway may write, and has a link to it in the site's folder. */
function fileOf(folder: string, name: Editable): string {
  const file = join(folder, `${name}.json`);
  return existsSync(file) ? realpathSync(file) : file;
}

const textOf = (file: string): string | undefined => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);

/** One edit of a site at a time. */
function takeLock(dataFolder: string): () => void {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const lock = join(dataFolder, 'edit.pid');
  for (const isLast of [false, true]) {
    try {
      writeFileSync(lock, '', { flag: 'wx', mode: 0o600 });
      writePidFile(lock, process.pid);
      return () => rmSync(lock, { force: true });
    } catch (fault) {
      if ((fault as NodeJS.ErrnoException).code !== 'EEXIST') throw fault;
      const holder = livePid(lock);
      if (holder !== undefined || isLast)
        throw new EditFault('site.busy', `another change of this site runs (process ${holder ?? 'unknown'})`);
      // Whoever held it died with it.
      rmSync(lock, { force: true });
    }
  }
  throw new Error('a lock is taken or refused');
}

/** Before anything is written: the file is replaced by one beside it. */
function mayWrite(file: string): void {
  try {
    for (const path of [file, dirname(file)]) if (existsSync(path)) accessSync(path, constants.W_OK);
  } catch (fault) {
    const why = (fault as Error).message;
    const how = 'run balise as the owner of the files, or give them to the user that changes them';
    throw new EditFault('site.read-only', `the site's files may not be written here (${why}): ${how}`);
  }
}

function replace(file: string, name: Editable, text: string, { folder, dataFolder }: SiteFiles): void {
  const isNew = !existsSync(file);
  // A file that was not there is as the site's others are.
  const { mode, uid, gid } = statSync(isNew ? join(folder, 'site.json') : file);
  const history = join(dataFolder, 'history');
  mkdirSync(history, { recursive: true, mode: 0o700 });
  const stamp = clock.wall().toString({ smallestUnit: 'millisecond' }).replace(/[:.]/g, '-');
  const kept = join(history, `${name}.${stamp}.json`);
  if (isNew) writeFileSync(kept, '[]\n');
  else copyFileSync(file, kept);
  chmodSync(kept, 0o600);
  writeAtomically(file, text, mode & 0o777, false);
  if (process.getuid?.() === 0) {
    chownSync(file, uid, gid);
    for (const path of [history, kept]) chownSync(path, statSync(dataFolder).uid, statSync(dataFolder).gid);
  }
  const versions = readdirSync(history)
    .filter((version) => version.startsWith(`${name}.`))
    .sort();
  for (const old of versions.slice(0, -KEPT_VERSIONS)) rmSync(join(history, old), { force: true });
}

/** Who gives the order: the user behind sudo, where there is one. */
function caller(): string {
  const { username } = userInfo();
  const behind = process.env.SUDO_USER;
  return behind === undefined || behind === '' ? username : `${behind} as ${username}`;
}

async function tell(
  site: SiteFiles,
  { by = caller(), command, reason, reload }: Hand,
  what: Pick<EditOutcome, 'changes' | 'boards'> & { readonly notes: readonly HandsetNote[] },
): Promise<Pick<EditOutcome, 'gateway' | 'remarks'>> {
  const { dataFolder, runFolder } = site;
  if (Object.values(what).every(({ length }) => length === 0)) return { gateway: 'taken', remarks: [] };
  // Ids sort by time: a gateway that starts later records them in their order.
  const id = `${clock.wall().epochMilliseconds}-${randomUUID()}`;
  leaveOrder(dataFolder, { id, by, command, ...what, ...(reason === undefined ? {} : { reason }) });
  if (reload !== undefined) {
    await reload();
    return outcomeOf(takeAnswer(answerFile(dataFolder, id)));
  }
  const pid = runningGateway(dataFolder, runFolder);
  if (pid === undefined) return { gateway: 'stopped', remarks: [] };
  const answer = answered(dataFolder, id);
  try {
    process.kill(pid, 'SIGHUP');
  } catch (fault) {
    // It ended this moment, or belongs to somebody else: the order waits.
    const why = (fault as Error).message;
    return {
      gateway: 'silent',
      remarks: [`process ${pid} could not be told (${why}): run this as the gateway's user`],
    };
  }
  return outcomeOf(await answer);
}

function outcomeOf(answer: ChangeAnswer | undefined): Pick<EditOutcome, 'gateway' | 'remarks'> {
  return answer === undefined
    ? { gateway: 'silent', remarks: [] }
    : { gateway: answer.outcome, remarks: answer.remarks };
}

/** An answer that is there, once; undefined when there is none. */
function takeAnswer(file: string): ChangeAnswer | undefined {
  if (!existsSync(file)) return undefined;
  const answer = JSON.parse(readFileSync(file, 'utf8')) as ChangeAnswer;
  rmSync(file, { force: true });
  return answer;
}

/** The gateway's answer to an order, as soon as it is there; undefined after 10 s. */
function answered(dataFolder: string, id: string): Promise<ChangeAnswer | undefined> {
  const file = answerFile(dataFolder, id);
  return new Promise((settle) => {
    const watcher = watch(changesFolder(dataFolder), () => look());
    const late = setTimeout(() => done(undefined), ANSWER_MS);
    const done = (answer: ChangeAnswer | undefined): void => {
      watcher.close();
      clearTimeout(late);
      settle(answer);
    };
    const look = (): void => {
      const found = takeAnswer(file);
      if (found !== undefined) done(found);
    };
  });
}
