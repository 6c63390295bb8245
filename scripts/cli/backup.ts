import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import Sqlite from 'better-sqlite3';
import { systemClock } from '../../gateway/clock/system-clock.js';
import { loadSite, type SiteFiles } from '../../gateway/config/site.js';
import { readVersion } from '../../gateway/site-bus.js';
import { runFolderOf } from '../../gateway/supervisor/run-folder.js';
import { foreignAgents, namedElsewhere } from './backup-elsewhere.js';
import {
  BackupFault,
  FORMAT,
  filesIn,
  isDatabase,
  MANIFEST,
  type Manifest,
  partOf,
  sha256Of,
  tar,
} from './backup-parts.js';
import { type Command, EXIT, needed, UsageFault } from './command.js';
import { siteFolderOf } from './gateway-client.js';
import { Progress } from './progress.js';

const HELP = `balise backup: one file of a site: its files, its data and its keys

usage: balise backup <file> [--site <folder>] [--json]

The gateway may run meanwhile: the database is copied by SQLite's own online backup, every other file is one that is
replaced in one step. What is sealed stays sealed. The file is a compressed tar with a manifest of the SHA-256 of each
part; it holds the site's keys, is readable for its owner alone, and belongs where nobody else reads. Certificates and
keys that the site's files name outside of the site's folder are in it too, and each is told. Not in it are the
configurations of agents that systemd starts. An existing file is not written over.

  <file>         e.g. site.balise.tar.gz
  --site         the site's folder; or $BALISE_SITE, or /etc/balise/site
  --json         the manifest's head as JSON

Exit status 0; 1 when it could not be made; 64 wrongly called; 78 the site is at fault.

example
  balise backup /media/usb/gw-1.tar.gz --site /etc/balise/site
`;

/** Databases' companions, locks, and orders that are of the moment. */
const PASSING = /(-wal|-shm|-journal|\.pid|\.new)$/;
const PAGES_A_STEP = 2_000;

