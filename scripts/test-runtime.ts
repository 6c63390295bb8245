/**
 * `npm run test:runtime [-- rooms]`: the tests on the Node that an installation brings, in a copy of the tree with packages
 * that are built for it; the tree's own are left alone. The first run fetches and compiles (minutes); the copy stays in
 * `.build-runtime/` for the next. Exit status: that of the tests.
 */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../gateway/config/paths.js';
import { bringRuntime, buildsFor, RUNTIME } from './installation/runtime.js';

const home = join(projectRoot(), '.build-runtime');
const runtime = join(home, 'node');
const tree = join(home, 'tree');
const stamp = join(runtime, '.version');
/** What a run makes, and the next may use. */
const KEPT = ['node_modules', 'dist'];

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== RUNTIME) {
  process.stdout.write(`balise: fetching Node ${RUNTIME}\n`);
  rmSync(home, { recursive: true, force: true });
  bringRuntime(runtime);
  writeFileSync(stamp, RUNTIME);
}
for (const name of existsSync(tree) ? readdirSync(tree) : [])
  if (!KEPT.includes(name)) rmSync(join(tree, name), { recursive: true, force: true });
const listed = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
const files = execFileSync('git', listed, { cwd: projectRoot(), encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 });
for (const file of files.split('\0').filter((name) => name !== '' && existsSync(join(projectRoot(), name))))
  cpSync(join(projectRoot(), file), join(tree, file));
const tests = spawn(join(runtime, 'bin', 'node'), [join(tree, 'scripts', 'test.mjs'), ...process.argv.slice(2)], {
  cwd: tree,
  env: buildsFor(runtime),
  stdio: 'inherit',
});
tests.on('exit', (code) => process.exit(code ?? 1));
