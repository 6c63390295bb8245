import { createReadStream, mkdirSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { loadSite, type SiteFiles } from '../../gateway/config/site.js';
import { ListCompiler } from '../../gateway/do-not-call/compile-list.js';
import { readList } from '../../gateway/do-not-call/list-file.js';
import { ListShelf, listFile, listFolder } from '../../gateway/do-not-call/shelf.js';
import { NumberReader } from '../../gateway/policy/number.js';
import { type Command, EXIT, type ExitCode, needed, type Terminal, UsageFault } from './command.js';
import { instantOf } from './explain.js';
import { siteFolderOf } from './gateway-client.js';

const HELP = `balise dnc: a site's do-not-call lists

usage: balise dnc import [--site <folder>] --list <name> --made <instant> [options] <file>
       balise dnc show [--site <folder>] [--json]
       balise dnc find [--site <folder>] --list <name> --number <number>

import compiles a list and puts it in the place of the one of that name, at once and while calls run. The file is plain
text or CSV, a number a line; - is stdin.
  --site      the site's folder; default $BALISE_SITE, or /etc/balise/site
  --list      the list's name, as doNotCall of a profile has it
  --made      when the list was made by whoever keeps it: its age counts from there
  --column    the column of a CSV file that holds the number, from 1; default 1
  --skip-bad  leave out lines that hold no number; else one such line and nothing is changed

The list named "lifted" takes numbers off the gateway's own list (those that asked not to be called again): what they asked
before the list was made holds no longer. Nothing else takes one off.

show tells the lists at hand with their age. find tells whether a number is on one: status 0 when it is not, 1 when it is.

example
  balise dnc import --site /etc/balise --list be-dncm --made 2026-03-04 list.csv
`;

const MOST_TOLD = 10;

/** `balise dnc` */
export const dnc: Command = {
  name: 'dnc',
  summary: 'imports and shows do-not-call lists',
  help: HELP,
  async run(args, terminal) {
    const text = { type: 'string' } as const;
    const flag = { type: 'boolean' } as const;
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { site: text, list: text, made: text, column: text, number: text, 'skip-bad': flag, json: flag },
      allowPositionals: true,
    });
    const [what, file] = positionals;
    const site = await loadSite(siteFolderOf(values.site));
    switch (what) {
      case 'import':
        return importList(site, terminal, {
          name: listName(values.list),
          made: needed(values.made, '--made'),
          column: columnOf(values.column),
          skipBad: values['skip-bad'] === true,
          file: needed(file, 'the file'),
        });
      case 'show':
        return show(site, terminal, values.json === true);
      case 'find':
        return find(site, terminal, listName(values.list), needed(values.number, '--number'));
      default:
        throw new UsageFault('import, show or find?');
    }
  },
};

function listName(name: string | undefined): string {
  const given = needed(name, '--list');
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(given))
    throw new UsageFault(`--list ${given} is no name: a-z, 0-9, dot, hyphen`);
  return given;
}

function columnOf(text = '1'): number {
  const column = Number(text);
  if (!Number.isInteger(column) || column < 1) throw new UsageFault('--column counts from 1');
  return column;
}

interface Import {
  readonly name: string;
  readonly made: string;
  readonly column: number;
  readonly skipBad: boolean;
  readonly file: string;
}

async function importList(site: SiteFiles, terminal: Terminal, how: Import): Promise<ExitCode> {
  const madeMs = instantOf(
    /^\d{4}-\d\d-\d\d$/.test(how.made) ? `${how.made}T00:00` : how.made,
    site.site.zone,
  ).epochMilliseconds;
  const size = how.file === '-' ? undefined : statSync(how.file).size;
  const input = how.file === '-' ? terminal.stdin : createReadStream(how.file);
  mkdirSync(listFolder(site.dataFolder), { recursive: true, mode: 0o700 });
  const compiler = new ListCompiler(listFile(site.dataFolder, how.name));
  try {
    const { bad, never } = await takeLines(input, how, site.site.country, compiler, new Progress(terminal, size));
    for (const line of bad.first) terminal.stderr.write(`line ${line}: no telephone number\n`);
    if (bad.count > 0 && !how.skipBad) {
      terminal.stderr.write(`${bad.count} lines hold no number: nothing was changed; --skip-bad leaves them out\n`);
      compiler.discard();
      return EXIT.no;
    }
    const { numbers, doubled, bytes } = compiler.finish(madeMs);
    terminal.stdout.write(
      `${how.name}: ${numbers} numbers, ${doubled} doubled, ${never} that no call may go to anyhow, ${bad.count} lines left out; ${bytes} bytes\n`,
    );
    return EXIT.ok;
  } catch (fault) {
    compiler.discard();
    throw fault;
  }
}

