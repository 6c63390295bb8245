/** Lines of a list of numbers, plain text or CSV, of whatever length the whole is. */
import { StringDecoder } from 'node:string_decoder';

/** A line of a list is shorter, characters: what has longer ones is no list. */
const LONGEST = 65_536;

/** A line that is no line of a list; the message says which. */
export class LineFault extends Error {
  override readonly name = 'LineFault';
}

/**
 * Tells `onLine` of each line in turn, without its end, and `onRead` of how much of the text that was, characters. Throws a `LineFault` for a line
 * of more than 65,536 characters, and whatever the stream throws.
 */
export async function eachLine(
  input: AsyncIterable<Buffer | string>,
  onLine: (text: string, line: number) => void,
  onRead: (characters: number) => void,
): Promise<void> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let line = 0;
  const tell = (text: string): void => {
    line += 1;
    if (text.length > LONGEST) throw new LineFault(`line ${line} is longer than ${LONGEST} characters`);
    onRead(text.length + 1);
    onLine(text.endsWith('\r') ? text.slice(0, -1) : text, line);
  };
  for await (const piece of input) {
    const text = rest + (typeof piece === 'string' ? piece : decoder.write(piece));
    let from = 0;
    for (let to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
      tell(text.slice(from, to));
      from = to + 1;
    }
    rest = text.slice(from);
    if (rest.length > LONGEST) tell(rest);
  }
  rest += decoder.end();
  if (rest !== '') tell(rest);
}

/**
 * One cell of a line of CSV, by whichever of the usual marks divides it (RFC 4180 within one line); '' where it has none.
 * @param column from 1.
 */
export function cellOf(text: string, column: number): string {
  if (!/[,;\t"]/.test(text)) return column === 1 ? text.trim() : '';
  if (!text.includes('"')) return (text.split(/[,;\t]/)[column - 1] ?? '').trim();
  return (quotedCells(text)[column - 1] ?? '').trim();
}

function quotedCells(text: string): readonly string[] {
  const cells: string[] = [];
  let cell = '';
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at] ?? '';
    if (sign === '"' && isQuoted && text[at + 1] === '"') {
      cell += '"';
      at += 1;
    } else if (sign === '"') isQuoted = !isQuoted;
    else if (!isQuoted && /[,;\t]/.test(sign)) {
      cells.push(cell);
      cell = '';
    } else cell += sign;
  }
  // A cell that runs on over the end of its line holds no number.
  return [...cells, isQuoted ? `"${cell}` : cell];
}
