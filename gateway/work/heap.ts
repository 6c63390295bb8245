/** A binary heap of row numbers, the first by `before` at its top. Push and pop take O(log n). */
export class Heap {
  readonly #rows: number[] = [];

  constructor(private readonly before: (a: number, b: number) => boolean) {}

  get size(): number {
    return this.#rows.length;
  }

  top(): number | undefined {
    return this.#rows[0];
  }

  push(row: number): void {
    const rows = this.#rows;
    let at = rows.length;
    rows.push(row);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const above = rows[up] as number;
      if (!this.before(row, above)) break;
      rows[at] = above;
      at = up;
    }
    rows[at] = row;
  }

  pop(): number | undefined {
    const rows = this.#rows;
    const first = rows[0];
    const last = rows.pop();
    if (first === undefined || last === undefined || rows.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= rows.length) break;
      if (child + 1 < rows.length && this.before(rows[child + 1] as number, rows[child] as number)) child += 1;
      const below = rows[child] as number;
      if (!this.before(below, last)) break;
      rows[at] = below;
      at = child;
    }
    rows[at] = last;
    return first;
  }
}
