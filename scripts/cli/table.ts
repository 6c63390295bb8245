import type { Writable } from 'node:stream';

/** A last column narrower than this is left to the terminal to break. */
const NARROWEST = 20;

/** How many columns a terminal has; undefined for what is no terminal, and for one that does not say. */
export function widthOf(
  stream: Writable & { readonly isTTY?: boolean; readonly columns?: number },
): number | undefined {
  return stream.isTTY === true && (stream.columns ?? 0) > 0 ? stream.columns : undefined;
}

/**
 * Rows as lines of columns that stand below each other. A last cell that is longer than the terminal is wide goes on below
 * itself: nothing is cut off. @param width Columns of the terminal, where there is one.
 */
export function tableOf(rows: readonly (readonly string[])[], width?: number): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  const lines = rows.flatMap((row) => {
    const head = row.slice(0, -1).map((cell, column) => `${cell.padEnd(widths[column] ?? 0)}  `);
    const start = head.join('');
    const [first = '', ...rest] = broken(row.at(-1) ?? '', width === undefined ? undefined : width - start.length);
    return [`${start}${first}`, ...rest.map((part) => `${' '.repeat(start.length)}${part}`)];
  });
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

/**
 * Text as a terminal of this width shows it well: a longer line is broken between words, and goes on below its own text and
 * not below what is explained.
 */
export function fitted(text: string, width: number | undefined): string {
  if (width === undefined) return text;
  return text
    .split('\n')
    .flatMap((line) => {
      const indent = indentOf(line, width);
      const [first = '', ...rest] = broken(line.slice(indent), width - indent);
      return [`${line.slice(0, indent)}${first}`, ...rest.map((part) => `${' '.repeat(indent)}${part}`)];
    })
    .join('\n');
}

/** Where a line's own text begins: behind a word and two blanks, or behind its blanks alone. */
function indentOf(line: string, width: number): number {
  const [explained = ''] = /^ *\S+(?: \S+)*? {2,}(?=\S)/.exec(line) ?? [];
  const [blank = ''] = /^ */.exec(line) ?? [];
  return explained.length > 0 && width - explained.length >= NARROWEST ? explained.length : blank.length;
}

/** A text in parts of at most `room` signs, between words; a word that is longer stays whole. */
function broken(text: string, room: number | undefined): readonly string[] {
  if (room === undefined || text.length <= room || room < NARROWEST) return [text];
  const parts: string[] = [];
  let part = '';
  for (const word of text.split(' ')) {
    const longer = part === '' ? word : `${part} ${word}`;
    if (longer.length > room && part !== '') {
      parts.push(part);
      part = word;
    } else part = longer;
  }
  return [...parts, part];
}

/** Whole seconds as minutes and seconds, 4:05. */
export function minutesOf(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
