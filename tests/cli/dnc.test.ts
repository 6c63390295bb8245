import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import t, { type Test } from 'tap';
import { projectRoot } from '../../gateway/config/paths.js';
import { runCli } from '../../scripts/cli/main.js';
import { cellOf, eachLine } from '../../scripts/cli/number-lines.js';
import { SiteFolder } from '../config/site-folder.js';
import { balise } from './terminal.js';

async function site(t: Test): Promise<SiteFolder> {
  const folder = await SiteFolder.make();
  t.teardown(() => folder.remove());
  await folder.edit('profiles', (profiles) => {
    for (const profile of profiles) profile.doNotCall = [{ list: 'tps', mostAgeH: 48 }];
  });
  return folder;
}

const importing = (folder: SiteFolder, text: string, ...more: readonly string[]) =>
  balise(['dnc', 'import', '--site', folder.path, '--list', 'tps', '--made', '2026-03-04', ...more, '-'], text);
const explained = (folder: SiteFolder, number: string, at = '2026-03-04T12:00') =>
  balise(['explain', '--site', folder.path, '--handset', 'a-101', '--number', number, '--at', at]);

t.test('a list is imported, asked by every call, and goes stale', async (t) => {
  const folder = await site(t);
  t.match((await explained(folder, '+442079460001')).stdout, /✗ dnc.stale +the do-not-call list tps cannot be asked/);
  const csv = 'number;since\r\n+442079460002;2020\r\n"0044 20 7946 0003";2021\r\n+44 (0)20;\r\n';
  t.match(await importing(folder, csv), {
    status: 1,
    stderr: /line 4: no telephone number\n1 lines hold no number: nothing/,
  });
  t.match((await balise(['dnc', 'show', '--site', folder.path])).stdout, 'no list');
  t.match(await importing(folder, csv, '--skip-bad'), {
    status: 0,
    stdout: /^tps: 2 numbers, 0 doubled, 0 .*1 lines left out/,
  });
  t.match(await explained(folder, '+442079460001'), { status: 0 });
  t.match((await explained(folder, '+442079460003')).stdout, /refused by dnc.listed/);
  t.match((await explained(folder, '+442079460001', '2026-03-06T12:00')).stdout, /refused by dnc.stale/);
  t.match((await balise(['dnc', 'show', '--site', folder.path])).stdout, /tps {2}2 numbers, made 2026-03-03T23:00/);
});

t.test('find tells whether a number is on a list, in whatever form', async (t) => {
  const folder = await site(t);
  await importing(folder, 'x,+442079460002\n,\ny,+442079460002\n', '--column', '2');
  const find = (number: string) => balise(['dnc', 'find', '--site', folder.path, '--list', 'tps', '--number', number]);
  t.match(await find('00442079460002'), { status: 1, stdout: 'on the list tps' });
  t.match(await find('+442079460001'), { status: 0, stdout: 'not on the list tps' });
  t.match(await find('nobody'), { status: 64 });
});

t.test('a long import shows how far it is: over itself at a terminal, a line each tenth elsewhere', async (t) => {
  const folder = await site(t);
  const file = join(folder.path, 'list.csv');
  const lines = Array.from(
    { length: 1_100 },
    (_, n) => `+44207946${String(n % 1_000).padStart(4, '0')},${'x'.repeat(1_000)}`,
  );
  writeFileSync(file, lines.join('\n'));
  const run = ['dnc', 'import', '--site', folder.path, '--list', 'tps', '--made', '2026-03-04', file];
  const plain = await balise(run);
  t.match(plain, { status: 0, stdout: /^tps: 1000 numbers, 100 doubled/ });
  t.equal(plain.stderr.match(/%\n/g)?.length, 11, plain.stderr);
  t.match(plain.stderr, /^·{25} 0 %\n██·{23} 10 %\n[\s\S]*█{25} 100 %\n/);
  const [stdout, stderr] = [new PassThrough(), Object.assign(new PassThrough(), { isTTY: true })];
  t.equal(await runCli(run, { stdin: Readable.from(['']), stdout, stderr }), 0);
  const drawn = String(stderr.read());
  t.match(drawn, /^\r·{25} 0 %\r·{25} 1 %[\s\S]*\r█{25} 100 %\n$/);
  t.equal(drawn.split('\n').length, 2, 'one line, drawn over itself');
});

/** Lists by file name, and whatever else lies beside them. */
const beside = (folder: SiteFolder): readonly string[] => readdirSync(join(folder.path, 'data', 'do-not-call')).sort();

