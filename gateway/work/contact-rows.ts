/**
 * The contacts of a book, one row each, in columns: some 60 bytes a contact, so that a million of them fit into the memory of a
 * small machine. Rows that are over are used again.
 */
const FIRST = 1_024;

/** What is kept of a contact for choosing. Its number and its token stay in the store. */
export interface RowValues {
  /** The contact's row in the store. */
  readonly ref: number;
  readonly group: number;
  /** Stands for the callee across campaigns: 52 bits of a keyed hash of the number. */
  readonly callee: number;
  readonly priority: number;
  readonly attempts: number;
  readonly dayAttempts: number;
  /** When the day ends in which `dayAttempts` were made; epoch milliseconds, as all instants here. */
  readonly dayEndsMs: number;
  /** Not before; of a call-back, when it is due. */
  readonly readyMs: number;
  readonly isCallBack: boolean;
  /** Until when it is lent to this gateway; infinite for a contact of its own. */
  readonly lentUntilMs: number;
}

export class ContactRows {
  ref = new Float64Array(FIRST);
  group = new Int32Array(FIRST);
  callee = new Float64Array(FIRST);
  priority = new Uint8Array(FIRST);
  attempts = new Uint16Array(FIRST);
  dayAttempts = new Uint8Array(FIRST);
  dayEndsMs = new Float64Array(FIRST);
  readyMs = new Float64Array(FIRST);
  isCallBack = new Uint8Array(FIRST);
  lentUntilMs = new Float64Array(FIRST);
  readonly #free: number[] = [];
  #used = 0;

  get size(): number {
    return this.#used - this.#free.length;
  }

  add(values: RowValues): number {
    const row = this.#free.pop() ?? this.#next();
    this.ref[row] = values.ref;
    this.group[row] = values.group;
    this.callee[row] = values.callee;
    this.priority[row] = values.priority;
    this.attempts[row] = values.attempts;
    this.dayAttempts[row] = values.dayAttempts;
    this.dayEndsMs[row] = values.dayEndsMs;
    this.readyMs[row] = values.readyMs;
    this.isCallBack[row] = values.isCallBack ? 1 : 0;
    this.lentUntilMs[row] = values.lentUntilMs;
    return row;
  }

  remove(row: number): void {
    this.#free.push(row);
  }

  #next(): number {
    if (this.#used === this.ref.length) this.#grow();
    const row = this.#used;
    this.#used += 1;
    return row;
  }

  #grow(): void {
    const length = this.ref.length * 2;
    const larger = <T extends Float64Array | Int32Array | Uint8Array | Uint16Array>(column: T, into: T): T => {
      into.set(column);
      return into;
    };
    this.ref = larger(this.ref, new Float64Array(length));
    this.group = larger(this.group, new Int32Array(length));
    this.callee = larger(this.callee, new Float64Array(length));
    this.priority = larger(this.priority, new Uint8Array(length));
    this.attempts = larger(this.attempts, new Uint16Array(length));
    this.dayAttempts = larger(this.dayAttempts, new Uint8Array(length));
    this.dayEndsMs = larger(this.dayEndsMs, new Float64Array(length));
    this.readyMs = larger(this.readyMs, new Float64Array(length));
    this.isCallBack = larger(this.isCallBack, new Uint8Array(length));
    this.lentUntilMs = larger(this.lentUntilMs, new Float64Array(length));
  }
}
