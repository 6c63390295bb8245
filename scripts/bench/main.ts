/**
 * `npm run bench`: measures what README.md of this folder lists, and prints a table and writes JSON.
 * Exit status: 0 measured, whatever the verdicts; 64 wrong arguments; 69 a program that it needs is missing; 70 a
 * measurement could not be made; 130 and 143 interrupted.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { projectRoot } from '../../gateway/config/paths.js';
import { endChildren } from './children.js';
import { type Figure, joinRuns, type Reading, rounded, table } from './figure.js';
import { type Bench, NAMES, pick, plan, WarmRig } from './plan.js';
import { watchStrangers } from './processes.js';
import { hasPython, PYTHON_PACKAGE } from './rtp-load.js';
import { hasSipp, SIPP_PACKAGE } from './sipp.js';
import { TooBusy } from './too-busy.js';

const EX_USAGE = 64;
const EX_UNAVAILABLE = 69;
const EX_SOFTWARE = 70;
/** Nothing is begun after this, so that the whole ends within six minutes, and a quick one within a minute and a half. */
const BEGIN_UNTIL_S = { whole: 320, quick: 75 };
/** Whatever hangs, it is ended. */
const LONGEST_S = 480;
/** From so many cores on that others take, a figure is said to be disturbed. */
const DISTURBING_CORES = 0.2;

const HELP = `Usage: npm run bench -- [options]

Measures the gateway on this machine and prints each figure beside its budget and what other servers reach.
About five minutes; each figure is taken twice and the better counts, because machines are shared.

  --only <name,...>  measure these alone:
${Object.entries(NAMES)
  .map(([name, what]) => `                       ${name.padEnd(10)} ${what}`)
  .join('\n')}
  --quick            each once, shorter, without the challenged variants: below 90 s
  --json <file>      where the figures go as JSON; default: a file in a temporary folder, named in the last line
  --help             this text

Needs SIPp (Debian: ${SIPP_PACKAGE}), and ${PYTHON_PACKAGE} for the relay's load. rtpengine (Debian: rtpengine-daemon) is measured beside the relay where it is installed.
Example: npm run bench -- --only set-up,cpu --json /tmp/figures.json
`;

interface Options {
  readonly only: readonly string[];
  readonly quick: boolean;
  readonly json: string | undefined;
}

function giveUp(code: number, text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(code);
}

function readArguments(): Options {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string', multiple: true },
        json: { type: 'string' },
        quick: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    const only = (values.only ?? []).flatMap((names) => names.split(',')).map((name) => name.trim());
    const unknown = only.find((name) => !(name in NAMES));
    if (unknown !== undefined)
      throw new Error(`--only ${unknown}: there is no such figure; there are ${Object.keys(NAMES).join(', ')}`);
    return { only, quick: values.quick === true, json: values.json };
  } catch (error) {
    return giveUp(EX_USAGE, `${error instanceof Error ? error.message : error}\n\n${HELP}`);
  }
}

const version = (): string =>
  (JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as { version: string }).version;

function machine() {
  const cores = cpus();
  return {
    cores: cores.length,
    model: cores[0]?.model ?? 'unknown',
    memoryMb: Math.round(totalmem() / 1_048_576),
    kernel: release(),
    node: process.version,
    /** Runnable processes, averaged over 1, 5 and 15 minutes, before the first measurement. */
    loadAtStart: loadavg(),
  };
}

async function measureAll(benches: readonly Bench[], warm: WarmRig, runs: number, begunMs: number): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (let run = 1; run <= runs; run += 1) {
    const pending = benches.filter(({ once }) => run === 1 || once !== true);
    for (let bench = pick(pending); bench !== undefined; bench = pick(pending)) {
      pending.splice(pending.indexOf(bench), 1);
      const atS = (performance.now() - begunMs) / 1_000;
      if (atS > (runs > 1 ? BEGIN_UNTIL_S.whole : BEGIN_UNTIL_S.quick)) {
        console.log(`[${Math.round(atS)} s] ${bench.name}: not measured${run > 1 ? ' again' : ''}, the time is up`);
        continue;
      }
      const number = runs > 1 && bench.once !== true ? `, run ${run} of ${runs}` : '';
      const taken = await measureOne(bench, number, begunMs);
      readings.push(...taken);
      // A gateway that has been starved is no measure for the next.
      if (taken.length === 0) await warm.drop();
    }
  }
  return readings;
}

