/** CSV as it comes (RFC 4180, and `;` or tabs in the place of commas), record by record, in constant memory. */

/** Longer than any line of a list of contacts; a quote that nobody closes ends here, characters. */
const LONGEST = 65_536;

export interface CsvRecord {
  /** The line that it begins on, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
  /** A quote opens a cell in it and nothing closes it: the last line that was taken with it. */
  readonly unclosedTo?: number;
}

export class CsvReader {
  #text = '';
  #line = 1;
  #begins = 1;
  #separator: string | undefined;

  /** Takes one line without its end; gives the record that it completes, if it does. */
  take(line: string): CsvRecord | undefined {
    this.#text = this.#text === '' ? line : `${this.#text}\n${line}`;
    if (this.#line === 1) this.#text = this.#text.replace(/^\ufeff/, '');
    this.#line += 1;
    this.#separator ??= separatorOf(this.#text);
    if (!isOpen(this.#text, this.#separator)) return this.#flush();
    return this.#text.length < LONGEST ? undefined : this.#flush(this.#line - 1);
  }

  /** What is left at the end of the file. */
  end(): CsvRecord | undefined {
    return this.#text === '' ? undefined : this.#flush(this.#line - 1);
  }

  #flush(unclosedTo?: number): CsvRecord {
    const cells = cellsOf(this.#text, this.#separator ?? ',');
    const record = { line: this.#begins, cells, ...(unclosedTo !== undefined && { unclosedTo }) };
    this.#text = '';
    this.#begins = this.#line;
    return record;
  }
}

/** The mark that occurs oftenest in the first line; a comma where none does. */
function separatorOf(line: string): string {
  return [',', ';', '\t'].reduce((a, b) => (countOf(line, b) > countOf(line, a) ? b : a));
}

function countOf(text: string, mark: string): number {
  let count = 0;
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) count += 1;
  return count;
}

/** Whether a record ends within a quoted cell. A quote is one where a cell begins; within a cell it is a sign like any other. */
function isOpen(text: string, separator: string): boolean {
  if (!text.includes('"')) return false;
  for (let at = 0; at <= text.length; ) {
    const opened = /\s*/.exec(text.slice(at))?.[0].length ?? 0;
    let from = at;
    if (text[at + opened] === '"') {
      from = closedAt(text, at + opened + 1);
      if (from < 0) return true;
    }
    const next = text.indexOf(separator, from);
    if (next < 0) return false;
    at = next + separator.length;
  }
  return false;
}

/** Behind the quote that closes a cell; negative: none does. A doubled one stands for itself. */
function closedAt(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 2))
    if (text[at + 1] !== '"') return at + 1;
  return -1;
}

function cellsOf(text: string, separator: string): readonly string[] {
  if (!text.includes('"')) return text.split(separator).map((cell) => cell.trim());
  const cells: string[] = [];
  let at = 0;
  while (at <= text.length) {
    const quoted = /^\s*"((?:[^"]|"")*)"\s*/.exec(text.slice(at));
    const plain = quoted === null ? text.indexOf(separator, at) : text.indexOf(separator, at + quoted[0].length);
    const end = plain < 0 ? text.length : plain;
    cells.push(quoted === null ? text.slice(at, end).trim() : (quoted[1] ?? '').replaceAll('""', '"').trim());
    at = end + separator.length;
  }
  return cells;
}
