import type { Database, Statement } from 'better-sqlite3';
import type { Judged } from '../policy/explain.js';
import type { Disk } from './disk.js';

/** One rule as it is written: its verdict is left out where it passes, its facts where it has none. */
type Written = readonly [rule: Judged['rule'], facts?: Judged['facts'], refuses?: 1];

/** What is kept of a refusal beside its record. */
export interface KeptWhy {
  readonly judged: readonly Judged[];
  /** What was asked for, sealed by whoever keeps it; absent: of before, or not to be sealed. */
  readonly asked?: Uint8Array;
}

/**
 * How every rule stood at each refusal, for as long as the ledger has the refusal itself. No number is in it: what a rule has to
 * say is a value of `policy/facts.ts`, and none of those holds one. What was asked for comes sealed, and is kept as it comes.
 */
export class Whys {
  private readonly insert: Statement;
  private readonly find: Statement;

  constructor(
    db: Database,
    private readonly disk: Disk,
    /** Room is nearly out: what is for people alone is let go first. */
    private readonly isShort: () => boolean,
  ) {
    // What is on no record is forgotten by nothing.
    this.insert = db.prepare(
      'INSERT OR IGNORE INTO why (call, judged, asked) SELECT ?, ?, ? WHERE EXISTS (SELECT 1 FROM ledger WHERE call = ?)',
    );
    this.find = db.prepare('SELECT judged FROM why WHERE call = ?').pluck();
  }

  /** Keeps the judgement of a call that is on record; of another it keeps nothing. Throws when the disk cannot take it. */
  keep(call: string, { judged, asked }: KeptWhy): void {
    if (this.isShort()) return;
    const written = judged.map(({ rule, verdict, facts }): Written => {
      if (verdict === 'refuses') return [rule, facts, 1];
      return facts.length === 0 ? [rule] : [rule, facts];
    });
    this.disk.transact('kernel', () => this.insert.run(call, JSON.stringify(written), asked ?? null, call));
  }

  of(call: string): readonly Judged[] | undefined {
    const text = this.find.get(call) as string | undefined;
    if (text === undefined) return undefined;
    return judgedOf(text);
  }
}

/** How every rule stood, of the text that `keep` wrote. */
export function judgedOf(text: string): readonly Judged[] {
  return (JSON.parse(text) as readonly Written[]).map(([rule, facts = [], refuses]) => ({
    rule,
    verdict: refuses === 1 ? 'refuses' : 'passes',
    facts,
  }));
}
