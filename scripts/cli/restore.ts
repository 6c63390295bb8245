import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import Sqlite from 'better-sqlite3';
import { readBootId, systemClock } from '../../gateway/clock/system-clock.js';
import { loadSite } from '../../gateway/config/site.js';
import { SCHEMA_VERSION } from '../../gateway/store/migrations.js';
import { openStore } from '../../gateway/store/open.js';
import { runningGateway } from '../../gateway/supervisor/run-folder.js';
import { checkableCopy, placeElsewhere } from './backup-elsewhere.js';
import { BackupFault, FORMAT, filesIn, isDatabase, MANIFEST, type Manifest, sha256Of, tar } from './backup-parts.js';
import { type Command, EXIT, needed, type Terminal, UsageFault } from './command.js';
import { callerName, siteFolderOf } from './gateway-client.js';
import { Progress } from './progress.js';

const HELP = `balise restore: brings a site back from the file that balise backup made

usage: balise restore <file> [--site <folder>] [--check]

Everything is checked before anything is replaced: the manifest's SHA-256 of each part, the database, the whole site as at
a start. What was there is kept beside it, under its name with .before-<time>. Files from outside of the site's folder are
put back where nothing is, and never over what is there. The restored audit chain says who restored it, from what. Refused
while a gateway of the site runs.

  <file>         what balise backup made
  --site         where the site is to be; or $BALISE_SITE, or /etc/balise/site. Its data go where its site.json says
  --check        checks the file alone, and replaces nothing

Events after the backup are in the folder that is kept aside, and in no audit chain of the restored site: headquarters,
which may have them, will say that the chain was taken back.

Exit status 0; 1 when the file is not sound, or a gateway runs; 64 wrongly called; 78 the site in it is at fault.

example
  balise restore /media/usb/gw-1.tar.gz --site /etc/balise/site
`;

