/** What `npm run simulate` is asked for: its options, their defaults and its help. */
import { parseArgs } from 'node:util';
import { PLANTS } from './plants.js';
import { CALLS_PER_DAY, SHIFTS_PER_DAY, type WorldOptions } from './world-options.js';

const PLANTED = Object.entries(PLANTS).map(([name, { what }]) => `    ${name.padEnd(24)} ${what}`);

export const HELP = `npm run simulate -- [options]

Runs the production calls, policy, lease book, outbox drain and command desk in a simulated world: virtual time, one seed,
crashes between any two effects, lost and late messages, broken disks, boards and buses, forged orders, clocks set wrong,
nights on which the clocks change.

options
  --seed N        the same seed gives the same run; default: a fresh one, printed
  --days N        virtual days, default 365; 100 handsets take well under a minute for a year
  --handsets N    default 100
  --calls N       calls that a handset asks for in a day, default ${CALLS_PER_DAY}
  --shifts N      how often somebody comes to work at each handset that is for it, in a day, default ${SHIFTS_PER_DAY}
  --from DATE     the day on which it begins, such as 2026-03-28; default: one that the seed chooses
  --calm          nothing goes wrong but what is planted
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
export class Usage extends Error {}

function whole(text: string | undefined, name: string, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new Usage(`--${name} is "${text}" and should be a whole number`);
}

function isDate(text: string): boolean {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isFinite(ms) && new Date(ms).toISOString().startsWith(text);
}

export interface Asked {
  readonly options: WorldOptions;
  readonly days: number;
  readonly isQuiet: boolean;
}

/** What the arguments of the command ask for. Throws `Usage`, or an error of `parseArgs`, with what is wrong and what it should be. */
export function askedFor(args: readonly string[]): Asked | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      days: { type: 'string' },
      handsets: { type: 'string' },
      calls: { type: 'string' },
      shifts: { type: 'string' },
      plant: { type: 'string' },
      from: { type: 'string' },
      calm: { type: 'boolean' },
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
  const shiftsPerDay = whole(values.shifts, 'shifts', SHIFTS_PER_DAY);
  const { plant, from } = values;
  if (plant !== undefined && !Object.hasOwn(PLANTS, plant)) {
    throw new Usage(`there is no fault "${plant}" to plant; --help lists them`);
  }
  if (from !== undefined && !isDate(from)) {
    throw new Usage(`--from is "${from}" and should be a date such as 2026-03-28`);
  }
  return {
    options: {
      seed,
      handsets,
      callsPerDay,
      calm: values.calm === true,
      wire: values.wire === true,
      ...(values.shifts === undefined ? {} : { shiftsPerDay }),
      ...(from === undefined ? {} : { from }),
      ...(plant === undefined ? {} : { plant }),
    },
    days,
    isQuiet: values.quiet === true,
  };
}

/** Whether an error is a mistake of whoever called. */
export function isUsage(fault: unknown): fault is Error {
  if (fault instanceof Usage) return true;
  return fault instanceof Error && 'code' in fault && String(fault.code).startsWith('ERR_PARSE_ARGS');
}
