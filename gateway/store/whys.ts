import type { Database, Statement } from 'better-sqlite3';
import type { Judged } from '../policy/explain.js';
import type { Disk } from './disk.js';

/** One rule as it is written: its verdict is left out where it passes, its facts where it has none. */
type Written = readonly [rule: Judged['rule'], facts?: Judged['facts'], refuses?: 1];

/**
 * How every rule stood at each refusal, for as long as the ledger has the refusal itself. No number is in it: what a rule has to
 * say is a value of `policy/facts.ts`, and none of those holds one.
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
      'INSERT OR IGNORE INTO why (call, judged) SELECT ?, ? WHERE EXISTS (SELECT 1 FROM ledger WHERE call = ?)',
    );
    this.find = db.prepare('SELECT judged FROM why WHERE call = ?').pluck();
  }

  /** Keeps the judgement of a call that is on record; of another it keeps nothing. Throws when the disk cannot take it. */
  keep(call: string, judged: readonly Judged[]): void {
    if (this.isShort()) return;
    const written = judged.map(({ rule, verdict, facts }): Written => {
      if (verdict === 'refuses') return [rule, facts, 1];
      return facts.length === 0 ? [rule] : [rule, facts];
    });
    this.disk.transact('kernel', () => this.insert.run(call, JSON.stringify(written), call));
  }

  of(call: string): readonly Judged[] | undefined {
    const text = this.find.get(call) as string | undefined;
    if (text === undefined) return undefined;
    return (JSON.parse(text) as readonly Written[]).map(([rule, facts = [], refuses]) => ({
      rule,
      verdict: refuses === 1 ? 'refuses' : 'passes',
      facts,
    }));
  }
}
