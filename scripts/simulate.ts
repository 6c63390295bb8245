/** `npm run simulate`: years of a site in minutes, with everything going wrong; see tests/simulation/README.md. */
import { type Asked, askedFor, HELP, isUsage } from '../tests/simulation/asked.js';
import { commandOf, run } from '../tests/simulation/run.js';
import { stopwatch } from '../tests/simulation/stopwatch.js';
import type { World } from '../tests/simulation/world.js';

/** How often progress is told: one line that is written over on a terminal, a line now and then elsewhere, seconds. */
const TOLD_S = process.stderr.isTTY ? 0.2 : 5;

function progressOf({ days, isQuiet }: Asked, elapsedS: () => number): (day: number, world: World) => void {
  const { stderr } = process;
  let toldS = 0;
  return (day, { tally }) => {
    const s = elapsedS();
    if (isQuiet || (s - toldS < TOLD_S && day < days)) return;
    toldS = s;
    const left = Math.round((s / day) * (days - day));
    const line = `day ${day} of ${days}, ${tally.calls} calls, ${(day / s).toFixed(1)} days/s, ${left} s left`;
    stderr.write(stderr.isTTY ? `\r\x1b[K${day < days ? line : ''}` : `${line}\n`);
  };
}

async function main(args: readonly string[]): Promise<number> {
  const asked = askedFor(args);
  const { stdout, stderr } = process;
  if (asked === 'help') {
    stdout.write(HELP);
    return 0;
  }
  const { options, days } = asked;
  const elapsedS = stopwatch();
  let isStopped = false;
  let begun: World | undefined;
  process.once('SIGINT', () => {
    isStopped = true;
    begun?.stop();
  });
  stdout.write(`${commandOf(options, days)}\n`);
  const { summary, story } = await run(options, days, progressOf(asked, elapsedS), (world) => {
    begun = world;
    if (isStopped) world.stop();
  });
  if (stderr.isTTY) stderr.write('\r\x1b[K');
  stdout.write(`${summary}\ntook ${elapsedS().toFixed(1)} s\n`);
  if (story !== undefined) {
    stderr.write(`${story}\n`);
    return 1;
  }
  stdout.write(isStopped ? 'interrupted; every promise held so far\n' : 'every promise held\n');
  return isStopped ? 130 : 0;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (fault: unknown) => {
    process.stderr.write(`simulate: ${isUsage(fault) ? fault.message : (fault as Error).stack}\n`);
    process.exitCode = isUsage(fault) ? 64 : 70;
  },
);
