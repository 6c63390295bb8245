/**
 * Runs test files as processes of their own, some at once, and reads their TAP. Plain JavaScript, because `npm test` runs
 * before anything is built. A file is a failure when an assertion failed, when its process ended in any other way than with
 * status 0, or when it did not end. What failed is told at once, with what the file wrote to its standard error.
 */
import { spawn } from 'node:child_process';
import { relative } from 'node:path';
import { Parser } from 'tap-parser';
import { root } from './set-up.mjs';

/** Seconds after which a test file gives up by itself, and after which it is ended from outside. */
const GIVES_UP_S = 180;
const ENDED_S = 200;
/** Seconds that the output of a file may stay open after its end. */
const ORPHAN_S = 5;
const KEPT_STDERR = 16_000;
const running = new Set();

/** The full names of an assertion and of the subtests around it. */
function path(parser, assertion) {
  const names = [assertion.name];
  for (let at = parser; at.parent !== null; at = at.parent) names.unshift(at.name);
  return names.join(' > ');
}

/**
 * Counts the assertions of a stream of TAP 14; a subtest counts as what it holds.
 * Returns the parser to write to; `counts.failures` has the name and the diagnostics of each that failed.
 */
export function counting(counts) {
  const listen = (parser) => {
    const subtests = [];
    parser.on('child', (child) => {
      subtests.push(child);
      listen(child);
    });
    parser.on('assert', (assertion) => {
      // The point that closes a subtest follows it; one that holds no assertion (it may throw, or not) counts for itself.
      if ((subtests.shift()?.count ?? 0) > 0) return;
      if (assertion.skip || assertion.todo) counts.skipped += 1;
      else if (assertion.ok) counts.passed += 1;
      else {
        counts.failed += 1;
        counts.failures.push({ name: path(parser, assertion), diag: assertion.diag ?? {} });
      }
    });
  };
  const parser = new Parser();
  listen(parser);
  return parser;
}

function printed({ name, diag }) {
  const text = JSON.stringify(diag, null, 2) ?? '';
  return `  not ok: ${name}\n${text.slice(0, 4_000).replace(/^/gm, '    ')}\n`;
}

/** Runs one file; resolves to its counts, its duration in seconds and why it failed, if it did. */
function runFile(file) {
  const counts = { file, passed: 0, failed: 0, skipped: 0, failures: [], seconds: 0, trouble: '', stderr: '' };
  const start = performance.now();
  const parser = counting(counts);
  const test = spawn(process.execPath, [file], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, TAP_TIMEOUT: String(GIVES_UP_S) },
  });
  running.add(test);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    test.kill('SIGKILL');
  }, ENDED_S * 1_000);
  test.stdout.on('data', (chunk) => parser.write(chunk));
  test.stderr.on('data', (chunk) => {
    counts.stderr = (counts.stderr + chunk).slice(-KEPT_STDERR);
  });
  return new Promise((settle) => {
    test.on('error', (error) => {
      clearTimeout(timer);
      settle({ ...counts, trouble: error.message, failed: 1 });
    });
    const ended = (code, signal) => {
      clearTimeout(timer);
      parser.end();
      counts.seconds = (performance.now() - start) / 1_000;
      if (late) counts.trouble = `did not end in ${ENDED_S} s`;
      else if (signal !== null) counts.trouble = `ended by ${signal}`;
      else if (code !== 0 && counts.failed === 0) counts.trouble = `exit status ${code} without a failed assertion`;
      else if (!parser.results.ok && counts.failed === 0) counts.trouble = 'its TAP is not whole';
      else if (counts.passed + counts.failed + counts.skipped === 0) counts.trouble = 'asserts nothing';
      if (counts.trouble !== '') counts.failed += 1;
      settle(counts);
    };
    test.on('exit', (code, signal) => {
      running.delete(test);
      // What the file started and left behind may hold its pipes open: then what has come is all.
      const orphaned = setTimeout(() => {
        counts.trouble = 'left a process behind that holds its output open';
        test.stdout.destroy();
        test.stderr.destroy();
      }, ORPHAN_S * 1_000);
      test.once('close', () => {
        clearTimeout(orphaned);
        ended(code, signal);
      });
    });
  });
}

/**
 * Runs `files`, `jobs` at once: the last job takes them from the end, so that what is heavy (and first) meets what is light; calls `told` with each result as it comes.
 * Returns the sums `{ passed, failed, skipped }`; assertions, and one failure more for a file that ended otherwise.
 */
export async function runFiles(files, jobs, told = tell) {
  const sums = { passed: 0, failed: 0, skipped: 0 };
  const left = [...files];
  let done = 0;
  const worker = async (next) => {
    for (let file = next(); file !== undefined; file = next()) {
      const result = await runFile(file);
      done += 1;
      for (const key of Object.keys(sums)) sums[key] += result[key];
      told(result, done, files.length);
    }
  };
  const workers = Array.from({ length: jobs }, (_, n) =>
    worker(n > 0 && n === jobs - 1 ? () => left.pop() : () => left.shift()),
  );
  await Promise.all(workers);
  return sums;
}

/** Ends the test files that still run, for example because the run itself was asked to end. */
export function endRunning() {
  for (const test of running) test.kill('SIGTERM');
}

/** Prints one line a file, and all that is known about a failure. */
export function tell(result, done, total) {
  const name = relative(root, result.file).replace(/^dist\//, '');
  const skipped = result.skipped > 0 ? `, ${result.skipped} skipped` : '';
  const seconds = `${result.seconds.toFixed(1)} s`;
  if (result.failed === 0) {
    process.stdout.write(`[${done}/${total}] ${name}: ${result.passed} passed${skipped}, ${seconds}\n`);
    return;
  }
  process.stdout.write(
    `[${done}/${total}] FAILED ${name}: ${result.failed} of ${result.passed + result.failed}, ${seconds}\n`,
  );
  if (result.trouble !== '') process.stdout.write(`  ${result.trouble}\n`);
  for (const failure of result.failures) process.stdout.write(printed(failure));
  if (result.stderr !== '') process.stdout.write(`  its standard error:\n${result.stderr.replace(/^/gm, '    ')}\n`);
}
