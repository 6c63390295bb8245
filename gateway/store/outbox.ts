/**
 * The outbox: events that headquarters has not confirmed, and, for the retention time, those that it has, so that it can ask
 * for a range again. It is the audit chain as well: rows are added at its end and pruned from its beginning, never in between.
 */
import type { Database, Statement } from 'better-sqlite3';
import type { Temporal } from 'temporal-polyfill';
import type { EventDraft } from '../calls/ports.js';
import { type ChainEnd, type ChainOwner, type ChainReport, ChainWalk, chained, GENESIS } from './chain.js';

export type EventKind = EventDraft['kind'];

/** An event as it waits to be sent. */
export interface OutboxEntry {
  readonly sequence: number;
  readonly kind: EventKind;
  /** The CloudEvent, JSON text. */
  readonly body: string;
}

/** Up to where each of the two streams has been read. */
export interface OutboxCursor {
  readonly alarm: number;
  readonly event: number;
}

/** What a request to send a range again came to. */
export interface ResendResult {
  /** Events that will be sent again. */
  readonly resent: number;
  /** Sequence numbers of the range that are no longer, or not yet, on disk. */
  readonly missing: number;
  /** The first event that is still on disk; what is missing below it will never come. */
  readonly oldest: number;
  /** The end of what was looked at: of a long range only the beginning, and the rest is to be asked for then. */
  readonly through: number;
}

/** What the uplink needs of the disk; `Store.outbox` is one. */
export interface StoredOutbox {
  pending(after: OutboxCursor, limit: number): readonly OutboxEntry[];
  acknowledge(sequences: readonly number[]): void;
  resend(from: number, to: number): ResendResult;
  append(events: readonly EventDraft[]): void;
  depth(): number;
  /** The sequence of the last event; 0 before the first. */
  last(): number;
  takeCommand(id: string, forgetAt: Temporal.Instant): boolean;
}

interface EndRow extends ChainEnd {
  readonly newest_ms: number;
}

/** Events of one request at the most. */
const MOST_RESENT = 10_000;

/** The name in `meta` under which the end of what was pruned is kept. */
export const PRUNED = 'pruned-through';

/** The rows of the outbox. The caller brings the transaction. */
export class OutboxTable {
  private readonly insert: Statement;
  private readonly last: Statement;
  private readonly waiting: Statement;
  private readonly mark: Statement;
  private readonly unmark: Statement;
  private readonly rangeCount: Statement;
  private readonly oldest: Statement;
  private readonly cut: Statement;
  private readonly getMeta: Statement;
  private readonly putMeta: Statement;
  private readonly count: Statement;
  private readonly walk: Statement;
  private readonly hashAt: Statement;

  constructor(
    db: Database,
    private readonly owner: ChainOwner,
  ) {
    this.insert = db.prepare('INSERT INTO event (sequence, kind, body, hash, newest_ms) VALUES (?, ?, ?, ?, ?)');
    this.last = db.prepare('SELECT sequence, hash, newest_ms FROM event ORDER BY sequence DESC LIMIT 1');
    this.waiting = db.prepare(
      `SELECT sequence, kind, body FROM event
       WHERE kind = ? AND acked_ms IS NULL AND sequence > ? ORDER BY sequence LIMIT ?`,
    );
    this.mark = db.prepare('UPDATE event SET acked_ms = ? WHERE sequence = ? AND acked_ms IS NULL');
    this.unmark = db.prepare(
      'UPDATE event SET acked_ms = NULL WHERE sequence BETWEEN ? AND ? AND acked_ms IS NOT NULL',
    );
    this.rangeCount = db.prepare('SELECT count(*) FROM event WHERE sequence BETWEEN ? AND ?').pluck();
    this.oldest = db.prepare('SELECT sequence, hash, acked_ms AS ackedMs FROM event ORDER BY sequence LIMIT ?');
    this.cut = db.prepare('DELETE FROM event WHERE sequence <= ?');
    this.getMeta = db.prepare('SELECT value FROM meta WHERE name = ?').pluck();
    this.putMeta = db.prepare('INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)');
    this.count = db.prepare('SELECT count(*) FROM event WHERE acked_ms IS NULL').pluck();
    this.walk = db.prepare('SELECT sequence, body FROM event WHERE sequence > ? ORDER BY sequence');
    this.hashAt = db.prepare('SELECT hash FROM event WHERE sequence = ?').pluck();
  }

