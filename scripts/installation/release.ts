/** A release: one version of the program in a folder of its own, whole, with its packages and its runtime. */
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EXIT } from '../cli/command.js';
import { run } from './child.js';
import { InstallFault } from './fault.js';
import type { Machine } from './machine.js';
import { PROGRAMS } from './places.js';
import { bringRuntime, buildsFor, pruneRuntime, RUNTIME } from './runtime.js';

/** What is known of a release; it lies in the release itself. */
export interface ReleaseNote {
  readonly version: string;
  /** Of everything that the program is made of; two of one version may differ. */
  readonly digest: string;
  /** Of its packages and its runtime. */
  readonly packages: string;
  /** The version of the store that it writes (`PRAGMA user_version`). */
  readonly storeVersion: number;
  /** The runtime's version, or `machine`. */
  readonly runtime: string;
  readonly architecture: string;
}

export interface Release extends ReleaseNote {
  /** The name of its folder in /opt/balise. */
  readonly id: string;
}

/** `machine`: the Node that runs the installer, and the packages that lie in the source already. */
export type RuntimeChoice = 'brought' | 'machine';

const NOTE = 'release.json';
/** What a release is made of; tests and sources stay behind. */
const FILES = ['package.json', 'package-lock.json', 'LICENSE', 'README.md', 'CHANGELOG.md'];
const FOLDERS = ['dist', 'config', 'scripts', 'device-agents'];
const isWanted = (path: string): boolean =>
  !/^dist\/(tests(\/|$)|\.tsbuildinfo)/.test(path) &&
  !/^config\/demo\/(data|run)(\/|$)/.test(path) &&
  !(/^(scripts|device-agents|config)\//.test(path) && path.endsWith('.ts'));

function filesOf(source: string, folder: string): readonly string[] {
  return readdirSync(join(source, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(source, join(entry.parentPath ?? entry.path, entry.name)))
    .filter(isWanted);
}

const isBuilt = (source: string): boolean =>
  ['dist/gateway/main.js', 'dist/console-web/index.html'].every((file) => existsSync(join(source, file)));

/** The note of an installed release; undefined when there is none of that name. */
export function readRelease(machine: Machine, id: string): Release | undefined {
  const text = machine.read(`${PROGRAMS}/${id}/${NOTE}`);
  return text === undefined ? undefined : { id, ...(JSON.parse(text) as ReleaseNote) };
}

/** Every release that is installed. */
export function releases(machine: Machine): readonly Release[] {
  if (!machine.has(PROGRAMS)) return [];
  return readdirSync(machine.at(PROGRAMS), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .flatMap(({ name }) => readRelease(machine, name) ?? []);
}

async function describe(source: string, choice: RuntimeChoice): Promise<ReleaseNote> {
  const text = readFileSync(join(source, 'package.json'), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  const own = join(source, NOTE);
  const from = existsSync(own) ? (JSON.parse(readFileSync(own, 'utf8')) as ReleaseNote) : undefined;
  if (from !== undefined && from.architecture !== process.arch)
    throw new InstallFault(
      `${source} is built for ${from.architecture}, and this machine is ${process.arch}`,
      EXIT.unavailable,
    );
  const runtime = from?.runtime ?? (choice === 'machine' ? 'machine' : RUNTIME);
  const lock = readFileSync(join(source, 'package-lock.json'));
  const built = runtime === 'machine' ? `machine ${process.versions.modules}` : runtime;
  const packages = createHash('sha256').update(`${built} ${process.arch}`).update(lock).digest('hex');
  const hash = createHash('sha256').update(packages);
  for (const file of [...FILES, ...FOLDERS.flatMap((folder) => filesOf(source, folder))].sort())
    hash.update(`${file}\0`).update(readFileSync(join(source, file)));
  const migrations = pathToFileURL(join(source, 'dist', 'gateway', 'store', 'migrations.js')).href;
  const { SCHEMA_VERSION: storeVersion } = (await import(migrations)) as { SCHEMA_VERSION: number };
  return {
    version,
    digest: hash.digest('hex'),
    packages: from?.packages ?? packages,
    storeVersion,
    runtime,
    architecture: process.arch,
  };
}

/**
 * Puts the release that `source` is, or that it is the source of, into /opt/balise; one that is there already stays as it
 * is. A source must be built. Throws an `InstallFault` when it is not whole, or when packages or runtime cannot be had;
 * nothing half made is left under the release's name.
 */
export async function putRelease(machine: Machine, source: string, choice: RuntimeChoice): Promise<Release> {
  if (!isBuilt(source)) throw new InstallFault(`${source} is not built: npm run build`, EXIT.unavailable);
  const note = await describe(source, choice);
  const taken = readRelease(machine, note.version);
  const id =
    taken === undefined || taken.digest === note.digest ? note.version : `${note.version}+${note.digest.slice(0, 8)}`;
  const release = { id, ...note };
  if (readRelease(machine, id)?.digest === note.digest) {
    machine.say(`release ${id} is in place`);
    return release;
  }
  const fresh = machine.at(`${PROGRAMS}/.new-${id}`);
  machine.work(`put release ${id} into ${PROGRAMS}/${id}, with its packages and the runtime ${note.runtime}`, () => {
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh, { recursive: true, mode: 0o755 });
    copyProgram(source, fresh);
    bringTheRest(machine, source, fresh, note);
    writeFileSync(join(fresh, NOTE), `${JSON.stringify(note, null, 2)}\n`);
    renameSync(fresh, machine.at(`${PROGRAMS}/${id}`));
  });
  return release;
}

function copyProgram(source: string, to: string): void {
  for (const file of FILES) cpSync(join(source, file), join(to, file));
  for (const file of ['.npmrc']) if (existsSync(join(source, file))) cpSync(join(source, file), join(to, file));
  for (const folder of FOLDERS)
    cpSync(join(source, folder), join(to, folder), {
      recursive: true,
      preserveTimestamps: true,
      filter: (path) => isWanted(relative(source, path)),
    });
}

function bringTheRest(machine: Machine, source: string, to: string, { runtime, packages }: ReleaseNote): void {
  const copy = (what: string, from: string, how: readonly string[]): void => {
    mkdirSync(dirname(join(to, what)), { recursive: true });
    run('cp', ['-r', '--no-dereference', ...how, join(from, what), join(to, what)]);
  };
  const COPY = ['--preserve=mode,timestamps', '--reflink=auto'];
  const twin = releases(machine).find((other) => other.packages === packages);
  if (twin !== undefined) {
    machine.say(`packages and runtime are those of release ${twin.id}`);
    // Nothing ever writes into a release: two may share their files.
    for (const what of ['node_modules', 'runtime']) copy(what, machine.at(`${PROGRAMS}/${twin.id}`), ['--link']);
  } else if (existsSync(join(source, NOTE))) {
    machine.say('copying its packages and its runtime');
    for (const what of ['node_modules', 'runtime']) copy(what, source, COPY);
  } else if (runtime === 'machine') {
    machine.say('copying its packages');
    for (const name of productionPackages(source)) copy(name, source, COPY);
    mkdirSync(join(to, 'runtime', 'bin'), { recursive: true });
    symlinkSync(process.execPath, join(to, 'runtime', 'bin', 'node'));
  } else {
    machine.say(`fetching Node ${runtime}`);
    bringRuntime(join(to, 'runtime'));
    machine.say('installing its packages; native ones are compiled for that Node: two to four minutes');
    const npm = ['ci', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error'];
    const hint = 'compiling takes apt-get install build-essential python3, and the npm registry must be reached';
    run('npm', npm, { cwd: to, env: buildsFor(join(to, 'runtime')) }, hint);
    pruneRuntime(join(to, 'runtime'));
  }
}

/** The folders of the packages that the program needs when it runs, outermost first; what lies within one comes with it. */
function productionPackages(source: string): readonly string[] {
  const lock = JSON.parse(readFileSync(join(source, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean }>>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev }]) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && dev !== true)
    .flatMap(([path, { optional }]) => {
      if (existsSync(join(source, path))) return [path];
      if (optional === true) return [];
      throw new InstallFault(`${path} is missing in ${source}: npm ci`, EXIT.unavailable);
    });
}
