import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { askedFor, HELP, isUsage } from './asked.js';
import { PLANTS } from './plants.js';

const PROGRAM = fileURLToPath(new URL('../../scripts/simulate.js', import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program; `onFirst` hears of the first that it says. */
async function simulate(args: readonly string[], onFirst?: (interrupt: () => void) => void): Promise<Ended> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.once('data', () => onFirst?.(() => child.kill('SIGINT')));
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, stdout, stderr };
}

t.test('--help tells every option, every fault to plant and every exit status', async (t) => {
  const { code, stdout } = await simulate(['--help']);
  t.equal(code, 0);
  t.equal(stdout, HELP);
  for (const word of [
    '--seed',
    '--days',
    '--handsets',
    '--calls',
    '--shifts',
    '--from',
    '--calm',
    '--wire',
    '--plant',
    '64',
    '130',
  ])
    t.match(stdout, word);
  for (const name of Object.keys(PLANTS)) t.match(stdout, name);
});

t.test('what is wrongly asked is told, with what it should be', async (t) => {
  const wrong: readonly (readonly [readonly string[], string])[] = [
    [['--days', 'ten'], '--days is "ten" and should be a whole number'],
    [['--seed', '1e3'], '--seed is "1e3" and should be a whole number'],
    [['--seed', '99999999999999999'], 'should be a whole number'],
    [['--handsets', '0'], '--handsets is 0, and a site has one at least'],
    [['--from', 'tomorrow'], '--from is "tomorrow" and should be a date such as 2026-03-28'],
    [['--from', '2026-02-31'], '--from is "2026-02-31" and should be a date such as 2026-03-28'],
    [['--plant', 'gremlin'], 'there is no fault "gremlin" to plant'],
    [['--plant', 'constructor'], 'there is no fault "constructor" to plant'],
    [['--seed', '-1'], '--seed'],
    [['--fast'], "Unknown option '--fast'"],
    [['7'], 'Unexpected argument'],
  ];
  for (const [args, told] of wrong) {
    try {
      askedFor(args);
      t.fail(`${args.join(' ')} was taken`);
    } catch (fault) {
      t.ok(isUsage(fault) && fault.message.includes(told), String(fault));
    }
  }
  const { code, stderr } = await simulate(['--days', 'ten']);
  t.equal(code, 64);
  t.equal(stderr, 'simulate: --days is "ten" and should be a whole number\n');
});

t.test('a run without a breach tells what it went through, and exits 0', async (t) => {
  const { code, stdout, stderr } = await simulate(['--days', '2', '--handsets', '10', '--seed', '5']);
  t.equal(code, 0);
  t.match(stdout, /^npm run simulate -- --seed 5 --days 2 --handsets 10 --calls \d+\n/, 'first the command itself');
  t.match(stdout, /ended, by cause\n/);
  t.match(stdout, /every promise held\n$/);
  t.match(stderr, /day 2 of 2/, 'and its progress meanwhile');
});

t.test('a breach is told as a story that ends with the command that replays it, and exits 1', async (t) => {
  const args = [
    '--days',
    '10',
    '--handsets',
    '10',
    '--calls',
    '30',
    '--seed',
    '9',
    '--plant',
    'bye-to-one-leg',
    '--quiet',
  ];
  const { code, stderr } = await simulate(args);
  t.equal(code, 1);
  t.match(stderr, /^BREACH of "both legs are told"\n/);
  t.match(stderr, /the trunk leg of \S+ is up/);
  t.match(stderr, /day \d+ \d\d:\d\d:\d\d\.\d{6} +\S+ recorded: /, 'with what happened to the call before');
  t.match(
    stderr,
    /\nreplay: npm run simulate -- --seed 9 --days 10 --handsets 10 --calls 30 --plant bye-to-one-leg\n$/,
  );
});

t.test('Ctrl-C ends a run, which tells what was reached', async (t) => {
  const { code, stdout } = await simulate(['--days', '100000', '--handsets', '1', '--calls', '1'], (interrupt) =>
    interrupt(),
  );
  t.equal(code, 130);
  t.match(stdout, /virtual days/);
  t.match(stdout, /interrupted; every promise held so far\n$/);
});
