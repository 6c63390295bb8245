import type { PastCall, Subject, UsageBook, UsageCount } from './request.js';

interface Counted {
  readonly kind: Subject['kind'];
  readonly id: string;
  readonly sinceMs: number;
  readonly count: UsageCount;
}

/** A ledger for one decision: several limits by one subject and period cost one count, which on disk is the dearest part of all. */
export class UsageOnce implements UsageBook {
  #counted: Counted[] | undefined;

  constructor(private readonly book: UsageBook) {}

  used(subject: Subject, sinceMs: number): UsageCount {
    const { kind, id } = subject;
    this.#counted ??= [];
    for (const one of this.#counted)
      if (one.kind === kind && one.id === id && one.sinceMs === sinceMs) return one.count;
    const count = this.book.used(subject, sinceMs);
    this.#counted.push({ kind, id, sinceMs, count });
    return count;
  }

  callsSince(subject: Subject, sinceMs: number): readonly PastCall[] {
    return this.book.callsSince(subject, sinceMs);
  }
}
