import type { Database, Statement } from 'better-sqlite3';
import type { Lockdown } from '../policy/request.js';
import { lockdownFrom, toText } from './revive.js';

type Target = Lockdown['target'];

function subjectOf(target: Target): string {
  switch (target.kind) {
    case 'site':
      return '';
    case 'wing':
      return target.wing;
    case 'handset':
      return target.handset;
    case 'person':
      return target.person;
  }
}

/** The end, rounded up to the millisecond so that no lockdown ends early; infinity when it stands until released. */
function untilMsOf({ until }: Lockdown): number {
  return until === undefined ? Number.POSITIVE_INFINITY : Math.ceil(Number(until.epochNanoseconds) / 1e6);
}

/** The cutoff orders in force, on disk and in memory: they are asked for at every call. */
export class Lockdowns {
  private readonly put: Statement;
  private readonly remove: Statement;
  private readonly forget: Statement;
  private readonly all: Statement;
  private held: readonly { readonly lockdown: Lockdown; readonly untilMs: number }[];

  constructor(db: Database) {
    this.put = db.prepare(
      'INSERT OR REPLACE INTO lockdown (id, kind, subject, until_ms, lockdown) VALUES (?, ?, ?, ?, ?)',
    );
    this.remove = db.prepare('DELETE FROM lockdown WHERE kind = ? AND subject = ?');
    this.forget = db.prepare('DELETE FROM lockdown WHERE until_ms < ?');
    this.all = db.prepare('SELECT lockdown FROM lockdown ORDER BY id').pluck();
    this.held = [];
    this.reload();
  }

  /** Those whose end has not come by `wallMs`, one not yet begun included: it bounds what may be granted. */
  inForce(wallMs: number): readonly Lockdown[] {
    return this.held.filter(({ untilMs }) => untilMs > wallMs).map(({ lockdown }) => lockdown);
  }

  /** In a transaction of the caller's, who calls `reload` after it. */
  set(id: string, lockdown: Lockdown): void {
    const untilMs = untilMsOf(lockdown);
    const column = Number.isFinite(untilMs) ? untilMs : null;
    this.put.run(id, lockdown.target.kind, subjectOf(lockdown.target), column, toText(lockdown));
  }

  /** Forgets those that ended before `wallMs`; only for a clock that is believed, since a wrong one would lift them for good. */
  prune(wallMs: number): void {
    this.forget.run(wallMs);
  }

  /** All lockdowns of exactly this target; one of the site does not lift one of a wing. The caller calls `reload` after it. */
  release(target: Target): void {
    this.remove.run(target.kind, subjectOf(target));
  }

  reload(): void {
    this.held = (this.all.all() as string[])
      .map(lockdownFrom)
      .map((lockdown) => ({ lockdown, untilMs: untilMsOf(lockdown) }));
  }
}
