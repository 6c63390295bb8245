/** `npm run simulate`: years of a site in minutes, with everything going wrong; see tests/simulation/world.ts. */
import { parseArgs } from 'node:util';
import { Breach } from '../tests/simulation/breach.js';
import { PLANTS } from '../tests/simulation/plants.js';
import { stopwatch } from '../tests/simulation/stopwatch.js';
import { summaryOf } from '../tests/simulation/summary.js';
import { World } from '../tests/simulation/world.js';

const HELP = `npm run simulate -- [options]

Runs the production calls, policy, lease book and outbox drain in a simulated world: virtual time, one seed, crashes between
any two effects, lost and late messages, broken disks, clocks set wrong, nights on which the clocks change.

options
  --seed N        the same seed gives the same run; default: a fresh one, printed
  --days N        virtual days; default 365
  --handsets N    default 100
  --calls N       attempts of a handset in a day; default 7
  --plant NAME    plant a fault and see it found: ${Object.keys(PLANTS).join(', ')}
  --quiet         no progress
  -h, --help      this text

exit status
  0   every promise held
  1   one did not; the seed and the command that replays it are printed
  64  wrongly called

example
  npm run simulate -- --seed 7 --days 365
`;

function whole(text: string | undefined, name: string, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  process.stderr.write(`simulate: --${name} is "${text}" and should be a whole number\n`);
  process.exit(64);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      days: { type: 'string' },
      handsets: { type: 'string' },
      calls: { type: 'string' },
      plant: { type: 'string' },
      quiet: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const seed = whole(values.seed, 'seed', Math.floor(Math.random() * 2 ** 31));
  const days = whole(values.days, 'days', 365);
  const handsets = whole(values.handsets, 'handsets', 100);
  const callsPerDay = whole(values.calls, 'calls', 7);
  const plant = values.plant === undefined ? undefined : PLANTS[values.plant];
  if (values.plant !== undefined && plant === undefined) {
    process.stderr.write(`simulate: there is no fault "${values.plant}" to plant; see --help\n`);
    return 64;
  }
  const planted = values.plant === undefined ? '' : ` --plant ${values.plant}`;
  const again = `npm run simulate -- --seed ${seed} --days ${days} --handsets ${handsets} --calls ${callsPerDay}${planted}`;
  process.stdout.write(`${again}\n`);
  const world = new World({ seed, handsets, callsPerDay, ...(plant === undefined ? {} : { plant }) });
  const elapsedS = stopwatch();
  const every = Math.max(1, Math.round(days / 20));
  const progress = (day: number): void => {
    if (values.quiet !== true && day % every === 0) {
      process.stdout.write(`day ${day} of ${days}, ${world.tally.calls} calls, ${elapsedS().toFixed(1)} s\n`);
    }
  };
  try {
    await world.run(days, progress);
  } catch (fault) {
    if (!(fault instanceof Breach)) throw fault;
    const day = (world.timeline.nowUs / 86_400e6).toFixed(3);
    process.stdout.write(`${summaryOf(world, elapsedS())}\n`);
    process.stderr.write(`BREACH on day ${day}, step ${world.timeline.steps}: ${fault.message}\nreplay: ${again}\n`);
    return 1;
  }
  process.stdout.write(`${summaryOf(world, elapsedS())}\nevery promise held\n`);
  return 0;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (fault: unknown) => {
    const isUsage = String((fault as { code?: string }).code).startsWith('ERR_PARSE_ARGS');
    process.stderr.write(`simulate: ${isUsage ? (fault as Error).message : (fault as Error).stack}\n`);
    process.exitCode = isUsage ? 64 : 70;
  },
);
