/**
 * Where things are in a JSON text (RFC 8259). JSON.parse gives the value; this walk gives what it does not: the line and
 * column of a mistake in words, names that stand twice in one object, and the place of each value by its pointer.
 */

/** Line and column, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A mistake in the text; `offset` is where it shows. */
export interface Mistake {
  readonly offset: number;
  readonly found: string;
  readonly expected: string;
}

export interface JsonWalk {
  /** The first mistake of grammar; the walk ends there. */
  readonly mistake?: Mistake;
  /** Names that an object has twice, by pointer, with the offset of the later one. */
  readonly doubled: readonly { readonly pointer: string; readonly offset: number }[];
  /** The offset of each value (of its name, for a value in an object), by pointer. */
  readonly places: ReadonlyMap<string, number>;
}

const DEEPEST = 64;
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /true|false|null/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259 §7 forbids exactly these inside a string.
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;

/** A name as a step of a JSON pointer (RFC 6901 §3). */
export function pointerStep(name: string | number): string {
  return `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** The steps of a JSON pointer. */
export function pointerSteps(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Line and column of an offset. */
export function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}

class Walk implements JsonWalk {
  mistake?: Mistake;
  readonly doubled: { pointer: string; offset: number }[] = [];
  readonly places = new Map<string, number>();
  private at = 0;

  constructor(private readonly text: string) {
    this.value('', 0);
    if (this.mistake === undefined && this.next() !== '') this.miss('the end of the file');
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  /** The next character that is no space; empty at the end. */
  private next(): string {
    this.match(SPACE);
    return this.text.charAt(this.at);
  }

  private miss(expected: string): false {
    const rest = /^[^\s,:[\]{}]{1,20}|^./s.exec(this.text.slice(this.at, this.at + 20))?.[0];
    this.mistake ??= { offset: this.at, found: rest === undefined ? 'the end of the file' : rest, expected };
    return false;
  }

  private value(pointer: string, depth: number): boolean {
    const first = this.next();
    if (!this.places.has(pointer)) this.places.set(pointer, this.at);
    if (depth > DEEPEST) return this.miss(`at most ${DEEPEST} levels of nesting`);
    if (first === '{') return this.object(pointer, depth);
    if (first === '[') return this.array(pointer, depth);
    if (first === '"') return this.match(STRING) !== undefined || this.badString();
    if (this.match(NUMBER) !== undefined || this.match(WORD) !== undefined) return true;
    if (first === "'") return this.miss('double quotes around text');
    return this.miss('a value: text in double quotes, a number, true, false, null, [ or {');
  }

  private badString(): boolean {
    const start = this.at;
    const line = this.text.slice(start + 1).search(/[\n\r]/);
    const end = line === -1 ? this.text.length : start + 1 + line;
    const whole = this.text.slice(start, end);
    const badEscape = /\\(?!["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(whole);
    this.at = badEscape === null ? end : start + badEscape.index;
    return this.miss(
      badEscape === null ? 'the closing " of this text, on the same line' : 'a known escape, e.g. \\\\ or \\n',
    );
  }

  private array(pointer: string, depth: number): boolean {
    this.at += 1;
    if (this.next() === ']') return this.advance();
    for (let index = 0; ; index += 1) {
      if (this.next() === ']') return this.miss('an entry; there is a comma too many before this ]');
      if (!this.value(`${pointer}/${index}`, depth + 1)) return false;
      const then = this.next();
      if (then === ']') return this.advance();
      if (then !== ',') return this.miss('a comma between entries, or ] at their end');
      this.advance();
    }
  }

  private object(pointer: string, depth: number): boolean {
    const names = new Set<string>();
    this.at += 1;
    if (this.next() === '}') return this.advance();
    for (;;) {
      const first = this.next();
      if (first === '}') return this.miss('a setting; there is a comma too many before this }');
      if (first !== '"') return this.miss('a name in double quotes');
      const offset = this.at;
      const raw = this.match(STRING);
      if (raw === undefined) return this.badString();
      const name = JSON.parse(raw) as string;
      const below = pointer + pointerStep(name);
      if (names.has(name)) this.doubled.push({ pointer: below, offset });
      names.add(name);
      this.places.set(below, offset);
      if (this.next() !== ':') return this.miss('a colon between the name and its value');
      this.advance();
      if (!this.value(below, depth + 1)) return false;
      const then = this.next();
      if (then === '}') return this.advance();
      if (then !== ',') return this.miss('a comma between settings, or } at their end');
      this.advance();
    }
  }

  private advance(): true {
    this.at += 1;
    return true;
  }
}

/** Walks a JSON text once. Accepts exactly what JSON.parse accepts, save nesting deeper than 64 levels. */
export function walkJson(text: string): JsonWalk {
  return new Walk(text);
}