/** `balise backup <file>` */
export const backup: Command = {
  name: 'backup',
  summary: "puts a site's files, data and keys into one file, while the gateway runs",
  help: HELP,
  async run(args, terminal) {
    const options = { site: { type: 'string' }, json: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [named, ...more] = positionals;
    if (more.length > 0) throw new UsageFault('one file at a time');
    const file = resolve(needed(named, '<file>'));
    if (existsSync(file)) throw new UsageFault(`${file} is there already, and is not written over`);
    if (!existsSync(dirname(file))) throw new UsageFault(`there is no folder ${dirname(file)}`);
    const site = await loadSite(siteFolderOf(values.site));
    const staging = mkdtempSync(join(dirname(file), '.balise-backup-'));
    try {
      const manifest = await gather(site, staging, terminal.stderr);
      const folders = ['site', 'data', ...(manifest.elsewhere?.length ? ['elsewhere'] : [])];
      await tar(['--create', '--gzip', '--file', `${file}.new`, '--directory', staging, MANIFEST, ...folders]);
      chmodSync(`${file}.new`, 0o600);
      renameSync(`${file}.new`, file);
      const { parts, ...head } = manifest;
      const said = { file, bytes: statSync(file).size, sha256: await sha256Of(file), parts: parts.length, ...head };
      terminal.stdout.write(
        values.json === true
          ? `${JSON.stringify(said, null, 2)}\n`
          : textOf(file, manifest, said, foreignAgents(site.folder)),
      );
      return EXIT.ok;
    } catch (fault) {
      if (!(fault instanceof BackupFault)) throw fault;
      terminal.stderr.write(`balise backup: ${fault.message}\n`);
      return EXIT.no;
    } finally {
      rmSync(`${file}.new`, { force: true });
      rmSync(staging, { recursive: true, force: true });
    }
  },
};

function textOf(
  file: string,
  { parts, site, gateway, elsewhere = [] }: Manifest,
  { bytes, sha256 }: { readonly bytes: number; readonly sha256: string },
  agents: readonly string[],
): string {
  const lines = [
    `${file}: ${parts.length} files of ${site}/${gateway}, ${bytes} bytes`,
    `sha256 ${sha256}`,
    ...elsewhere.map((one) => `from outside of the site's folder: ${one.path} (${one.file} ${one.pointer})`),
    ...agents.map(
      (agent) =>
        `not in it: the configuration of the agent ${agent}, which systemd starts; balise board agent makes a new one`,
    ),
    "it holds the site's keys: keep it where nobody else reads",
  ];
  return `${lines.join('\n')}\n`;
}

/** Copies everything of a site into `staging`, and writes the manifest there. */
async function gather(site: SiteFiles, staging: string, stderr: NodeJS.WritableStream): Promise<Manifest> {
  const { folder, dataFolder, runFolder } = site;
  const run = runFolderOf(dataFolder, runFolder);
  // What was kept aside by a restore is a site of its own.
  const isAside = (path: string): boolean => path.includes('.before-');
  const within = (root: string, path: string, other: string): boolean =>
    `${join(root, path)}${sep}`.startsWith(`${resolve(other)}${sep}`);
  const own = filesIn(folder, (path) => within(folder, path, dataFolder) || within(folder, path, run) || isAside(path));
  const data = existsSync(dataFolder)
    ? filesIn(dataFolder, (path) => within(dataFolder, path, run) || PASSING.test(path) || isAside(path))
    : [];
  const copies = [
    ...own.map((path) => ({ from: join(folder, path), to: join('site', path) })),
    ...data.map((path) => ({ from: join(dataFolder, path), to: join('data', path) })),
  ];
  const elsewhere = namedElsewhere(folder);
  copies.push(...elsewhere.map(({ part, path }) => ({ from: resolve(folder, path), to: part })));
  for (const part of ['site', 'data']) mkdirSync(join(staging, part), { mode: 0o700 });
  const progress = new Progress(stderr as never, 'files', copies.length);
  const parts = [];
  for (const [at, { from, to }] of copies.entries()) {
    const target = join(staging, to);
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    if (await copied(from, target, stderr)) parts.push(await partOf(staging, relative(staging, target)));
    progress.at(at + 1);
  }
  const manifest: Manifest = {
    format: FORMAT,
    version: readVersion(),
    site: site.site.site,
    gateway: site.site.gateway,
    madeAt: systemClock(() => ({ trusted: true }))
      .wall()
      .toString({ smallestUnit: 'second' }),
    parts,
    elsewhere,
  };
  writeFileSync(join(staging, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
  return manifest;
}

/** Copies one file, a database by SQLite's online backup. False for one that is gone meanwhile: it was of the moment. */
async function copied(from: string, to: string, stderr: NodeJS.WritableStream): Promise<boolean> {
  try {
    if (isDatabase(from)) await copyDatabase(from, to, stderr);
    else copyFileSync(from, to);
    chmodSync(to, statSync(from).mode & 0o777);
    return true;
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw new BackupFault(`${from} cannot be read: ${(fault as Error).message}`);
  }
}

async function copyDatabase(from: string, to: string, stderr: NodeJS.WritableStream): Promise<void> {
  const db = new Sqlite(from, { readonly: true, fileMustExist: true, timeout: 5_000 });
  let progress: Progress | undefined;
  try {
    // A read transaction holds one moment of a database in WAL mode: without it each write of the gateway begins the copy anew
    // (SQLite, "Using the SQLite Online Backup API"), and a busy one is never done.
    db.exec('BEGIN');
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    await db.backup(to, {
      progress: ({ totalPages, remainingPages }) => {
        progress ??= new Progress(stderr as never, 'database', totalPages);
        progress.at(totalPages - remainingPages);
        return PAGES_A_STEP;
      },
    });
  } finally {
    db.close();
  }
}
