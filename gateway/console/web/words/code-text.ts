/** The words of a code that the gateway gave, or the code itself where this page has none: a newer gateway knows more. */
export function titleOfCode(words: Readonly<Record<string, string>>, code: string): string {
  return Object.hasOwn(words, code) ? (words[code] ?? code) : code;
}
