import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { writePidFile } from '../../gateway/supervisor/pid-file.js';
import { takeRunFolder } from '../../gateway/supervisor/run-folder.js';

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'balise-run-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

t.test('the same site gets the same folder, open to its owner alone', (t) => {
  const data = folder(t);
  const first = takeRunFolder(data, undefined);
  first.release();
  const second = takeRunFolder(data, undefined);
  t.equal(first.path, second.path);
  t.equal(statSync(first.path).mode & 0o777, 0o700);
  second.release();
  t.end();
});

t.test('a site whose path is too long for a socket gets a folder of its own elsewhere', (t) => {
  const data = join(folder(t), 'a'.repeat(120));
  const taken = takeRunFolder(data, undefined);
  t.teardown(() => rmSync(taken.path, { recursive: true, force: true }));
  t.ok(taken.path.length < 90);
  t.equal(takeRunFolder(data, undefined).path, taken.path);
  t.throws(() => takeRunFolder(data, data), { name: 'StartFault', exitCode: 78, message: /too long/ });
  t.end();
});

t.test('a second gateway of the same site is refused while the first lives, and not after', (t) => {
  const data = folder(t);
  mkdirSync(join(data, 'run'));
  const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'ignore' });
  t.teardown(() => other.kill('SIGKILL'));
  other.once('spawn', () => {
    writePidFile(join(data, 'run', 'gateway.pid'), other.pid ?? 0);
    t.throws(() => takeRunFolder(data, undefined), { name: 'StartFault', message: /running already/ });
    other.once('exit', () => {
      t.doesNotThrow(() => takeRunFolder(data, undefined));
      t.end();
    });
    other.kill('SIGKILL');
  });
});
