export interface CSeq {
  readonly number: number;
  readonly method: string;
}

/** Parses `1 INVITE`; undefined when it is none or the number is not below 2^31 (RFC 3261 §8.1.1.5). */
export function parseCSeq(value: string): CSeq | undefined {
  let at = 0;
  let number = 0;
  for (; at < value.length; at++) {
    const digit = value.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) break;
    number = number * 10 + digit;
    if (number >= 0x80000000) return undefined;
  }
  if (at === 0) return undefined;
  const space = at;
  while (at < value.length && (value.charCodeAt(at) === 32 || value.charCodeAt(at) === 9)) at++;
  if (at === space || at === value.length) return undefined;
  const method = value.slice(at);
  return method.includes(' ') ? undefined : { number, method };
}
