/**
 * What `npm start` and `npm test` do before their own work: check Node, install the npm packages, build, and (for the
 * tests) see that the real peers from Debian are there. Plain JavaScript without a dependency, because nothing is
 * installed yet when it runs. It says what it does; when it cannot, it names what is missing.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Debian's packages that the tests use as peers, each with a command that succeeds when it is there. */
const PEERS = [
  { package: 'sip-tester', probe: ['sipp', '-v'] },
  { package: 'mosquitto', probe: ['mosquitto', '-h'] },
  { package: 'postgresql', probe: ['sh', '-c', 'ls /usr/lib/postgresql/*/bin/initdb || exit 127'] },
  { package: 'chromium', probe: ['chromium', '--version'] },
  { package: 'faketime', probe: ['faketime', '--version'] },
  { package: 'openssl', probe: ['openssl', 'version'] },
  { package: 'rtpengine-daemon', probe: ['rtpengine', '--version'] },
  { package: 'age', probe: ['age', '--version'] },
  { package: 'socat', probe: ['socat', '-V'] },
  { package: 'python3-pymodbus', probe: ['/usr/bin/python3', '-c', 'import pymodbus'] },
  { package: 'python3-serial', probe: ['/usr/bin/python3', '-c', 'import serial'] },
  { package: 'python3-serial-asyncio', probe: ['/usr/bin/python3', '-c', 'import serial_asyncio'] },
];

/** Prints one line of progress. */
export function say(text) {
  process.stdout.write(`balise: ${text}\n`);
}

/** Says what is wrong and what to do, and ends with `code`. */
export function giveUp(text, code = 1) {
  process.stderr.write(`balise: ${text}\n`);
  process.exit(code);
}

function run(command, args, options = {}) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
}

function digest(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

/** Vite needs 20.19; better-sqlite3 12 as npm builds it ends the process in a garbage collection from 24.19 on. */
function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    giveUp(`Node ${process.versions.node} is too old: install Node 20.19 or newer (Debian: nodejs)`);
  if ((major === 24 && minor >= 19) || major > 24)
    say(
      `Node ${process.versions.node} may abort with this version's database module: use Node 20, 22 or 24.18 here ` +
        '(scripts/install brings a runtime for which it is built to fit)',
    );
}

/** Installs the npm packages when package-lock.json has changed since the last time. */
export function installPackages() {
  checkNode();
  const stamp = join(root, 'node_modules', '.balise-lock');
  const wanted = digest(['package-lock.json', 'package.json']);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  const folder = join(root, 'node_modules');
  if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink())
    giveUp(`${folder} is a link, and npm would empty the folder behind it: remove the link, or install there yourself`);
  say('installing the npm packages (better-sqlite3 is compiled here when no ready build is found: about a minute)');
  const npm = run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  if (npm.error?.code === 'ENOENT') giveUp('npm is missing: install it (Debian: npm)');
  if (npm.status !== 0) {
    giveUp(
      'npm ci failed; see above. Without a network to the npm registry nothing can be installed. ' +
        'When the compiler is what is missing: apt-get install build-essential python3',
    );
  }
  writeFileSync(stamp, wanted);
}

/** Compiles the TypeScript to dist/, where only what changed is compiled again, and builds the console's pages. */
export function build() {
  say('building');
  const tsc = run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', '.']);
  if (tsc.status !== 0) giveUp('the build failed; see above');
  const schemas = run(process.execPath, [join(root, 'dist', 'scripts', 'compile-schemas.js')]);
  if (schemas.status !== 0) giveUp('the schemas could not be compiled; see above');
  buildConsole();
}

/** The files that the console's pages are made of: their own, and the wire types and codes that they are checked against. */
function consoleSources() {
  const within = (folder) =>
    readdirSync(join(root, 'gateway', 'console', folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(relative(root, entry.parentPath ?? entry.path), entry.name))
      .sort();
  const codes = ['calls/record.ts', 'policy/decision.ts'].map((file) => join('gateway', file));
  return [...within('web'), ...within('api'), ...codes, 'tsconfig.json', 'package-lock.json'];
}

/** Type-checks the console's pages and builds them into dist/console-web, when what they are made of has changed. */
export function buildConsole() {
  const stamp = join(root, 'dist', 'console-web', '.built');
  const wanted = digest(consoleSources());
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('building the console');
  const web = join('gateway', 'console', 'web');
  const tsc = run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', web]);
  if (tsc.status !== 0) giveUp('the console does not pass its type check; see above');
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const built = run(process.execPath, [vite, 'build', '--config', join(web, 'vite.config.mjs')]);
  if (built.status !== 0) giveUp('the console could not be built; see above');
  writeFileSync(stamp, wanted);
}

function missingPeers() {
  const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` };
  return PEERS.filter(({ probe: [command, ...args] }) => {
    const probe = spawnSync(command, args, { stdio: 'ignore', env, timeout: 20_000 });
    return probe.error !== undefined || probe.status === 127 || (probe.status === 1 && command.includes('python'));
  }).map((peer) => peer.package);
}

/** Sees that the real peers of the tests are installed: installs them as root, else names them. Returns those still missing. */
export function installPeers() {
  let missing = missingPeers();
  if (missing.length === 0) return missing;
  if (process.getuid?.() !== 0) {
    say(`missing Debian packages, their tests are skipped: apt-get install ${missing.join(' ')}`);
    return missing;
  }
  say(`installing Debian packages: ${missing.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const quiet = { env, stdio: ['ignore', 'ignore', 'inherit'] };
  const install = () => run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], quiet);
  if (install().status !== 0) {
    run('apt-get', ['update', '-qq'], quiet);
    install();
  }
  missing = missingPeers();
  if (missing.length > 0)
    say(`still missing, their tests ${process.env.CI ? 'fail' : 'are skipped'}: ${missing.join(' ')}`);
  return missing;
}

/** A folder under the project's root, made when it is not there. */
export function folder(...parts) {
  const path = join(root, ...parts);
  mkdirSync(path, { recursive: true });
  return path;
}
