import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { projectRoot } from '../../gateway/config/paths.js';
import { aFolder } from '../store/folder.js';

type Result = {
  passed: number;
  failed: number;
  skipped: number;
  trouble: string;
  failures: { name: string }[];
  stderr: string;
};
type Runner = {
  runFiles(files: readonly string[], jobs: number, told: (result: Result) => void): Promise<Result>;
};
const runner = (await import(pathToFileURL(join(projectRoot(), 'scripts', 'test-runner.mjs')).href)) as Runner;
const TAP = JSON.stringify(import.meta.resolve('tap'));

/** Runs a test file of these lines and returns what the runner told of it. */
async function told(t: Test, lines: string): Promise<Result> {
  const file = join(aFolder(t), 'a.test.mjs');
  writeFileSync(file, `import t from ${TAP};\n${lines}\n`);
  const results: Result[] = [];
  const sums = await runner.runFiles([file], 1, (result) => results.push(result));
  const [result] = results;
  if (result === undefined) throw new Error('the runner told nothing');
  t.match(
    sums,
    { passed: result.passed, failed: result.failed, skipped: result.skipped },
    'the sums are those of the one file',
  );
  return result;
}

t.test('each assertion counts once, however deep; a subtest that asserts nothing counts for itself', async (t) => {
  const result = await told(
    t,
    `t.test('a', async (t) => { t.ok(1); t.test('b', async (t) => { t.ok(1); t.equal(1, 1); }); });
     t.test('property', async () => undefined);
     t.ok(1);`,
  );
  t.match(result, { passed: 5, failed: 0, skipped: 0, trouble: '' });
});

t.test('a failed assertion is told with the names of its subtests and what was found', async (t) => {
  const result = await told(
    t,
    `t.test('a', async (t) => t.test('b', async (t) => { t.ok(1); t.equal(1, 2, 'sum'); }));`,
  );
  t.match(result, { passed: 1, failed: 1, failures: [{ name: 'a > b > sum', diag: { compare: '===' } }] });
  t.equal(result.failures.length, 1);
});

t.test('a subtest that throws is a failure, and so is one that asserts nothing and throws', async (t) => {
  const result = await told(
    t,
    `t.test('a', async (t) => { t.ok(1); throw new Error('x'); }); t.test('b', async () => { throw new Error('y'); });`,
  );
  t.match(result, { passed: 1, failed: 2 });
});

t.test('skipped tests are counted apart', async (t) => {
  t.match(await told(t, `t.test('a', { skip: 'why' }, async () => undefined); t.ok(1);`), {
    passed: 1,
    failed: 0,
    skipped: 1,
  });
});

t.test('a file whose process dies is a failure, with its signal and what it said', async (t) => {
  const killed = await told(t, `t.ok(1); console.error('last words'); process.kill(process.pid, 'SIGKILL');`);
  t.match(killed, { failed: 1, trouble: 'ended by SIGKILL' });
  t.match(killed.stderr, 'last words');
});

t.test('a file that passed and ends with another status than 0 is a failure', async (t) => {
  const result = await told(t, `t.ok(1); process.on('exit', () => { process.exitCode = 3; });`);
  t.match(result, { passed: 1, failed: 1, trouble: 'exit status 3 without a failed assertion' });
});

t.test('a file that cannot be loaded, and one that asserts nothing, are failures', async (t) => {
  t.equal((await told(t, 'nonsense(')).failed, 1);
  const result = await told(t, 'void t;');
  t.match(result, { passed: 0 });
  t.equal(result.failed, 1);
});

t.test('a process that a file left behind with its output open does not hold up the run, and is told', async (t) => {
  const result = await told(
    t,
    `import { spawn } from 'node:child_process';
     t.ok(1);
     const left = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 9000)'], { stdio: 'inherit', detached: true });
     left.unref();`,
  );
  t.match(result, { passed: 1, failed: 1, trouble: 'left a process behind that holds its output open' });
});
