/** `balise dnc import`: a list of numbers of whatever length, compiled beside the one in force and put in its place whole. */
import { createReadStream, mkdirSync, statSync } from 'node:fs';
import type { SiteFiles } from '../../gateway/config/site.js';
import { ListCompiler } from '../../gateway/do-not-call/compile-list.js';
import { ListShelf, listFile, listFolder } from '../../gateway/do-not-call/shelf.js';
import { LIFTED } from '../../gateway/policy/judgement.js';
import { NumberReader } from '../../gateway/policy/number.js';
import { EXIT, type ExitCode, type Terminal, UsageFault } from './command.js';
import { instantOf } from './explain.js';
import { cellOf, eachLine, LineFault } from './number-lines.js';
import { PercentBar } from './percent-bar.js';

const MOST_TOLD = 10;

/** What is imported, and how. */
export interface Import {
  readonly name: string;
  readonly made: string;
  readonly column: number;
  readonly skipBad: boolean;
  /** A list that is empty, or has less than half of the numbers of the one in force, is taken. */
  readonly fewer: boolean;
  /** - is stdin. */
  readonly file: string;
}

interface Taken {
  readonly bad: { count: number; first: number[] };
  numbers: number;
  never: number;
}

/**
 * Compiles a list and puts it in the place of the one of its name. Whatever goes wrong before that, a signal included, leaves the one
 * of before in force and nothing beside it.
 */
export async function importList(site: SiteFiles, terminal: Terminal, how: Import): Promise<ExitCode> {
  const madeMs = madeOf(how.made, site);
  const size = how.file === '-' ? undefined : sizeOf(how.file);
  const input = how.file === '-' ? terminal.stdin : createReadStream(how.file);
  const refused = (why: string, way = ''): ExitCode => {
    terminal.stderr.write(`${why}: nothing was changed${way}\n`);
    return EXIT.no;
  };
  let compiler: ListCompiler | undefined;
  const unhook = onSignal(() => compiler?.discard());
  try {
    mkdirSync(listFolder(site.dataFolder), { recursive: true, mode: 0o700 });
    compiler = new ListCompiler(listFile(site.dataFolder, how.name));
    const { bad, never, numbers } = await takeLines(
      input,
      how,
      site.site.country,
      compiler,
      new PercentBar(terminal, size),
    );
    for (const line of bad.first) terminal.stderr.write(`line ${line}: no telephone number\n`);
    if (bad.count > 0 && !how.skipBad)
      return refused(`${bad.count} lines hold no number`, '; --skip-bad leaves them out');
    const before = how.fewer ? 0 : inForce(site, how.name);
    if (numbers * 2 < before || (numbers === 0 && !how.fewer && how.name !== LIFTED)) {
      const there = before === 0 ? '' : `, and the one in force ${before}`;
      return refused(`it has ${numbers} numbers${there}`, '; --fewer takes it all the same');
    }
    const compiled = compiler.finish(madeMs);
    terminal.stdout.write(
      `${how.name}: ${compiled.numbers} numbers, ${compiled.doubled} doubled, ${never} that no call may go to anyhow, ${bad.count} lines left out; ${compiled.bytes} bytes\n`,
    );
    return EXIT.ok;
  } catch (fault) {
    if (fault instanceof LineFault) return refused(`${fault.message}: it is no list of numbers`);
    if (isOfDisk(fault)) return refused(`the list cannot be read or written (${fault.message})`);
    throw fault;
  } finally {
    unhook();
    compiler?.discard();
  }
}

function madeOf(made: string, { site }: SiteFiles): number {
  const at = instantOf(/^\d{4}-\d\d-\d\d$/.test(made) ? `${made}T00:00` : made, site.zone);
  if (at.epochMilliseconds > instantOf(undefined, site.zone).epochMilliseconds)
    throw new UsageFault(`--made ${made} is yet to come: a list would pass for new until long after`);
  return at.epochMilliseconds;
}

function sizeOf(file: string): number {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) throw new UsageFault(`there is no file ${file}`);
  if (found.isDirectory()) throw new UsageFault(`${file} is a folder`);
  return found.size;
}

/** How many numbers the list of this name has now; 0 where there is none that can be read. */
function inForce(site: SiteFiles, name: string): number {
  const list = new ListShelf(listFolder(site.dataFolder), () => undefined).list(name);
  return list.isThere ? (list.size ?? 0) : 0;
}

/** An error of the operating system. */
function isOfDisk(fault: unknown): fault is NodeJS.ErrnoException {
  return fault instanceof Error && typeof (fault as NodeJS.ErrnoException).syscall === 'string';
}

/** Cleans up where somebody ends the program, which then ends as the signal has it. Returns what takes that back. */
function onSignal(cleanUp: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const ended = (signal: NodeJS.Signals): void => {
    unhook();
    cleanUp();
    process.kill(process.pid, signal);
  };
  const unhook = (): void => {
    for (const signal of signals) process.off(signal, ended);
  };
  for (const signal of signals) process.on(signal, ended);
  return unhook;
}

async function takeLines(
  input: AsyncIterable<Buffer | string>,
  { column }: Import,
  country: string,
  compiler: ListCompiler,
  bar: PercentBar,
): Promise<Taken> {
  // A list names each number once: none need be remembered.
  const reader = new NumberReader(country, 0);
  const taken: Taken = { bad: { count: 0, first: [] }, numbers: 0, never: 0 };
  const { bad } = taken;
  await eachLine(
    input,
    (text, line) => {
      const cell = cellOf(text, column);
      if (cell === '' && !isLacking(text, column)) return;
      // The same reading as that of a call: a number on the list and one that is dialled must meet.
      const read = reader.read(cell);
      if (read.ok) {
        compiler.add(Number(read.number.slice(1)));
        taken.numbers += 1;
      } else if (read.class !== 'malformed') taken.never += 1;
      // The first line of a CSV file names its columns.
      else if (line > 1 || /\d/.test(cell)) {
        bad.count += 1;
        if (bad.first.length < MOST_TOLD) bad.first.push(line);
      }
    },
    (bytes) => bar.read(bytes),
  );
  bar.end();
  return taken;
}

/** Whether a line that has something in it has no such column at all: a number may be lost there. */
const isLacking = (text: string, column: number): boolean =>
  column > 1 && text.trim() !== '' && text.split(/[,;\t]/).length < column;