  /** Adds events at the end of the chain; returns its end. */
  append(drafts: readonly EventDraft[], wallMs: number, newestMs: number): ChainEnd {
    // Looked up in the transaction: a command on the site's files may have added to the chain meanwhile.
    let end = this.end();
    for (const draft of drafts) {
      const event = chained(draft, end, this.owner, wallMs);
      this.insert.run(event.sequence, event.kind, event.body, event.hash, newestMs);
      end = event;
    }
    return end;
  }

  end(): ChainEnd {
    return (this.last.get() as EndRow | undefined) ?? { sequence: 0, hash: GENESIS };
  }

  newestMs(): number | undefined {
    return (this.last.get() as EndRow | undefined)?.newest_ms;
  }

  /** Unconfirmed entries beyond the cursor, alarms first, each kind in order; at most `limit`. */
  pending(after: OutboxCursor, limit: number): readonly OutboxEntry[] {
    const alarms = this.waiting.all('alarm', after.alarm, limit) as OutboxEntry[];
    if (alarms.length >= limit) return alarms;
    return [...alarms, ...(this.waiting.all('event', after.event, limit - alarms.length) as OutboxEntry[])];
  }

  /** Marks as confirmed; returns how many were not before. */
  acknowledge(sequences: readonly number[], wallMs: number): number {
    let changed = 0;
    for (const sequence of sequences) changed += this.mark.run(wallMs, sequence).changes;
    return changed;
  }

  /** Marks a range, both ends included, as unconfirmed; of a longer one its beginning, so that no call waits for it. */
  resend(from: number, asked: number): ResendResult & { readonly changed: number } {
    const to = Math.min(asked, from + MOST_RESENT - 1);
    const changed = this.unmark.run(from, to).changes;
    const held = this.rangeCount.get(from, to) as number;
    const [first] = this.oldest.all(1) as { readonly sequence: number }[];
    const missing = Math.max(0, to - from + 1 - held);
    return { resent: held, missing, oldest: first?.sequence ?? 1, through: to, changed };
  }

  /**
   * Drops the longest beginning of the chain that was confirmed before `beforeMs`, at most `limit` rows, and keeps the hash at
   * which the rest begins. The last event always stays: the next one is linked to it.
   */
  prune(beforeMs: number, limit: number): number {
    const rows = this.oldest.all(limit + 1) as { sequence: number; hash: string; ackedMs: number | null }[];
    // `rows` has one more than may go, so that the last event of the table never does.
    const stop = rows.findIndex((row, index) => index >= rows.length - 1 || !((row.ackedMs ?? beforeMs) < beforeMs));
    const last = rows[stop - 1];
    if (last === undefined) return 0;
    this.putMeta.run(PRUNED, JSON.stringify({ sequence: last.sequence, hash: last.hash }));
    return this.cut.run(last.sequence).changes;
  }

  depth(): number {
    return this.count.get() as number;
  }

  /** Walks the chain, from its beginning on disk or from the event `from`, and names the first break. */
  verify(from?: number): ChainReport {
    const pruned = this.getMeta.get(PRUNED) as string | undefined;
    let end: ChainEnd = pruned === undefined ? { sequence: 0, hash: GENESIS } : (JSON.parse(pruned) as ChainEnd);
    if (from !== undefined && from - 1 > end.sequence) {
      const hash = this.hashAt.get(from - 1) as string | undefined;
      if (hash === undefined) return { whole: false, sequence: from - 1, broken: 'gap' };
      end = { sequence: from - 1, hash };
    }
    const walk = new ChainWalk(end);
    for (const row of this.walk.iterate(end.sequence) as IterableIterator<OutboxEntry>) if (!walk.take(row.body)) break;
    return walk.report();
  }
}
