import { existsSync, readFileSync } from 'node:fs';
import { ConfigFault } from '../../gateway/config/fault.js';
import { loadSite } from '../../gateway/config/site.js';
import { HandsetEdit } from '../../gateway/editing/handset-edit.js';
import { editHandsets, type RawHandset } from '../../gateway/editing/site-edit.js';
import { SitePhones } from '../../gateway/editing/site-phones.js';
import { writeAtomically } from '../../gateway/provisioning/atomic-file.js';
import { changesBetween, type HandsetChange } from '../../gateway/site-changes.js';
import { EXIT, type ExitCode, type Terminal, UsageFault } from './command.js';
import type { CsvFault } from './csv.js';
import { told } from './edit-report.js';
import { columnOf, type HandsetRow, readHandsetRows } from './handset-rows.js';
import { Progress } from './progress.js';
import { tableOf } from './table.js';

export interface ImportOptions {
  readonly apply: boolean;
  readonly json: boolean;
  /** Where what the technician needs at each device goes: tokens and secrets. */
  readonly out?: string;
}

/** Adds and changes handsets by a table: shows what it would do, and does it with `apply`. */
export async function importHandsets(
  folder: string,
  file: string,
  { apply, json, out }: ImportOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { rows, faults } = readHandsetRows(readTable(file));
  if (faults.length > 0) return tellFaults(file, faults, terminal);
  if (apply && out === undefined)
    throw new UsageFault('--out is missing: tokens and secrets are shown once, and go into that file');
  if (out !== undefined && existsSync(out)) throw new UsageFault(`${out} is there already`);
  let edit: HandsetEdit | undefined;
  const fill = (handsets: readonly RawHandset[], site: Awaited<ReturnType<typeof loadSite>>) => {
    edit = new HandsetEdit(handsets, site);
    const progress = new Progress(terminal.stderr, 'handsets', rows.length);
    for (const [at, { wanted }] of rows.entries()) {
      if (edit.has(wanted.id)) edit.change(wanted);
      else edit.add(wanted);
      progress.at(at + 1);
    }
    return edit.finished();
  };
  try {
    if (!apply) return await preview(folder, fill, rows.length, json, terminal);
    const outcome = await editHandsets(folder, { command: `handset import ${file}` }, fill);
    const phones = new SitePhones(outcome.site);
    const macs = edit?.armedMacs ?? [];
    const progress = new Progress(terminal.stderr, 'devices', macs.length);
    const sheets = macs.map((mac, at) => {
      progress.at(at + 1);
      return phones.instructions(mac);
    });
    if (out !== undefined) writeAtomically(out, sheets.join('\n'), 0o600, false);
    if (json)
      terminal.stdout.write(`${JSON.stringify({ ...report(outcome.changes), gateway: outcome.gateway }, null, 2)}\n`);
    else {
      terminal.stdout.write(summary(outcome.changes, rows.length));
      terminal.stdout.write(
        `${macs.length} devices are armed; ${out} says what to do at each, and is as good as their secrets\n`,
      );
    }
    return told(outcome, terminal);
  } catch (fault) {
    if (!(fault instanceof ConfigFault)) throw fault;
    return tellFaults(file, asCsvFaults(fault, rows, folder), terminal);
  }
}

function readTable(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (fault) {
    if (fault instanceof TypeError) throw new UsageFault(`${file} is no UTF-8: save it anew as "CSV UTF-8"`);
    throw new UsageFault(`${file} cannot be read: ${(fault as Error).message}`);
  }
}

async function preview(
  folder: string,
  fill: (
    handsets: readonly RawHandset[],
    site: Awaited<ReturnType<typeof loadSite>>,
  ) => { handsets: readonly RawHandset[] },
  rows: number,
  json: boolean,
  { stdout }: Terminal,
): Promise<ExitCode> {
  const site = await loadSite(folder);
  const { handsets } = fill(JSON.parse(readFileSync(`${site.folder}/handsets.json`, 'utf8')) as RawHandset[], site);
  const fresh = await loadSite(folder, undefined, { handsets: JSON.stringify(handsets, null, 2) });
  const changes = changesBetween(site.handsets, fresh.handsets);
  if (json) stdout.write(`${JSON.stringify(report(changes), null, 2)}\n`);
  else {
    stdout.write(summary(changes, rows));
    stdout.write('nothing was written: --apply --out <file> does it\n');
  }
  return EXIT.ok;
}

const report = (changes: readonly HandsetChange[]) => ({ changes });

function summary(changes: readonly HandsetChange[], rows: number): string {
  const count = (what: HandsetChange['what']) => changes.filter((one) => one.what === what).length;
  const shown = changes.map(({ handset, what, fields }) => [handset, what, fields?.join(', ') ?? '']);
  const unchanged = rows - changes.length;
  return `${tableOf([['handset', 'is', 'in'], ...shown])}\n${rows} rows: ${count('added')} added, ${count('changed')} changed, ${unchanged} as they were\n`;
}

/** Faults of the site that the rows would make, at the cells that make them. */
function asCsvFaults({ faults }: ConfigFault, rows: readonly HandsetRow[], folder: string): CsvFault[] {
  return faults.map(({ file, pointer, found, expected, hint }) => {
    const row = rowAt(file, pointer, rows, folder);
    const column = columnOf(pointer);
    const cell = (column === undefined ? undefined : row?.cells.get(column)) ?? row?.cells.get('id');
    const missing = column !== undefined && row !== undefined && !row.cells.has(column) ? `${column}: ` : '';
    const where = cell === undefined ? `${file}${pointer}: ` : missing;
    return {
      line: cell?.line ?? 0,
      column: cell?.column ?? 0,
      what: `${where}found ${found}, expected ${expected} (${hint})`,
    };
  });
}

/** The row that made the entry of handsets.json that a pointer names: by the place that the entry was given. */
function rowAt(file: string, pointer: string, rows: readonly HandsetRow[], folder: string): HandsetRow | undefined {
  const place = /^\/([0-9]+)\//.exec(pointer)?.[1];
  if (file !== 'handsets.json' || place === undefined) return undefined;
  const ids = (JSON.parse(readFileSync(`${folder}/handsets.json`, 'utf8')) as RawHandset[]).map(({ id }) => id);
  const added = rows.filter(({ wanted }) => !ids.includes(wanted.id));
  const id = ids[Number(place)] ?? added[Number(place) - ids.length]?.wanted.id;
  return rows.find(({ wanted }) => wanted.id === id);
}

function tellFaults(file: string, faults: readonly CsvFault[], { stderr }: Terminal): ExitCode {
  const inOrder = [...faults].sort((a, b) => a.line - b.line || a.column - b.column);
  for (const { line, column, what } of inOrder)
    stderr.write(`${file}${line > 0 ? `:${line}:${column}` : ''}  ${what}\n`);
  stderr.write(`${faults.length} fault${faults.length === 1 ? '' : 's'}; nothing was written\n`);
  return EXIT.config;
}