/** `balise restore <file>` */
export const restore: Command = {
  name: 'restore',
  summary: 'brings a site back from a backup; what was there is kept aside',
  help: HELP,
  async run(args, terminal) {
    const options = { site: { type: 'string' }, check: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [named, ...more] = positionals;
    if (more.length > 0) throw new UsageFault('one file at a time');
    const file = resolve(needed(named, '<file>'));
    if (!existsSync(file)) throw new UsageFault(`there is no file ${file}`);
    const isCheck = values.check === true;
    const folder = isCheck ? undefined : resolve(siteFolderOf(values.site));
    const beside = folder === undefined ? dirname(file) : dirname(folder);
    if (!existsSync(beside)) throw new UsageFault(`there is no folder ${beside}`);
    const staging = mkdtempSync(join(beside, '.balise-restore-'));
    try {
      if (folder !== undefined) refuseWhileRunning(folder);
      const manifest = await unpacked(file, staging, terminal);
      // Throws with every fault of the site, as at a start.
      await loadSite(checkableCopy(staging, manifest.elsewhere ?? []));
      terminal.stdout.write(
        `${file}: ${manifest.parts.length} files of ${manifest.site}/${manifest.gateway}, made ${manifest.madeAt} by ${manifest.version}: sound\n`,
      );
      if (folder !== undefined) {
        noteInChain(staging, file, manifest);
        replace(staging, folder, manifest, terminal);
      }
      return EXIT.ok;
    } catch (fault) {
      if (!(fault instanceof BackupFault)) throw fault;
      terminal.stderr.write(`balise restore: ${fault.message}; nothing was replaced\n`);
      return EXIT.no;
    } finally {
      rmSync(staging, { recursive: true, force: true });
    }
  },
};

/** Where a site.json, as far as it can be read, puts data and run folder. */
function foldersOf(siteFile: string, folder: string): { readonly data: string; readonly run: string | undefined } {
  const { dataFolder = 'data', runFolder } = JSON.parse(readFileSync(siteFile, 'utf8')) as {
    dataFolder?: string;
    runFolder?: string;
  };
  return { data: resolve(folder, dataFolder), run: runFolder === undefined ? undefined : resolve(folder, runFolder) };
}

function refuseWhileRunning(folder: string, siteFile = join(folder, 'site.json')): void {
  if (!existsSync(siteFile)) return;
  let folders: ReturnType<typeof foldersOf>;
  try {
    folders = foldersOf(siteFile, folder);
  } catch (fault) {
    // A broken site is one that somebody may want to restore over; its usual data folder is looked at.
    if (!(fault instanceof SyntaxError)) throw fault;
    folders = { data: join(folder, 'data'), run: undefined };
  }
  const pid = runningGateway(folders.data, folders.run);
  if (pid !== undefined) throw new BackupFault(`a gateway of this site runs (process ${pid}): stop it first`);
}

/** Unpacks a backup and holds each part against the manifest. */
async function unpacked(file: string, staging: string, { stderr }: Terminal): Promise<Manifest> {
  const names = (await tar(['--list', '--gzip', '--file', file])).split('\n').filter((name) => name !== '');
  const stray = names.find(
    (name) =>
      name.startsWith('/') || name.split('/').includes('..') || !/^(site|data|elsewhere)\/|^manifest\.json$/.test(name),
  );
  if (stray !== undefined) throw new BackupFault(`${file} holds ${JSON.stringify(stray)}, and is no backup of a site`);
  if (!names.includes(MANIFEST)) throw new BackupFault(`${file} has no manifest, and is no backup of a site`);
  await tar([
    '--extract',
    '--gzip',
    '--file',
    file,
    '--directory',
    staging,
    '--no-same-owner',
    '--no-same-permissions',
  ]);
  const manifest = readManifest(join(staging, MANIFEST));
  const listed = new Set(manifest.parts.map(({ path }) => path));
  const extra = filesIn(staging).find((path) => path !== MANIFEST && !listed.has(path));
  if (extra !== undefined) throw new BackupFault(`${extra} is in the file and not in its manifest`);
  const progress = new Progress(stderr as never, 'checked', manifest.parts.length);
  for (const [at, { path, bytes, sha256, mode }] of manifest.parts.entries()) {
    const part = join(staging, path);
    if (!existsSync(part)) throw new BackupFault(`${path} is in the manifest and not in the file`);
    const facts = lstatSync(part);
    if (!facts.isFile() || facts.size !== bytes || (await sha256Of(part)) !== sha256)
      throw new BackupFault(`${path} is not what was backed up: the file is damaged`);
    chmodSync(part, mode);
    if (isDatabase(part)) checkDatabase(part, path);
    progress.at(at + 1);
  }
  return manifest;
}

function readManifest(file: string): Manifest {
  let manifest: Partial<Manifest>;
  try {
    manifest = JSON.parse(readFileSync(file, 'utf8')) as Partial<Manifest>;
  } catch (fault) {
    throw new BackupFault(`its manifest cannot be read (${(fault as Error).message})`);
  }
  const { format, parts } = manifest;
  if (typeof format !== 'number' || !Array.isArray(parts)) throw new BackupFault('its manifest is none of ours');
  if (format > FORMAT)
    throw new BackupFault(`it is of form ${format}, and this program knows ${FORMAT}: run the newer one`);
  const isPart = (part: Partial<Manifest['parts'][number]>): boolean =>
    typeof part.path === 'string' && /^(site|data|elsewhere)\//.test(part.path) && !part.path.split('/').includes('..');
  if (!parts.every(isPart)) throw new BackupFault('its manifest names a file outside of a site');
  return manifest as Manifest;
}

function checkDatabase(file: string, path: string): void {
  const db = new Sqlite(file, { readonly: true, fileMustExist: true });
  try {
    const found = db.pragma('quick_check', { simple: true });
    if (found !== 'ok') throw new BackupFault(`${path} is damaged (${String(found)})`);
    const version = Number(db.pragma('user_version', { simple: true }));
    if (path === 'data/balise.sqlite' && version > SCHEMA_VERSION)
      throw new BackupFault(
        `${path} is of version ${version}, and this program knows ${SCHEMA_VERSION}: run the newer one`,
      );
  } finally {
    db.close();
  }
  // A reader in WAL mode leaves companions beside it; they are empty, and are not of the backup.
  for (const companion of ['-wal', '-shm']) rmSync(`${file}${companion}`, { force: true });
}

/** The chain that is restored says so itself: written before anything is replaced, so that no restore goes without it. */
function noteInChain(staging: string, file: string, { site, gateway, madeAt, version }: Manifest): void {
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const clock = systemClock(() => ({ trusted: true }));
  const gatewayId = `${site}/${gateway}`;
  const store = openStore({ folder: join(staging, 'data'), clock, gatewayId, bootId: readBootId(), log: quiet });
  try {
    const after = { file: basename(file), madeAt, version };
    const change = { what: 'site.restored', subject: gatewayId, after };
    const data = { who: `unix:${callerName()}`, role: 'local', from: 'files', ...change };
    store.calls.append([{ kind: 'event', type: 'balise.console.changed', data }]);
  } finally {
    store.close();
  }
}

/** Puts what was unpacked in its place, and what was there aside; with any fault everything is put back. */
function replace(staging: string, folder: string, { elsewhere = [] }: Manifest, { stdout }: Terminal): void {
  const { data } = foldersOf(join(staging, 'site', 'site.json'), folder);
  refuseWhileRunning(folder, join(staging, 'site', 'site.json'));
  const stamp = systemClock(() => ({ trusted: true }))
    .wall()
    .toString({ smallestUnit: 'second' })
    .replace(/[:.]/g, '-');
  const done: { readonly from: string; readonly to: string }[] = [];
  const placed: string[] = [];
  const move = (from: string, to: string): void => {
    renameSync(from, to);
    done.push({ from, to });
  };
  const keep = (path: string): void => {
    if (!existsSync(path)) return;
    move(path, `${path}.before-${stamp}`);
    stdout.write(`what was there is kept: ${path}.before-${stamp}\n`);
  };
  const owner = [data, folder, dirname(folder)].filter(existsSync).map((path) => statSync(path))[0];
  const siteOwner = [folder, dirname(folder)].filter(existsSync).map((path) => statSync(path))[0];
  try {
    // Data may be on another disk than the site's files: they are copied beside their place first, and then moved.
    mkdirSync(dirname(data), { recursive: true, mode: 0o700 });
    const isInside = data.startsWith(`${folder}/`);
    const fresh = isInside ? join(staging, 'data') : `${data}.restoring-${stamp}`;
    if (!isInside) {
      cpSync(join(staging, 'data'), fresh, { recursive: true, preserveTimestamps: true });
      keep(data);
    }
    keep(folder);
    move(join(staging, 'site'), folder);
    if (isInside) mkdirSync(dirname(data), { recursive: true, mode: 0o700 });
    move(fresh, data);
    placed.push(...placeElsewhere(staging, folder, elsewhere, (text) => stdout.write(text)));
    for (const path of placed) giveOne(path, siteOwner);
    give(folder, siteOwner);
    give(data, owner);
  } catch (fault) {
    for (const path of placed) rmSync(path, { force: true });
    for (const { from, to } of done.reverse()) renameSync(to, from);
    rmSync(`${data}.restoring-${stamp}`, { recursive: true, force: true });
    throw new BackupFault(`it cannot be put in its place (${(fault as Error).message}): all was put back as it was`);
  }
  stdout.write(`${folder} is restored, its data are in ${data}; balise doctor looks at it before a gateway starts\n`);
}

type Owner = { readonly uid: number; readonly gid: number } | undefined;

function giveOne(path: string, owner: Owner): void {
  if (process.getuid?.() === 0 && owner !== undefined) chownSync(path, owner.uid, owner.gid);
}

/** Root gives what it restored to whoever had it before. */
function give(root: string, owner: Owner): void {
  for (const path of [root, ...filesIn(root).map((name) => join(root, name))]) {
    for (let at = path; at.startsWith(root); at = dirname(at)) giveOne(at, owner);
  }
}