async function takeLines(
  input: NodeJS.ReadableStream,
  { column }: Import,
  country: string,
  compiler: ListCompiler,
  progress: Progress,
): Promise<{ readonly bad: { count: number; first: number[] }; readonly never: number }> {
  // A list names each number once: none need be remembered.
  const reader = new NumberReader(country, 1);
  const bad = { count: 0, first: [] as number[] };
  let never = 0;
  let line = 0;
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1;
    progress.read(text.length + 1);
    const cell = cellOf(text, column);
    if (cell === '') continue;
    // The same reading as that of a call: a number on the list and one that is dialled must meet.
    const read = reader.read(cell);
    if (read.ok) compiler.add(Number(read.number.slice(1)));
    else if (read.class !== 'malformed') never += 1;
    // The first line of a CSV file names its columns.
    else if (line > 1 || /\d/.test(cell)) {
      bad.count += 1;
      if (bad.first.length < MOST_TOLD) bad.first.push(line);
    }
  }
  progress.end();
  return { bad, never };
}

/** One cell of a line of CSV, by whichever of the usual marks divides it; numbers hold none of them. */
function cellOf(text: string, column: number): string {
  const cell = text.split(/[,;\t]/)[column - 1] ?? '';
  return cell
    .trim()
    .replace(/^"(.*)"$/, '$1')
    .trim();
}

/** A bar on stderr: at a terminal drawn over itself, elsewhere one line each tenth. */
export class Progress {
  #done = 0;
  #told = -1;

  constructor(
    private readonly terminal: Terminal,
    private readonly size: number | undefined,
  ) {}

  read(bytes: number): void {
    this.#done += bytes;
    if (this.size === undefined || this.size < 1_000_000) return;
    const isTTY = (this.terminal.stderr as { isTTY?: boolean }).isTTY === true;
    const percent = Math.min(100, Math.floor((this.#done / this.size) * 100));
    if (percent === this.#told || (!isTTY && percent % 10 !== 0)) return;
    this.#told = percent;
    const bar = '█'.repeat(Math.floor(percent / 4)).padEnd(25, '·');
    this.terminal.stderr.write(isTTY ? `\r${bar} ${percent} %` : `${bar} ${percent} %\n`);
  }

  end(): void {
    if (this.#told >= 0) this.terminal.stderr.write('\n');
  }
}

function show(site: SiteFiles, terminal: Terminal, json: boolean): ExitCode {
  const faults: string[] = [];
  const shelf = new ListShelf(listFolder(site.dataFolder), (list, why) => faults.push(`${list}: ${why}`));
  const rows = shelf.names().map((name) => {
    const list = shelf.list(name);
    if (!list.isThere) return { name, fault: list.why };
    const { set } = readList(listFile(site.dataFolder, name));
    return { name, numbers: set.size, made: new Date(list.madeMs).toISOString() };
  });
  const line = (row: (typeof rows)[number]) =>
    'fault' in row ? `${row.name}  ${row.fault}` : `${row.name}  ${row.numbers} numbers, made ${row.made}`;
  terminal.stdout.write(
    json ? `${JSON.stringify(rows, null, 2)}\n` : rows.map((row) => `${line(row)}\n`).join('') || 'no list\n',
  );
  return faults.length === 0 ? EXIT.ok : EXIT.no;
}

function find(site: SiteFiles, terminal: Terminal, name: string, dialled: string): ExitCode {
  const read = new NumberReader(site.site.country).read(dialled);
  if (!read.ok) throw new UsageFault(`${dialled} is no number that a call may go to`);
  const list = new ListShelf(listFolder(site.dataFolder), () => undefined).list(name);
  if (!list.isThere) throw new UsageFault(`list ${name}: ${list.why}`);
  const isOn = list.has(read.number);
  terminal.stdout.write(isOn ? `on the list ${name}\n` : `not on the list ${name}\n`);
  return isOn ? EXIT.no : EXIT.ok;
}
