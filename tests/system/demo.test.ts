/** `npm start` on embedded defaults: what a newcomer reads in the terminal. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

const program = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'scripts', 'demo', 'main.js');

/** The demo as a child; `exited` settles with its exit code. */
function demo(t: Test, ...args: readonly string[]) {
  const child = spawn(process.execPath, ['--enable-source-maps', program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, as a shell makes it.
    detached: true,
  });
  const lines: string[] = [];
  let waiting: (() => void)[] = [];
  const said = (line: string) => {
    lines.push(line);
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  };
  createInterface({ input: child.stdout }).on('line', said);
  createInterface({ input: child.stderr }).on('line', said);
  const exited = new Promise<number | null>((resolve) =>
    child.once('close', (code) => {
      said('(ended)');
      resolve(code);
    }),
  );
  t.teardown(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  return {
    child,
    lines,
    exited,
    /** The first line that matches, once it has come. */
    async line(wanted: RegExp): Promise<string> {
      for (;;) {
        const found = lines.find((line) => wanted.test(line));
        if (found !== undefined) return found;
        if (lines.at(-1) === '(ended)') throw new Error(`the demo ended before ${wanted}:\n${lines.join('\n')}`);
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
  };
}

t.test('the demo’s day of calls is told as it happens, each end by its name and with its measured error', async (t) => {
  const { lines, exited } = demo(t, '--once');
  t.equal(await exited, 0, 'the day went as it must');
  const story = lines.join('\n');
  const scenes = lines.filter((line) => /^\W*[1-7]\. /.test(line));
  t.equal(scenes.length, 7, scenes.join(' | '));
  t.match(story, /480: refused by (window|holiday)\.callee/);
  t.match(story, /403: refused by number\.not-sanctioned/);
  t.match(story, /hears the warning tone/);
  t.match(story, /cut by the gateway at its deadline: BYE [+−-]\d+(\.\d+)? ms, last packet [+−-]\d+(\.\d+)? ms/);
  t.match(story, /\bdeadline\b/);
  t.match(story, /\bcutoff\b/);
  t.match(story, /has the gateway's word: done in \d+ ms/);
  t.match(story, /relay 0 opens: the pair is cut/);
  t.match(
    story,
    /p-1 at b-201: signed-on[\s\S]*p-1 at b-201: talking[\s\S]*trains, contact .*: do-not-call[\s\S]*p-1 at b-201: signed-off \(keyed\)/,
  );
  t.match(story, /by the clock of this machine, with calling hours that are open at any hour, for the demo only/);
  t.match(
    story,
    /by the rules on file Brussels, where it is \d\d:\d\d, would .*; Ankara, where it is \d\d:\d\d, would /,
  );
  t.match(story, /data-check, contact .*: refused/);
  for (const person of ['p-1', 'p-2'])
    t.match(
      story,
      new RegExp(`statement +${person}, \\d{4}-\\d\\d, .* paid, of it 0:00:0[1-9] of talk, is 0\\.0\\d EUR`),
    );
  const day = lines.slice(lines.findIndex((line) => /^\W*6\. /.test(line))).join('\n');
  t.notMatch(day.replace(/\D/g, ''), /25550100|25550101|2121234567/, 'no contact’s number is told to anybody');
  const folder = /the site is (\S+)/.exec(story)?.[1] ?? '';
  t.not(folder, '');
  t.notOk(existsSync(folder), 'nothing is left behind');
});

t.test(
  'the demo stays up for a soft phone, and a SIGTERM to all of its processes at once ends it in order',
  async (t) => {
    const { child, line, lines, exited } = demo(t, '--no-day');
    t.match(await line(/soft phone/), /user b202, password demo-b202, domain balise, proxy 127\.0\.0\.1:\d+/);
    const page = /http:\S+/.exec(await line(/the console /))?.[0] ?? '';
    t.equal((await fetch(page)).status, 200, 'the technicians’ page answers');
    process.kill(-(child.pid ?? 0), 'SIGTERM');
    t.equal(await exited, 0);
    t.notMatch(lines.join('\n'), /plane-lost|plane\.lost/, 'no plane is told to be lost');
  },
);

t.test('an argument that the demo does not know is an error that says so', async (t) => {
  const { exited, lines } = demo(t, '--nonsense');
  t.equal(await exited, 64);
  t.match(lines.join('\n'), /nonsense[\s\S]*Usage: npm start/);
});
