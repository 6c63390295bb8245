/** A generator of random numbers that one seed decides (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * limit);
  }

  one<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  }
}

/** What parsers stumble over. */
const MORSELS = [
  '\r\n',
  '\r',
  '\n',
  '\r\n\r\n',
  '\r\n ',
  '\0',
  ' ',
  '\t',
  ';',
  ';;',
  ',',
  '"',
  '\\"',
  '<',
  '>',
  '<>',
  '@',
  ':',
  '::',
  '[',
  ']',
  '=',
  '%',
  '%00',
  '?',
  '|',
  '#',
  '\xff\xfe',
  '\xc3\xa9',
  ';tag=',
  ';lr',
  'sip:',
  'tel:+1',
  'SIP/2.0 ',
  'constructor',
  '__proto__',
];
const NUMBERS = [
  '-1',
  '0',
  '00000',
  '1',
  '65536',
  '2147483647',
  '2147483648',
  '4294967296',
  '99999999999999999999',
  '1e9',
  '0x10',
  'NaN',
];

type Mutation = (text: string, dice: Dice, others: readonly string[]) => string;

function range(text: string, dice: Dice, most: number): [number, number] {
  const start = dice.below(text.length + 1);
  return [start, Math.min(text.length, start + 1 + dice.below(most))];
}

/** Replaces one line (start line or header) by what `change` makes of it. */
function onLine(text: string, dice: Dice, change: (line: string) => string): string {
  const all = text.split('\r\n');
  const at = dice.below(Math.max(1, all.indexOf('')));
  all[at] = change(all[at] ?? '');
  return all.join('\r\n');
}

const MUTATIONS: readonly Mutation[] = [
  (text, dice) => {
    const at = dice.below(text.length);
    return text.slice(0, at) + String.fromCharCode(dice.below(256)) + text.slice(at + 1);
  },
  (text, dice) => {
    const [start, end] = range(text, dice, 40);
    return text.slice(0, start) + text.slice(end);
  },
  (text, dice) => {
    const [start, end] = range(text, dice, 80);
    return text.slice(0, end) + text.slice(start, end) + text.slice(end);
  },
  (text, dice) => {
    const at = dice.below(text.length + 1);
    return text.slice(0, at) + dice.one(MORSELS) + text.slice(at);
  },
  (text, dice) => {
    const at = dice.below(text.length + 1);
    return text.slice(0, at) + dice.one(MORSELS).repeat(dice.below(dice.below(20) === 0 ? 4_000 : 40)) + text.slice(at);
  },
  (text, dice) => {
    const digits = [...text.matchAll(/\d+/g)];
    if (digits.length === 0) return text;
    const hit = dice.one(digits);
    return text.slice(0, hit.index) + dice.one(NUMBERS) + text.slice(hit.index + hit[0].length);
  },
  (text, dice) => onLine(text, dice, (line) => `${line}\r\n${line}`),
  (text, dice) => onLine(text, dice, () => ''),
  (text, dice) => onLine(text, dice, (line) => line.slice(0, line.indexOf(':') + 1)),
  (text, dice) => onLine(text, dice, (line) => line.toUpperCase()),
  (text, dice) =>
    onLine(text, dice, (line) =>
      line.replace(/^[^:]*/, () => dice.one(['v', 'f', 't', 'i', 'm', 'l', 'c', 'k', 'x', 'r', 'Fr%6Fm', 'Contact'])),
    ),
  (text, dice) =>
    onLine(text, dice, (line) => line.replace(/: ?/, () => dice.one([':', ' : ', ':\r\n ', ':\t', ': ,']))),
  (text, dice, others) => {
    const other = dice.one(others);
    const cut = dice.below(text.length + 1);
    return text.slice(0, cut) + other.slice(dice.below(other.length + 1));
  },
  (text, dice, others) => {
    const line = dice.one(dice.one(others).split('\r\n'));
    return onLine(text, dice, (own) => `${own}\r\n${line}`);
  },
  (text, dice) => text.slice(0, dice.below(text.length + 1)),
  (text) => text.replaceAll('\r\n', '\n'),
];

/** The text with one to four things done to it. `others` are texts that pieces may be taken from. */
export function mutated(text: string, dice: Dice, others: readonly string[]): string {
  let changed = text;
  for (let times = 1 + dice.below(4); times > 0; times--) changed = dice.one(MUTATIONS)(changed, dice, others);
  return changed;
}
