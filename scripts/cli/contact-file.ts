/** A file of contacts, read once and line by line in constant memory: known whole before anything is changed, then taken. */
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
import { ContactSpill } from './contact-spill.js';
import { PercentBar } from './percent-bar.js';

const MOST_TOLD = 20;
/** Contacts of one transaction: few enough that a call does not wait for it. */
const AT_ONCE = 1_000;
/**
 * Contacts that are put in order before they are written. Their tokens are as random as hashes: written as they come, each
 * would touch another page of the index that keeps them apart.
 */
const SORTED_AT_ONCE = 20_000;

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

/** Takes the contacts of a file, and tells what became of its lines. Bad lines change nothing, unless they are to be left out. */
export async function takeContacts(how: ContactFile, taking: Taking, terminal: Terminal): Promise<ExitCode> {
  const report = { good: 0, fresh: 0, listed: 0, bad: 0, told: 0 };
  const spill = how.isDry || how.skipBad ? undefined : new ContactSpill(taking.id);
  const add = async (contacts: readonly NewContact[]): Promise<void> => {
    for (let from = 0; from < contacts.length; from += AT_ONCE)
      report.fresh += await taking.add(contacts.slice(from, from + AT_ONCE));
  };
  let pending: NewContact[] = [];
  const flush = async (): Promise<void> => {
    // Of two lines with one number the first counts: equals stay in their order.
    pending.sort((a, b) => (a.token < b.token ? -1 : Number(a.token > b.token)));
    if (spill === undefined) await add(pending);
    else spill.put(pending);
    pending = [];
  };
  try {
    for await (const { record, reader } of records(how, taking.readerOf, terminal)) {
      // What will not be taken need not be sealed.
      const isWanted = !how.isDry && (how.skipBad || report.bad === 0);
      const read = isWanted ? reader.read(record) : reader.check(record);
      if (read === 'listed') report.listed += 1;
      else if (isFaults(read)) {
        report.bad += 1;
        for (const fault of read) tell(fault, report, terminal);
      } else {
        report.good += 1;
        if ('sealed' in read && pending.push(read) >= SORTED_AT_ONCE) await flush();
      }
    }
    if (how.isDry || (spill !== undefined && report.bad > 0)) return unchanged(how, report, terminal);
    await flush();
    for (const part of spill?.parts() ?? []) await add(part);
  } finally {
    spill?.close();
  }
  taking.end?.();
  terminal.stdout.write(
    `${taking.id}: ${report.fresh} new contacts, ${report.good - report.fresh} known already, ${report.listed} on a do-not-call list, ${report.bad} lines left out\n`,
  );
  return EXIT.ok;
}

function unchanged(
  { isDry }: ContactFile,
  { good, listed, bad }: { readonly good: number; readonly listed: number; readonly bad: number },
  { stdout }: Terminal,
): ExitCode {
  const end = isDry ? 'nothing was changed' : 'nothing was changed; --skip-bad leaves them out';
  stdout.write(`${good} contacts, ${listed} on a do-not-call list, ${bad} bad lines: ${end}\n`);
  return bad > 0 ? EXIT.no : EXIT.ok;
}

/** The records of the file behind its first line, with what reads them. */
async function* records(
  how: ContactFile,
  linesOf: (mapping: Mapping) => ContactLines,
  terminal: Terminal,
): AsyncIterable<{ readonly record: CsvRecord; readonly reader: ContactLines }> {
  const isStdin = how.file === '-';
  const progress = new PercentBar(terminal, isStdin ? undefined : sizeOf(how.file));
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
