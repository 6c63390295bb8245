/** A file of contacts, read line by line in constant memory: checked whole before anything is changed, then taken. */
import { createReadStream, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import {
  type ContactLines,
  FIELDS,
  type Field,
  isFaults,
  type LineFault,
  type Mapping,
  mappingOf,
} from '../../gateway/work/contact-import.js';
import { CsvReader, type CsvRecord } from '../../gateway/work/csv.js';
import type { NewContact } from '../../gateway/work/ports.js';
import { EXIT, type ExitCode, type Terminal, UsageFault } from './command.js';
import { Progress } from './dnc.js';

const MOST_TOLD = 20;
/** Contacts of one transaction: few enough that a call does not wait for it. */
const AT_ONCE = 500;

/** The options of a command that takes such a file. */
export const CONTACT_FILE_OPTIONS = {
  map: { type: 'string', multiple: true },
  'dry-run': { type: 'boolean' },
  'skip-bad': { type: 'boolean' },
} as const;

export interface ContactFile {
  readonly asked: Readonly<Partial<Record<Field, string>>>;
  readonly isDry: boolean;
  readonly skipBad: boolean;
  /** - is stdin. */
  readonly file: string;
}

/** Whom the contacts are for, and who takes them. */
export interface Taking {
  readonly id: string;
  readonly readerOf: (mapping: Mapping) => ContactLines;
  /** Adds some; returns how many were new. */
  readonly add: (contacts: readonly NewContact[]) => number | Promise<number>;
  /** All were added: they are to be past fsync. */
  readonly end?: () => void;
}

/** What the options say. Throws a `UsageFault` for what they cannot. */
export function contactFile(
  values: {
    readonly map?: readonly string[] | undefined;
    readonly 'dry-run'?: boolean | undefined;
    readonly 'skip-bad'?: boolean | undefined;
  },
  file: string,
): ContactFile {
  const isDry = values['dry-run'] === true;
  const skipBad = values['skip-bad'] === true;
  if (file === '-' && !skipBad && !isDry)
    throw new UsageFault('stdin cannot be read twice: give --skip-bad, or a file');
  return { asked: askedOf(values.map ?? []), isDry, skipBad, file };
}

function askedOf(map: readonly string[]): ContactFile['asked'] {
  return Object.fromEntries(
    map.map((text) => {
      const [field = '', column = ''] = text.split(/=(.*)/s);
      if (!(FIELDS as readonly string[]).includes(field) || column === '')
        throw new UsageFault(`--map ${text}: write <field>=<column>; the fields are ${FIELDS.join(', ')}`);
      return [field, column];
    }),
  );
}

/** Takes the contacts of a file, and tells what became of its lines. */
export async function takeContacts(how: ContactFile, taking: Taking, terminal: Terminal): Promise<ExitCode> {
  const report = { good: 0, fresh: 0, listed: 0, bad: 0, told: 0 };
  /** Counts what a line is; true: a contact. */
  const count = (read: object | 'listed', isTelling: boolean): boolean => {
    if (read === 'listed') report.listed += 1;
    else if (!isFaults(read as object)) report.good += 1;
    else {
      report.bad += 1;
      if (isTelling) for (const fault of read as readonly LineFault[]) tell(fault, report, terminal);
    }
    return read !== 'listed' && !isFaults(read as object);
  };
  if (how.isDry || !how.skipBad) {
    for await (const { record, reader } of records(how, taking.readerOf, terminal)) count(reader.check(record), true);
    if (how.isDry || report.bad > 0) {
      const end = how.isDry ? 'nothing was changed' : 'nothing was changed; --skip-bad leaves them out';
      terminal.stdout.write(
        `${report.good} contacts, ${report.listed} on a do-not-call list, ${report.bad} bad lines: ${end}\n`,
      );
      return report.bad > 0 ? EXIT.no : EXIT.ok;
    }
    report.good = 0;
    report.listed = 0;
  }
  let pending: NewContact[] = [];
  const flush = async () => {
    report.fresh += await taking.add(pending);
    pending = [];
  };
  for await (const { record, reader } of records(how, taking.readerOf, terminal)) {
    const read = reader.read(record);
    if (count(read, how.skipBad) && pending.push(read as NewContact) >= AT_ONCE) await flush();
  }
  await flush();
  taking.end?.();
  terminal.stdout.write(
    `${taking.id}: ${report.fresh} new contacts, ${report.good - report.fresh} known already, ${report.listed} on a do-not-call list, ${report.bad} lines left out\n`,
  );
  return EXIT.ok;
}

/** The records of the file behind its first line, with what reads them. */
async function* records(
  how: ContactFile,
  linesOf: (mapping: Mapping) => ContactLines,
  terminal: Terminal,
): AsyncIterable<{ readonly record: CsvRecord; readonly reader: ContactLines }> {
  const isStdin = how.file === '-';
  const progress = new Progress(terminal, isStdin ? undefined : sizeOf(how.file));
  const csv = new CsvReader();
  let reader: ContactLines | undefined;
  const taken = (record: CsvRecord | undefined) => {
    if (record === undefined || record.cells.every((cell) => cell === '')) return undefined;
    if (reader !== undefined) return { record, reader };
    const mapping = mappingOf(how.asked, record.cells);
    if (typeof mapping === 'string') throw new UsageFault(`${how.file}: ${mapping}`);
    reader = linesOf(mapping);
    return undefined;
  };
  const input = isStdin ? terminal.stdin : createReadStream(how.file);
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    progress.read(Buffer.byteLength(line) + 1);
    const next = taken(csv.take(line));
    if (next !== undefined) yield next;
  }
  const last = taken(csv.end());
  if (last !== undefined) yield last;
  progress.end();
  if (reader === undefined) throw new UsageFault(`${how.file} is empty: its first line names the columns`);
}

function sizeOf(file: string): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new UsageFault(`${file} is not there`);
  return size;
}

function tell({ line, column, what, hint }: LineFault, report: { told: number }, { stderr }: Terminal): void {
  report.told += 1;
  if (report.told <= MOST_TOLD) stderr.write(`line ${line}, column ${column}: ${what}; ${hint}\n`);
}
