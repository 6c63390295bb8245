/** One cell of a table, with where it begins: line and column, from 1. */
export interface Cell {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

export interface CsvFault {
  readonly line: number;
  readonly column: number;
  readonly what: string;
}

export interface Csv {
  /** Rows that have anything in them, the header first. */
  readonly rows: readonly (readonly Cell[])[];
  readonly faults: readonly CsvFault[];
}

/**
 * Reads comma-separated values (RFC 4180), with semicolons or tabs where the first line has them and no commas, as spreadsheets
 * write them in half of Europe. Cells are trimmed. Pure: what is wrong comes back as faults, with line and column.
 */
export function readCsv(text: string): Csv {
  const plain = text.replace(/^\uFEFF/, '');
  const [first = ''] = plain.split('\n', 1);
  const comma = [',', ';', '\t'].find((mark) => first.includes(mark)) ?? ',';
  const rows: Cell[][] = [];
  const faults: CsvFault[] = [];
  let row: Cell[] = [];
  let at = 0;
  let line = 1;
  let lineStart = 0;
  const newLine = (): void => {
    line += 1;
    lineStart = at;
  };
  const endRow = (): void => {
    if (row.some((cell) => cell.text !== '')) rows.push(row);
    row = [];
  };
  while (at < plain.length || row.length > 0) {
    const [cellLine, column] = [line, at - lineStart + 1];
    let cell = '';
    if (plain[at] === '"') {
      at += 1;
      for (;;) {
        const sign = plain[at];
        if (sign === undefined) {
          faults.push({ line: cellLine, column, what: 'a quotation mark that is opened here and not closed' });
          break;
        }
        at += 1;
        if (sign === '"' && plain[at] !== '"') break;
        if (sign === '"') at += 1;
        cell += sign;
        if (sign === '\n') newLine();
      }
      while (plain[at] === ' ' || plain[at] === '\r') at += 1;
      if (at < plain.length && plain[at] !== comma && plain[at] !== '\n') {
        faults.push({ line, column: at - lineStart + 1, what: 'something behind a closing quotation mark' });
        while (at < plain.length && plain[at] !== comma && plain[at] !== '\n') at += 1;
      }
    } else {
      while (at < plain.length && plain[at] !== comma && plain[at] !== '\n') {
        cell += plain[at];
        at += 1;
      }
    }
    row.push({ text: cell.trim(), line: cellLine, column });
    if (plain[at] === comma) {
      at += 1;
      // A comma at the very end has an empty cell behind it.
      if (at >= plain.length) row.push({ text: '', line, column: at - lineStart + 1 });
      else continue;
    }
    endRow();
    if (plain[at] === '\n') {
      at += 1;
      newLine();
    }
  }
  return { rows, faults };
}