t.test('a list that is empty, or lost more than half, is taken on demand alone', async (t) => {
  const folder = await site(t);
  t.match(await importing(folder, ''), {
    status: 1,
    stderr: /^it has 0 numbers: nothing was changed; --fewer takes it/,
  });
  await importing(folder, '+442079460001\n+442079460002\n+442079460003\n');
  t.match(await importing(folder, '+442079460004\n'), {
    status: 1,
    stderr: /^it has 1 numbers, and the one in force 3: nothing was changed/,
  });
  t.match((await balise(['dnc', 'show', '--site', folder.path])).stdout, /tps {2}3 numbers/);
  t.match(await importing(folder, '+442079460004\n', '--fewer'), { status: 0 });
  t.same(beside(folder), ['tps.dnc']);
});

t.test('what cannot be read or written changes nothing and leaves nothing behind', async (t) => {
  const folder = await site(t);
  await importing(folder, '+442079460001\n');
  t.match(await importing(folder, `+442079460002\n${'5'.repeat(70_000)}\n`), {
    status: 1,
    stderr: 'line 2 is longer than 65536 characters: it is no list of numbers: nothing was changed\n',
  });
  t.match(await importing(folder, '+442079460002\n', '--fewer', '--made', '2999-01-01'), { status: 64 });
  const stdin = Readable.from(
    (async function* () {
      yield '+442079460002\n';
      // The disk goes away meanwhile.
      for (const name of beside(folder))
        if (name.startsWith('.')) rmSync(join(folder.path, 'data', 'do-not-call', name), { recursive: true });
      yield '+442079460003\n';
    })(),
  );
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const args = ['dnc', 'import', '--site', folder.path, '--list', 'tps', '--made', '2026-03-05', '-'];
  t.equal(await runCli(args, { stdin, stdout, stderr }), 1);
  t.match(String(stderr.read()), /^the list cannot be read or written \(ENOENT.*\): nothing was changed\n$/);
  t.same(beside(folder), ['tps.dnc']);
  t.match((await balise(['dnc', 'show', '--site', folder.path])).stdout, /tps {2}1 numbers, made 2026-03-03/);
});

/** An import that has begun, in a process of its own, and waits for more of its list. */
async function begun(folder: SiteFolder) {
  const args = ['dnc', 'import', '--site', folder.path, '--list', 'tps', '--made', '2026-03-05', '-'];
  const child = spawn(process.execPath, [join(projectRoot(), 'scripts', 'balise.mjs'), ...args]);
  child.stdin.on('error', () => undefined);
  // More than a pipe holds: once it is written, the import reads.
  await new Promise((settle) => child.stdin.write('+442079460001\n'.repeat(50_000), settle));
  return child;
}

t.test('an import that is interrupted leaves the list of before in force, and nothing beside it', async (t) => {
  const folder = await site(t);
  await importing(folder, '+442079460001\n');
  const child = await begun(folder);
  t.equal(beside(folder).length, 2, 'a hidden folder while it lasts');
  child.kill('SIGINT');
  t.same(await once(child, 'exit'), [null, 'SIGINT']);
  t.same(beside(folder), ['tps.dnc']);
  t.match((await balise(['dnc', 'show', '--site', folder.path])).stdout, /tps {2}1 numbers, made 2026-03-03/);
});

t.test('what a killed import left is swept away by the next one, and that of one that runs is not', async (t) => {
  const folder = await site(t);
  await importing(folder, '+442079460001\n');
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  for (const pid of [child.pid, process.pid])
    mkdirSync(join(folder.path, 'data', 'do-not-call', `.tps.dnc-${pid}-abcdef`, 'run-0'), { recursive: true });
  t.match(await importing(folder, '+442079460001\n'), { status: 0 });
  t.same(beside(folder), [`.tps.dnc-${process.pid}-abcdef`, 'tps.dnc']);
});

t.test('lines are lines wherever the pieces of a file are cut, and cells are cells in quotation marks', async (t) => {
  const text = '\ufeff+32;"a ""b"", c";٠٢\r\n\nlast';
  for (const size of [1, 2, 3, 7, 100]) {
    const bytes = Buffer.from(text);
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    );
    const lines: string[] = [];
    await eachLine(
      Readable.from(pieces),
      (line) => lines.push(line),
      () => undefined,
    );
    t.same(lines, text.split(/\r?\n/), `${size} bytes at a time`);
  }
  const cells = (line: string) => [1, 2, 3, 4].map((column) => cellOf(line, column));
  t.same(cells('\ufeff+32;"a ""b"", c";٠٢'), ['+32', 'a "b", c', '٠٢', '']);
  t.same(cells('"+32 470",,x\ty'), ['+32 470', '', 'x', 'y']);
  t.same(cells('"+32'), ['"+32', '', '', '']);
});

t.test('what is called wrongly is told, with status 64', async (t) => {
  const folder = await site(t);
  for (const args of [[], ['import'], ['import', '--list', '../x'], ['import', '--list', 'x', '--made', 'once', 'f']]) {
    t.equal((await balise(['dnc', '--site', folder.path, ...args])).status, 64, args.join(' '));
  }
});
