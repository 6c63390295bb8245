import { parseArgs } from 'node:util';
import { loadSite, type SiteFiles } from '../../gateway/config/site.js';
import { ListShelf, listFolder } from '../../gateway/do-not-call/shelf.js';
import { NumberReader } from '../../gateway/policy/number.js';
import { type Command, EXIT, type ExitCode, needed, type Terminal, UsageFault } from './command.js';
import { importList } from './dnc-import.js';
import { siteFolderOf } from './gateway-client.js';

const HELP = `balise dnc: a site's do-not-call lists

usage: balise dnc import [--site <folder>] --list <name> --made <instant> [options] <file>
       balise dnc show [--site <folder>] [--json]
       balise dnc find [--site <folder>] --list <name> --number <number>

import compiles a list and puts it in the place of the one of that name, at once and while calls run. The file is plain
text or CSV, a number a line; - is stdin. Whatever interrupts it leaves the list of before in force.
  --site      the site's folder; default $BALISE_SITE, or /etc/balise/site
  --list      the list's name, as doNotCall of a profile has it
  --made      when the list was made by whoever keeps it: its age counts from there
  --column    the column of a CSV file that holds the number, from 1; default 1
  --skip-bad  leave out lines that hold no number; else one such line and nothing is changed
  --fewer     take a list that is empty, or has less than half of the numbers of the one in force: a file that was cut short
              looks like that

The list named "lifted" takes numbers off the gateway's own list (those that asked not to be called again): what they asked
before the list was made holds no longer. Nothing else takes one off.

show tells the lists at hand with their age. find tells whether a number is on one: status 0 when it is not, 1 when it is.

example
  balise dnc import --site /etc/balise --list be-dncm --made 2026-03-04 list.csv
`;

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
      options: {
        site: text,
        list: text,
        made: text,
        column: text,
        number: text,
        'skip-bad': flag,
        fewer: flag,
        json: flag,
      },
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
          fewer: values.fewer === true,
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

function show(site: SiteFiles, terminal: Terminal, json: boolean): ExitCode {
  const faults: string[] = [];
  const shelf = new ListShelf(listFolder(site.dataFolder), (list, why) => faults.push(`${list}: ${why}`));
  const rows = shelf.names().map((name) => {
    const list = shelf.list(name);
    if (!list.isThere) return { name, fault: list.why };
    return { name, numbers: list.size, made: new Date(list.madeMs).toISOString() };
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