/** One run of one measurement, a line for each figure. Nothing where the machine was too busy to measure it. */
async function measureOne(bench: Bench, number: string, begunMs: number): Promise<Reading[]> {
  const at = () => `[${Math.round((performance.now() - begunMs) / 1_000)} s]`;
  const strangers = watchStrangers();
  try {
    const readings = await bench.run();
    const strangersCores = strangers();
    for (const { title, value, unit } of readings)
      console.log(`${at()} ${title}${number}: ${rounded(value)} ${unit}`.trimEnd());
    if (strangersCores > DISTURBING_CORES)
      console.log(`${at()} ${bench.name}: others took ${strangersCores.toFixed(1)} cores meanwhile`);
    return readings.map((reading) => ({ ...reading, detail: { ...reading.detail, strangersCores } }));
  } catch (error) {
    if (!(error instanceof TooBusy)) throw error;
    console.log(`${at()} ${bench.name}${number}: not measured, ${error.message}`);
    return [];
  }
}

function report(figures: readonly Figure[], about: Readonly<Record<string, unknown>>, file: string): void {
  writeFileSync(file, `${JSON.stringify({ ...about, figures }, null, 2)}\n`);
  console.log(`\n${table(figures)}\n`);
  const over = figures.filter(({ verdict }) => verdict === 'over').length;
  const within = figures.filter(({ verdict }) => verdict === 'within').length;
  console.log(`${within} within their budget, ${over} over it`);
  console.log(`figures as JSON: ${file}`);
}

async function main(): Promise<void> {
  const { only, quick, json } = readArguments();
  const file = json === undefined ? undefined : resolve(process.env.INIT_CWD ?? '.', json);
  const folder = mkdtempSync(join(tmpdir(), 'balise-bench-'));
  const warm = new WarmRig(folder);
  const benches = plan(folder, warm, quick).filter(({ name }) => only.length === 0 || only.includes(name));
  const clear = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  if (benches.some(({ needsSipp }) => needsSipp) && !hasSipp()) {
    clear();
    giveUp(
      EX_UNAVAILABLE,
      `sipp is missing, which plays the handsets and the carrier: apt-get install ${SIPP_PACKAGE}`,
    );
  }

  if (benches.some(({ name }) => name === 'relay') && !hasPython()) {
    clear();
    giveUp(EX_UNAVAILABLE, `python3 is missing, which sends the relay's packets: apt-get install ${PYTHON_PACKAGE}`);
  }

  let stopping = false;
  const stop = (code: number, why: string) => {
    if (stopping) return;
    stopping = true;
    console.error(`${why}: ending what was started`);
    void endChildren().then(() => {
      clear();
      process.exit(code);
    });
  };
  process.on('SIGINT', () => stop(130, 'interrupted'));
  process.on('SIGTERM', () => stop(143, 'interrupted'));
  setTimeout(() => stop(EX_SOFTWARE, `not done after ${LONGEST_S} s`), LONGEST_S * 1_000).unref();

  const about = { made: new Date().toISOString(), program: version(), machine: machine(), quick };
  const { cores, model, node, loadAtStart } = about.machine;
  const load = loadAtStart.map((average) => average.toFixed(2)).join(' ');
  console.log(`${cores} cores (${model}), Node ${node}, load average at start ${load}`);
  const begunMs = performance.now();
  try {
    const readings = await measureAll(benches, warm, quick ? 1 : 2, begunMs);
    await warm.drop();
    clear();
    const missed = benches.filter(({ name }) => !readings.some(({ id }) => id.startsWith(name)));
    const figuresFile = file ?? join(mkdtempSync(join(tmpdir(), 'balise-figures-')), 'figures.json');
    report(joinRuns(readings), { ...about, tookS: (performance.now() - begunMs) / 1_000 }, figuresFile);
    if (missed.length > 0) process.exitCode = EX_SOFTWARE;
  } catch (error) {
    // While it is being stopped, whatever breaks breaks because of that.
    if (stopping) return;
    console.error(error);
    stop(EX_SOFTWARE, 'a measurement could not be made');
  }
}

await main();
