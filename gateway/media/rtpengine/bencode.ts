/** Bencoding (BEP 3), in which rtpengine's ng protocol speaks: integers, byte strings, lists and dictionaries. */

export type Bencoded = string | number | readonly Bencoded[] | { readonly [key: string]: Bencoded };

/** The value as bencoded text, strings as Latin-1: one character a byte. */
export function bencode(value: Bencoded): string {
  if (typeof value === 'number') return `i${Math.trunc(value)}e`;
  if (typeof value === 'string') return `${value.length}:${value}`;
  if (Array.isArray(value)) return `l${value.map(bencode).join('')}e`;
  const entries = Object.entries(value as Readonly<Record<string, Bencoded>>);
  // Keys are in order of their bytes.
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `d${entries.map(([key, item]) => bencode(key) + bencode(item)).join('')}e`;
}

const MAX_DEPTH = 32;

/** The value that a text holds, whole. Throws SyntaxError on anything else. */
export function bdecode(text: string): Bencoded {
  const reader = new Reader(text);
  const value = reader.value(0);
  if (!reader.isAtEnd) throw new SyntaxError('bytes behind the value');
  return value;
}

class Reader {
  #at = 0;
  constructor(private readonly text: string) {}

  get isAtEnd(): boolean {
    return this.#at === this.text.length;
  }

  value(depth: number): Bencoded {
    if (depth > MAX_DEPTH) throw new SyntaxError('nested too deeply');
    switch (this.text[this.#at]) {
      case 'i':
        return this.#integer();
      case 'l': {
        const items: Bencoded[] = [];
        this.#at++;
        while (!this.#ends()) items.push(this.value(depth + 1));
        return items;
      }
      case 'd': {
        const entries: [string, Bencoded][] = [];
        this.#at++;
        while (!this.#ends()) entries.push([this.#string(), this.value(depth + 1)]);
        return Object.fromEntries(entries);
      }
      default:
        return this.#string();
    }
  }

  #ends(): boolean {
    if (this.isAtEnd) throw new SyntaxError('the text ends too early');
    if (this.text[this.#at] !== 'e') return false;
    this.#at++;
    return true;
  }

  #integer(): number {
    const found = /^i(-?\d{1,20})e/.exec(this.text.slice(this.#at, this.#at + 24));
    if (found === null) throw new SyntaxError('no integer');
    this.#at += found[0].length;
    return Number(found[1]);
  }

  #string(): string {
    const found = /^(\d{1,9}):/.exec(this.text.slice(this.#at, this.#at + 10));
    if (found === null) throw new SyntaxError('no string');
    const start = this.#at + found[0].length;
    const end = start + Number(found[1]);
    if (end > this.text.length) throw new SyntaxError('a string longer than the text');
    this.#at = end;
    return this.text.slice(start, end);
  }
}
