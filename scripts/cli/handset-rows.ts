import { nearest } from '../../gateway/config/schema-faults.js';
import type { WantedHandset } from '../../gateway/editing/handset-edit.js';
import { readMac } from '../../gateway/provisioning/device.js';
import { type Cell, type CsvFault, readCsv } from './csv.js';

const COLUMNS = [
  'id',
  'wing',
  'profile',
  'user',
  'language',
  'enabled',
  'board',
  'relay',
  'hook',
  'model',
  'mac',
  'port',
] as const;
export type Column = (typeof COLUMNS)[number];

/** One row of a table of handsets, and where each of its cells stands. */
export interface HandsetRow {
  readonly wanted: WantedHandset;
  readonly cells: ReadonlyMap<Column, Cell>;
}

/** The setting in handsets.json that a fault is of, as the column that it came from. */
export function columnOf(pointer: string): Column | undefined {
  const [, , name, part] = pointer.split('/');
  const last = name === 'line' || name === 'phone' ? part : name;
  return (
    COLUMNS.find((column) => column === last) ?? (name === 'line' ? 'board' : name === 'phone' ? 'model' : undefined)
  );
}

/** Reads a table of handsets. Pure: all faults of its form come back at once, each with line and column. */
export function readHandsetRows(text: string): {
  readonly rows: readonly HandsetRow[];
  readonly faults: readonly CsvFault[];
} {
  const { rows, faults: found } = readCsv(text);
  const faults: CsvFault[] = [...found];
  const [header, ...body] = rows;
  if (header === undefined)
    return { rows: [], faults: [{ line: 1, column: 1, what: 'nothing: expected a header and rows below it' }] };
  const columns = header.map((cell) => columnNamed(cell, faults));
  for (const [at, column] of columns.entries()) {
    const cell = header[at];
    if (column !== undefined && cell !== undefined && columns.indexOf(column) < at)
      faults.push(fault(cell, `a second column ${column}`));
  }
  if (!columns.includes('id') && header[0] !== undefined)
    faults.push(fault(header[0], 'no column "id", by which a handset is known'));
  const seen = new Map<string, number>();
  const read = body.flatMap((cells) => {
    const own = new Map<Column, Cell>();
    for (const [at, cell] of cells.entries()) {
      const column = columns[at];
      if (column !== undefined && cell.text !== '') own.set(column, cell);
      else if (at >= columns.length && cell.text !== '') faults.push(fault(cell, 'a cell with no column above it'));
    }
    const row = rowOf(own, cells, faults);
    if (row === undefined) return [];
    const before = seen.get(row.wanted.id);
    const idCell = own.get('id');
    if (before !== undefined && idCell !== undefined)
      faults.push(fault(idCell, `the handset of line ${before} a second time`));
    seen.set(row.wanted.id, idCell?.line ?? 0);
    return [row];
  });
  return { rows: read, faults };
}

const fault = ({ line, column }: Cell, what: string): CsvFault => ({ line, column, what });

function columnNamed(cell: Cell, faults: CsvFault[]): Column | undefined {
  const name = cell.text.toLowerCase();
  const column = COLUMNS.find((one) => one === name);
  if (column === undefined) {
    const meant = nearest(name, COLUMNS);
    const help = meant === undefined ? `the columns are ${COLUMNS.join(', ')}` : `did you mean ${meant}?`;
    faults.push(fault(cell, `a column ${JSON.stringify(cell.text)}, which there is not; ${help}`));
  }
  return column;
}

function rowOf(own: ReadonlyMap<Column, Cell>, cells: readonly Cell[], faults: CsvFault[]): HandsetRow | undefined {
  const text = (column: Column): string | undefined => own.get(column)?.text;
  const number = (column: Column): number | undefined => {
    const cell = own.get(column);
    if (cell === undefined) return undefined;
    if (/^[0-9]{1,5}$/.test(cell.text)) return Number(cell.text);
    faults.push(fault(cell, `${column}: expected a whole number, found ${JSON.stringify(cell.text)}`));
    return 0;
  };
  const together = (columns: readonly Column[], what: string): boolean => {
    const there = columns.filter((column) => own.has(column));
    const [first] = there;
    const cell = first === undefined ? undefined : own.get(first);
    if (cell === undefined || there.length === columns.length) return cell !== undefined;
    const missing = columns.filter((column) => !own.has(column));
    faults.push(
      fault(
        cell,
        `${what} needs ${columns.join(', ')}; ${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} empty`,
      ),
    );
    return false;
  };
  const id = text('id');
  if (id === undefined) {
    const [first] = cells;
    if (first !== undefined) faults.push(fault(first, 'a row without an id'));
    return undefined;
  }
  const enabled = enabledOf(own.get('enabled'), faults);
  const line = together(['board', 'relay', 'hook'], 'a line')
    ? { board: text('board') ?? '', relay: number('relay') ?? 0, hook: number('hook') ?? 0 }
    : undefined;
  const phone = together(['model', 'mac'], 'a phone')
    ? { model: text('model') ?? '', mac: macOf(own.get('mac'), faults), port: number('port') ?? 1 }
    : undefined;
  const wanted = {
    id,
    ...whole({ wing: text('wing'), profile: text('profile'), user: text('user'), language: text('language') }),
    ...whole({ enabled, line, phone }),
  } as WantedHandset;
  return { wanted, cells: own };
}

/** The same without what is undefined. */
function whole(parts: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
}

function macOf(cell: Cell | undefined, faults: CsvFault[]): string {
  const mac = cell === undefined ? undefined : readMac(cell.text);
  if (cell !== undefined && mac === undefined) {
    faults.push(fault(cell, `mac: expected 12 hexadecimal digits, found ${JSON.stringify(cell.text)}`));
  }
  return mac ?? '';
}

const YES_NO: Readonly<Record<string, boolean>> = {
  yes: true,
  true: true,
  '1': true,
  no: false,
  false: false,
  '0': false,
};

function enabledOf(cell: Cell | undefined, faults: CsvFault[]): boolean | undefined {
  if (cell === undefined) return undefined;
  const enabled = YES_NO[cell.text.toLowerCase()];
  if (enabled === undefined)
    faults.push(fault(cell, `enabled: expected yes or no, found ${JSON.stringify(cell.text)}`));
  return enabled;
}
