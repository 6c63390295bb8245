import type { Database, Statement } from 'better-sqlite3';
import { Temporal } from 'temporal-polyfill';
import type { CallRecord } from '../calls/record.js';
import type { E164, HandsetId } from '../policy/ids.js';
import { NO_USAGE, type Usage, type UsageCount } from '../policy/request.js';
import type { ClosedEntry } from './journal.js';

interface Sums {
  readonly attempts: number;
  readonly calls: number;
  readonly talk: number;
}

interface Subject {
  readonly day: Statement;
  readonly live: Statement;
  readonly lastEnd: Statement;
}

/**
 * What has been used. Only calls that went out to a trunk count; refusals are in the ledger and count for nothing.
 * A call belongs to the day in which it was asked for; one in progress counts whole, whichever day it began in.
 */
export class Ledger {
  private readonly insert: Statement;
  private readonly known: Statement;
  private readonly forget: Statement;
  private readonly handset: Subject;
  private readonly number: Subject;

  constructor(db: Database) {
    this.insert = db.prepare(
      `INSERT INTO ledger
         (call, handset, person, number, started_ms, ended_ms, talk_ms, answered, attempted, cause, newest_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.known = db.prepare('SELECT 1 FROM ledger WHERE call = ?').pluck();
    // The oldest rows stand first, so the look at their ends is as short as the limit.
    this.forget = db.prepare(
      'DELETE FROM ledger WHERE id IN (SELECT id FROM (SELECT id, ended_ms FROM ledger ORDER BY id LIMIT ?) WHERE ended_ms < ?)',
    );
    this.handset = subject(db, 'handset');
    this.number = subject(db, 'number');
  }

  has(call: CallRecord['call']): boolean {
    return this.known.get(call) !== undefined;
  }

  /** Counts a call that has ended; `entry` is what the journal knew of it. */
  add(record: CallRecord, entry: ClosedEntry | undefined, newestMs: number): void {
    // A crash may lie between the INVITE and its line in the journal: whatever may have gone out counts as an attempt.
    const mayHave = entry !== undefined && (entry.dialled || record.cause === 'gateway-restarted');
    const attempted = record.trunk !== undefined || record.answeredAt !== undefined || mayHave;
    this.insert.run(
      record.call,
      record.handset,
      record.person ?? null,
      record.number ?? entry?.number ?? null,
      record.requestedAt.epochMilliseconds,
      // Rounded up, so that a gap since the last call is never a millisecond short.
      Math.ceil(Number(record.endedAt.epochNanoseconds) / 1e6),
      Math.max(0, Math.ceil(record.talkMs)),
      record.answeredAt === undefined ? 0 : 1,
      attempted ? 1 : 0,
      record.cause,
      newestMs,
    );
  }

  /** Forgets calls that ended before `beforeMs`, among the `limit` oldest. */
  prune(beforeMs: number, limit: number): void {
    this.forget.run(limit, beforeMs);
  }

  usage(handset: HandsetId, number: E164 | undefined, dayStart: Temporal.Instant): Usage {
    const dayMs = dayStart.epochMilliseconds;
    return {
      handset: count(this.handset, handset, dayMs),
      number: number === undefined ? NO_USAGE : count(this.number, number, dayMs),
    };
  }
}

function subject(db: Database, column: 'handset' | 'number'): Subject {
  const known = column === 'number' ? 'AND number IS NOT NULL' : '';
  return {
    day: db.prepare(
      `SELECT count(*) AS attempts, total(answered) AS calls, total(talk_ms) AS talk
       FROM ledger WHERE ${column} = ? AND started_ms >= ? AND attempted ${known}`,
    ),
    live: db.prepare(`SELECT count(*) AS calls, total(lease_ms) AS talk FROM journal WHERE ${column} = ?`),
    lastEnd: db.prepare(`SELECT max(ended_ms) FROM ledger WHERE ${column} = ? AND attempted ${known}`).pluck(),
  };
}

function count(subject: Subject, id: string, dayMs: number): UsageCount {
  const day = subject.day.get(id, dayMs) as Sums;
  const live = subject.live.get(id) as Omit<Sums, 'attempts'>;
  const lastMs = subject.lastEnd.get(id) as number | null;
  return {
    attemptsToday: day.attempts + live.calls,
    callsToday: day.calls + live.calls,
    talkMsToday: day.talk + live.talk,
    ...(lastMs === null ? {} : { lastEndedAt: Temporal.Instant.fromEpochMilliseconds(lastMs) }),
    live: live.calls,
  };
}
