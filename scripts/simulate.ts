/** `npm run simulate`: years of a site in minutes, with everything going wrong; see tests/simulation/README.md. */
import { parseArgs } from 'node:util';
import { Breach } from '../tests/simulation/breach.js';
import { PLANTS } from '../tests/simulation/plants.js';
import { stopwatch } from '../tests/simulation/stopwatch.js';
import { storyOf, summaryOf } from '../tests/simulation/summary.js';
import { CALLS_PER_DAY, World, type WorldOptions } from '../tests/simulation/world.js';

const PLANTED = Object.entries(PLANTS).map(([name, { what }]) => `    ${name.padEnd(24)} ${what}`);

const HELP = `npm run simulate -- [options]

Runs the production calls, policy, lease book, outbox drain and command desk in a simulated world: virtual time, one seed,
crashes between any two effects, lost and late messages, broken disks, boards and buses, forged orders, clocks set wrong,
nights on which the clocks change.

options
  --seed N        the same seed gives the same run; default: a fresh one, printed
  --days N        virtual days, default 365; 100 handsets take well under a minute for a year
  --handsets N    default 100
  --calls N       calls that a handset asks for in a day, default ${CALLS_PER_DAY}
  --wire          each lease by itself, over a bus and the whole line plane: some hundred times slower
  --plant NAME    plant a fault and see it found; its name is one of
${PLANTED.join('\n')}
  --quiet         no progress
  -h, --help      this text

Ctrl-C ends the run and tells what was reached.

exit status
  0    every promise held
  1    one did not; its story is told, with the command that replays it
  64   wrongly called
  130  interrupted; every promise held so far

example
  npm run simulate -- --seed 7 --days 365
`;

/** A mistake of whoever called. */
class Usage extends Error {}

function whole(text: string | undefined, name: string, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new Usage(`--${name} is "${text}" and should be a whole number`);
}

interface Run {
  readonly options: WorldOptions;
  readonly days: number;
  readonly isQuiet: boolean;
  /** The command that replays it. */
  readonly again: string;
}

function runOf(args: readonly string[]): Run | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      days: { type: 'string' },
      handsets: { type: 'string' },
      calls: { type: 'string' },
      plant: { type: 'string' },
      wire: { type: 'boolean' },
      quiet: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return 'help';
  const seed = whole(values.seed, 'seed', Math.floor(Math.random() * 2 ** 31));
  const days = whole(values.days, 'days', 365);
  const handsets = whole(values.handsets, 'handsets', 100);
  if (handsets === 0) throw new Usage('--handsets is 0, and a site has one at least');
  const callsPerDay = whole(values.calls, 'calls', CALLS_PER_DAY);
  const plant = values.plant === undefined ? undefined : PLANTS[values.plant];
  if (values.plant !== undefined && plant === undefined) {
    throw new Usage(`there is no fault "${values.plant}" to plant; --help lists them`);
  }
  const wire = values.wire === true;
  const more = `${wire ? ' --wire' : ''}${values.plant === undefined ? '' : ` --plant ${values.plant}`}`;
  return {
    options: { seed, handsets, callsPerDay, wire, ...(plant === undefined ? {} : { plant }) },
    days,
    isQuiet: values.quiet === true,
    again: `npm run simulate -- --seed ${seed} --days ${days} --handsets ${handsets} --calls ${callsPerDay}${more}`,
  };
}

/** One line that is written over on a terminal, and a line every twentieth of the way elsewhere. */
function progressOf({ days, isQuiet }: Run, world: World, elapsedS: () => number): (day: number) => void {
  const { stderr } = process;
  const every = stderr.isTTY ? 1 : Math.max(1, Math.round(days / 20));
  return (day) => {
    if (isQuiet || day % every !== 0) return;
    const s = elapsedS();
    const left = Math.round((s / day) * (days - day));
    const line = `day ${day} of ${days}, ${world.tally.calls} calls, ${(day / s).toFixed(1)} days/s, ${left} s left`;
    if (!stderr.isTTY) stderr.write(`${line}\n`);
    else stderr.write(day === days ? '\r\x1b[K' : `\r\x1b[K${line}`);
  };
}

async function main(args: readonly string[]): Promise<number> {
  const run = runOf(args);
  const { stdout, stderr } = process;
  if (run === 'help') {
    stdout.write(HELP);
    return 0;
  }
  stdout.write(`${run.again}\n`);
  const world = new World(run.options);
  const elapsedS = stopwatch();
  const interrupt = (): void => {
    world.isStopped = true;
  };
  process.once('SIGINT', interrupt);
  let breach: Breach | undefined;
  try {
    await world.run(run.days, progressOf(run, world, elapsedS));
  } catch (fault) {
    if (!(fault instanceof Breach)) throw fault;
    breach = fault;
  }
  process.removeListener('SIGINT', interrupt);
  if (stderr.isTTY) stderr.write('\r\x1b[K');
  stdout.write(`${summaryOf(world)}\ntook ${elapsedS().toFixed(1)} s\n`);
  if (breach !== undefined) {
    stderr.write(`${storyOf(world, breach)}\nreplay: ${run.again}\n`);
    return 1;
  }
  stdout.write(world.isStopped ? 'interrupted; every promise held so far\n' : 'every promise held\n');
  return world.isStopped ? 130 : 0;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (fault: unknown) => {
    const isUsage = fault instanceof Usage || String((fault as { code?: string }).code).startsWith('ERR_PARSE_ARGS');
    process.stderr.write(`simulate: ${isUsage ? (fault as Error).message : (fault as Error).stack}\n`);
    process.exitCode = isUsage ? 64 : 70;
  },
);
