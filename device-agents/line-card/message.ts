/** The form of the line card's protocol, both ways, as values; README.md has its meaning. No I/O. */
import { crc16 } from '../crc16.js';

/** A line without its end is at most this long, characters. */
export const LONGEST_LINE = 120;
/** A display shows at most this many characters. */
export const LONGEST_TEXT = 40;
export const LINES = 32;
const SEQUENCE = 100;

export type LampColour = 'OFF' | 'GREEN' | 'AMBER' | 'RED';
/** A line of the card, or all of them. */
export type LineNumber = number | 'ALL';

/** What the agent says, without its number. */
export type Order =
  | { readonly verb: 'ID?' | 'STATE?' }
  | { readonly verb: 'LEASE'; readonly line: number; readonly forMs: number }
  | { readonly verb: 'OPEN'; readonly line: LineNumber }
  | { readonly verb: 'LAMP'; readonly line: number; readonly colour: LampColour }
  | { readonly verb: 'TEXT'; readonly line: number; readonly text: string };

/** What the card says. */
export type Word =
  | { readonly verb: 'BEAT' }
  | { readonly verb: 'ACK'; readonly seq: number }
  | { readonly verb: 'NAK'; readonly seq: number; readonly why: string }
  | {
      readonly verb: 'ID';
      readonly seq: number;
      readonly model: string;
      readonly lines: number;
      readonly longestMs: number;
    }
  | { readonly verb: 'HOOK'; readonly seq: number; readonly line: number; readonly off: boolean }
  | { readonly verb: 'RELAY'; readonly seq: number; readonly line: number; readonly closed: boolean }
  | { readonly verb: 'TAMPER'; readonly seq: number; readonly line: number; readonly open: boolean }
  | { readonly verb: 'KEY'; readonly seq: number; readonly line: number; readonly key: string };

/** What came in one line: a word, a well-formed line that says nothing known, or noise. */
export type Reading =
  | { readonly is: 'word'; readonly word: Word }
  | { readonly is: 'unknown'; readonly seq: number | undefined; readonly why: string }
  | { readonly is: 'noise' };

export function nextSequence(seq: number): number {
  return (seq + 1) % SEQUENCE;
}

const twoDigits = (value: number) => String(value).padStart(2, '0');

/** The whole line for what comes before the `*`, CR and LF included. */
export function sealed(body: string): Buffer {
  const bytes = Buffer.from(body, 'latin1');
  const crc = crc16(bytes).toString(16).toUpperCase().padStart(4, '0');
  return Buffer.from(`${body}*${crc}\r\n`, 'latin1');
}

/** What is in a line that came without its end, or undefined when its CRC is another. */
export function unsealed(line: string): string | undefined {
  if (line.length > LONGEST_LINE) return undefined;
  const star = line.lastIndexOf('*');
  if (star < 1 || !/^[0-9A-F]{4}$/.test(line.slice(star + 1))) return undefined;
  const body = line.slice(0, star);
  return crc16(Buffer.from(body, 'latin1')) === Number.parseInt(line.slice(star + 1), 16) ? body : undefined;
}

/** Text as a display can show it: printable ASCII without quotes and stars, cut to its length. */
export function displayable(text: string): string {
  const plain = text.normalize('NFKD').replaceAll(/\p{M}/gu, '');
  return plain
    .replaceAll(/[^ -~]/g, '?')
    .replaceAll(/["*]/g, "'")
    .slice(0, LONGEST_TEXT);
}

function argumentsOf(order: Order): string {
  switch (order.verb) {
    case 'ID?':
    case 'STATE?':
      return '';
    case 'LEASE':
      return ` ${twoDigits(order.line)} ${order.forMs}`;
    case 'OPEN':
      return ` ${order.line === 'ALL' ? 'ALL' : twoDigits(order.line)}`;
    case 'LAMP':
      return ` ${twoDigits(order.line)} ${order.colour}`;
    case 'TEXT':
      return ` ${twoDigits(order.line)} "${displayable(order.text)}"`;
  }
}

export function orderLine(order: Order, seq: number): Buffer {
  return sealed(`>${order.verb}${argumentsOf(order)} #${twoDigits(seq)}`);
}

export function ackLine(seq: number): Buffer {
  return sealed(`>ACK #${twoDigits(seq)}`);
}

export function nakLine(seq: number, why: string): Buffer {
  return sealed(`>NAK #${twoDigits(seq)} ${why}`);
}

const WORD = /^<([A-Z]+)((?: [^ #][^ ]*)*)(?: #([0-9]{2}))?((?: .*)?)$/;

/** Reads a line of the card's, without its end. */
export function readWord(line: string): Reading {
  const body = unsealed(line);
  if (body === undefined || !body.startsWith('<')) return { is: 'noise' };
  const keyed = /^<KEY ([0-9]{2}) ([0-9*#]) #([0-9]{2})$/.exec(body);
  if (keyed !== null) {
    const at = Number(keyed[1]);
    const seq = Number(keyed[3]);
    if (at >= LINES) return { is: 'unknown', seq, why: 'no such line' };
    return { is: 'word', word: { verb: 'KEY', seq, line: at, key: keyed[2] ?? '' } };
  }
  const [, verb, args = '', digits, rest = ''] = WORD.exec(body) ?? [];
  if (verb === 'BEAT') return { is: 'word', word: { verb } };
  const seq = digits === undefined ? undefined : Number(digits);
  const unknown = (why: string): Reading => ({ is: 'unknown', seq, why });
  if (seq === undefined) return unknown('no number');
  if (verb === 'ACK') return { is: 'word', word: { verb, seq } };
  if (verb === 'NAK') return { is: 'word', word: { verb, seq, why: rest.trim() } };
  const [first = '', second, third] = args.trim().split(' ');
  if (verb === 'ID') {
    const [lines, longestMs] = [Number(second), Number(third)];
    if (!/^[A-Za-z0-9._-]{1,16}$/.test(first) || !Number.isInteger(lines) || !Number.isInteger(longestMs)) {
      return unknown('ID wants a kind, lines and milliseconds');
    }
    return { is: 'word', word: { verb, seq, model: first, lines, longestMs } };
  }
  if (!/^[0-9]{2}$/.test(first) || Number(first) >= LINES) return unknown('no such line');
  const at = Number(first);
  switch (`${verb} ${second ?? ''}`) {
    case 'HOOK OFF':
    case 'HOOK ON':
      return { is: 'word', word: { verb: 'HOOK', seq, line: at, off: second === 'OFF' } };
    case 'RELAY CLOSED':
    case 'RELAY OPEN':
      return { is: 'word', word: { verb: 'RELAY', seq, line: at, closed: second === 'CLOSED' } };
    case 'TAMPER ':
    case 'TAMPER OPEN':
    case 'TAMPER CLOSED':
      return { is: 'word', word: { verb: 'TAMPER', seq, line: at, open: second !== 'CLOSED' } };
    default:
      return unknown('not understood');
  }
}

/** Cuts what comes into lines. A line that grows too long is noise, and so is what follows up to its end. */
export class LineCutter {
  #held = '';
  #tooLong = false;

  /** The lines that end in these bytes, without their ends; a line that was too long is an empty one. */
  take(bytes: Buffer): readonly string[] {
    const lines: string[] = [];
    for (const character of bytes.toString('latin1')) {
      if (character === '\r') continue;
      if (character === '\n') {
        lines.push(this.#tooLong ? '' : this.#held);
        this.#held = '';
        this.#tooLong = false;
      } else if (this.#held.length >= LONGEST_LINE) this.#tooLong = true;
      else this.#held += character;
    }
    return lines;
  }
}
