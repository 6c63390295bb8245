/** Exact numbers and prefixes (`+3319900*`), looked up in as many steps as a number has digits, whatever the list's size. */
export class NumberList {
  readonly #exact = new Set<string>();
  readonly #prefixes = new Set<string>();
  readonly #lengths: number[];

  constructor(patterns: Iterable<string>) {
    for (const pattern of patterns) {
      if (pattern.endsWith('*')) this.#prefixes.add(pattern.slice(0, -1));
      else this.#exact.add(pattern);
    }
    this.#lengths = [...new Set([...this.#prefixes].map((prefix) => prefix.length))].sort((a, b) => a - b);
  }

  get size(): number {
    return this.#exact.size + this.#prefixes.size;
  }

  has(number: string): boolean {
    if (this.#exact.has(number)) return true;
    for (const length of this.#lengths) {
      if (length > number.length) return false;
      if (this.#prefixes.has(number.slice(0, length))) return true;
    }
    return false;
  }
}
