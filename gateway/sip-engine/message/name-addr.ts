import { paramOf } from './uri.js';

/** A From, To, Contact, Route or Record-Route value (RFC 3261 §20.10). */
export interface NameAddr {
  /** The display name with its quotes, or empty. */
  readonly display: string;
  readonly uri: string;
  /** The header's own parameters, `;tag=…`, as written. */
  readonly params: string;
}

// White space and control characters: a URI that holds one is another URI, or two, to the next reader.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const UNPRINTABLE = /[\x00-\x20\x7f]/;

/** The index behind a quoted string that starts at `start`, or the text's length when it never ends. */
function afterQuoted(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x5c) i++;
    else if (code === 0x22) return i + 1;
  }
  return text.length;
}

/** Parses one value; undefined when the brackets or quotes do not match or the URI is empty. */
export function parseNameAddr(value: string): NameAddr | undefined {
  const text = value.trim();
  const from = text.charCodeAt(0) === 0x22 ? afterQuoted(text, 0) : 0;
  const open = text.indexOf('<', from);
  if (open >= 0) {
    const close = text.indexOf('>', open);
    if (close < 0) return undefined;
    const uri = text.slice(open + 1, close).trim();
    const params = text.slice(close + 1).trimStart();
    if (uri === '' || UNPRINTABLE.test(uri) || (params !== '' && params.charCodeAt(0) !== 0x3b)) return undefined;
    const display = text.slice(0, open).trim();
    // Behind a quoted name stands nothing; and a comma outside of quotes leaves open whose name it is (RFC 4475 §3.1.2.15).
    const extra = from > 0 ? text.slice(from, open).trim() : display;
    if (extra.includes(',') || extra.includes('"') || (from > 0 && extra !== '')) return undefined;
    return hasEmptyParam(params) ? undefined : { display, uri, params };
  }
  if (from > 0) return undefined;
  // Without brackets every parameter belongs to the header (RFC 3261 §20).
  const semicolon = text.indexOf(';');
  const uri = (semicolon < 0 ? text : text.slice(0, semicolon)).trim();
  if (uri === '' || !uri.includes(':') || UNPRINTABLE.test(uri)) return undefined;
  // A `?` or a comma could be the URI's or the header's: brackets must tell (RFC 3261 §20; RFC 4475 §3.1.2.13).
  if (uri.includes('?') || uri.includes(',')) return undefined;
  const params = semicolon < 0 ? '' : text.slice(semicolon);
  return hasEmptyParam(params) ? undefined : { display: '', uri, params };
}

/** Whether a semicolon in `;a=b;c` text has no parameter behind it (RFC 4475 §3.1.2.1). */
export function hasEmptyParam(params: string): boolean {
  if (params === '') return false;
  let waiting = false;
  for (let i = 0; i < params.length; i++) {
    const code = params.charCodeAt(i);
    if (code === 0x3b) {
      if (waiting) return true;
      waiting = true;
    } else if (code === 0x22) {
      i = afterQuoted(params, i) - 1;
      waiting = false;
    } else if (code !== 0x20 && code !== 0x09) waiting = false;
  }
  return waiting;
}

/** The tag of a From or To value; undefined when there is none. */
export function tagOf(value: string): string | undefined {
  // Nearly every stack writes `>;tag=x` at the end of the value.
  const close = value.lastIndexOf('>;tag=');
  if (close >= 0 && !value.includes('"', close)) {
    const start = close + 6;
    const end = value.indexOf(';', start);
    const tag = end < 0 ? value.slice(start) : value.slice(start, end);
    return tag === '' ? undefined : tag;
  }
  const parsed = parseNameAddr(value);
  return (parsed && paramOf(parsed.params, 'tag')) || undefined;
}

/** The value with `;tag=` added, or as it is when it has one; a bare URI is put into brackets. */
export function withTag(value: string, tag: string): string {
  if (tagOf(value) !== undefined) return value;
  if (value.includes('<')) return `${value};tag=${tag}`;
  const parsed = parseNameAddr(value);
  return parsed === undefined ? `${value};tag=${tag}` : `<${parsed.uri}>${parsed.params};tag=${tag}`;
}

/** Splits a comma-separated list, minding quotes and brackets. */
export function splitList(value: string): string[] {
  if (!value.includes(',')) return [value.trim()];
  const items: string[] = [];
  let start = 0;
  let bracket = false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code === 0x22 && !bracket) i = afterQuoted(value, i) - 1;
    else if (code === 0x3c) bracket = true;
    else if (code === 0x3e) bracket = false;
    else if (code === 0x2c && !bracket) {
      items.push(value.slice(start, i).trim());
      start = i + 1;
    }
  }
  items.push(value.slice(start).trim());
  return items.filter((item) => item !== '');
}

/** All values of a list header that may stand on several lines. */
export function listOf(values: readonly string[]): string[] {
  return values.length === 1 ? splitList(values[0] ?? '') : values.flatMap(splitList);
}
