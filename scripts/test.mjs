/**
 * `npm test`: installs what it needs, builds, checks format, lint and import rules, and runs every test.
 * The last line reads `N passed, N failed`. `npm test -- calls policy` runs the tests of these rooms alone.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, installPackages, root, say } from './set-up.mjs';

/** Test files at once: one more than the cores of the smallest machine, because many of them wait. */
const JOBS = Number(process.env.BALISE_TEST_JOBS) || 3;
/** The rooms whose files take longest, the longest first. */
const LONG_ROOMS = ['system', 'simulator', 'console', 'signalling', 'calls', 'sip-engine', 'scripts', 'cli'];
const rooms = process.argv.slice(2).filter((arg) => !arg.startsWith('-'));
const counts = { passed: 0, failed: 0, skipped: 0 };

function finish() {
  if (counts.skipped > 0) say(`${counts.skipped} skipped: run one file with \`node <file>\` to read why`);
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
  process.exit(counts.failed > 0 || counts.passed === 0 ? 1 : 0);
}

/** Starts a program beside what else is done; what it says is told whole, at its end. Returns a promise of its exit status. */
function beside(name, command, args) {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk));
  child.on('error', (error) => said.push(Buffer.from(`${error.message}\n`)));
  const endIt = () => child.kill('SIGKILL');
  process.once('exit', endIt);
  return once(child, 'close').then(
    ([status]) => {
      process.off('exit', endIt);
      say(name);
      process.stdout.write(Buffer.concat(said));
      return status;
    },
    (error) => {
      say(`${name}: ${error.message}`);
      return undefined;
    },
  );
}

/** A check of the tree as a whole; it counts as one test. */
async function check(name, command, args) {
  if ((await beside(name, command, args)) === 0) counts.passed += 1;
  else counts.failed += 1;
}

function testFiles(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.js'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

// The network and the disk are what both wait for.
const peers = beside('installing what the tests speak to', process.execPath, [
  join(root, 'scripts', 'install-peers.mjs'),
]);
installPackages();
const missing = await peers;
if (missing !== 0 && process.env.CI) counts.failed += missing ?? 1;
rmSync(join(root, 'dist', 'tests'), { recursive: true, force: true });
rmSync(join(root, 'dist', '.tsbuildinfo'), { force: true });
const bin = (name) => join(root, 'node_modules', '.bin', name);
const checks = [];
if (rooms.length === 0) {
  const trees = ['gateway', 'device-agents', 'scripts', 'tests'];
  // The compiler has one thread: these take the other core.
  checks.push(
    check('checking format and lint', bin('biome'), ['ci', '.']),
    check('checking the import rules of the house', bin('depcruise'), [
      '--config',
      '.dependency-cruiser.cjs',
      ...trees,
    ]),
  );
}
build();
await Promise.all(checks);
if (rooms.length === 0) {
  await check('checking that the generated types match the schemas', process.execPath, [
    join(root, 'dist', 'scripts', 'generate-types.js'),
    '--check',
  ]);
}

const all = testFiles(join(root, 'dist', 'tests'));
const files = rooms.length === 0 ? all : all.filter((file) => rooms.some((room) => file.includes(`/tests/${room}`)));
say(`running ${files.length} test files, ${JOBS} at once`);
// The long ones first: a long file that starts last would run alone.
const weight = (file) => {
  const at = LONG_ROOMS.findIndex((room) => file.includes(`/tests/${room}/`));
  return at < 0 ? LONG_ROOMS.length : at;
};
const inOrder = files.toSorted((a, b) => weight(a) - weight(b));
// Imported here: its parser of TAP is there only now.
const { endRunning, runFiles } = await import('./test-runner.mjs');
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    endRunning();
    say(`ended by ${signal}`);
    process.exit(1);
  });
const sums = await runFiles(inOrder, JOBS);
for (const key of Object.keys(counts)) counts[key] += sums[key];
finish();
