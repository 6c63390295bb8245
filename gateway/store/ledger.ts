import type { Database, Statement } from 'better-sqlite3';
import { Temporal } from 'temporal-polyfill';
import type { CallRecord } from '../calls/record.js';
import type { PastCall, Subject, UsageCount } from '../policy/request.js';
import type { ClosedEntry } from './journal.js';

interface Sums {
  readonly attempts: number;
  readonly calls: number;
  readonly talk: number;
  readonly live: number;
  readonly liveTalk: number;
  readonly lastMs: number | null;
}

/** The questions about one kind of subject. */
interface Questions {
  readonly sums: Statement;
  readonly calls: Statement;
}

/**
 * What has been used. Only calls that went out to a trunk count; refusals are in the ledger and count for nothing.
 * A call belongs to the day in which it was asked for; one in progress counts whole, whichever day it began in.
 */
export class Ledger {
  private readonly insert: Statement;
  private readonly known: Statement;
  private readonly forget: Statement;
  private readonly questions: Readonly<Record<Subject['kind'], Questions>>;

  constructor(db: Database) {
    this.insert = db.prepare(
      `INSERT INTO ledger
         (call, handset, person, number, campaign, started_ms, ended_ms, talk_ms, answered, attempted, cause, newest_ms, event)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.known = db.prepare('SELECT 1 FROM ledger WHERE call = ?').pluck();
    // The oldest rows stand first, so the look at their ends is as short as the limit.
    this.forget = db.prepare(
      'DELETE FROM ledger WHERE id IN (SELECT id FROM (SELECT id, ended_ms FROM ledger ORDER BY id LIMIT ?) WHERE ended_ms < ?)',
    );
    this.questions = {
      handset: questions(db, 'handset', 'handset'),
      number: questions(db, 'number', 'number'),
      // The journal holds but the calls of now.
      person: questions(db, 'person', "json_extract(request, '$.person')"),
      campaign: questions(db, 'campaign', "json_extract(request, '$.campaign')"),
    };
  }

  has(call: CallRecord['call']): boolean {
    return this.known.get(call) !== undefined;
  }

  /** Counts a call that has ended; `entry` is what the journal knew of it, `event` the sequence of what reports it. */
  add(record: CallRecord, entry: ClosedEntry | undefined, newestMs: number, event?: number): void {
    // A call to the gateway's own desk is nobody's: it has no number, and counts for nothing.
    // A crash may lie between the INVITE and its line in the journal: whatever may have gone out counts as an attempt.
    const mayHave = entry !== undefined && (entry.dialled || record.cause === 'gateway-restarted');
    const isDesk = entry?.number === '';
    const attempted = !isDesk && (record.trunk !== undefined || record.answeredAt !== undefined || mayHave);
    this.insert.run(
      record.call,
      record.handset,
      record.person ?? null,
      record.number ?? (entry?.number || null),
      record.campaign ?? null,
      record.requestedAt.epochMilliseconds,
      // Rounded up, so that a gap since the last call is never a millisecond short.
      Math.ceil(Number(record.endedAt.epochNanoseconds) / 1e6),
      Math.max(0, Math.ceil(record.talkMs)),
      record.answeredAt === undefined ? 0 : 1,
      attempted ? 1 : 0,
      record.cause,
      newestMs,
      event ?? null,
    );
  }

  /** Forgets calls that ended before `beforeMs`, among the `limit` oldest. */
  prune(beforeMs: number, limit: number): void {
    this.forget.run(limit, beforeMs);
  }

  /** What a subject used in calls asked for at `sinceMs` or later; those in progress count whole. */
  used({ kind, id }: Subject, sinceMs: number): UsageCount {
    const { attempts, calls, talk, live, liveTalk, lastMs } = this.questions[kind].sums.get({ id, sinceMs }) as Sums;
    return {
      attempts: attempts + live,
      calls: calls + live,
      talkMs: talk + liveTalk,
      ...(lastMs === null ? {} : { lastEndedAt: Temporal.Instant.fromEpochMilliseconds(lastMs) }),
      live,
      liveTalkMs: liveTalk,
    };
  }

  callsSince({ kind, id }: Subject, sinceMs: number): readonly PastCall[] {
    const rows = this.questions[kind].calls.all(id, sinceMs) as readonly {
      started: number;
      talk: number;
      answered: number;
    }[];
    return rows.map(({ started, talk, answered }) => ({ startedMs: started, talkMs: talk, answered: answered === 1 }));
  }
}

function questions(db: Database, column: Subject['kind'], inJournal: string): Questions {
  // As the partial indexes have it.
  const counted = column === 'handset' ? 'attempted' : `attempted AND ${column} IS NOT NULL`;
  return {
    // One statement, because each by itself locks the file and lets go of it again; each part is one row.
    sums: db.prepare(
      `SELECT * FROM
         (SELECT count(*) AS attempts, total(answered) AS calls, total(talk_ms) AS talk
          FROM ledger WHERE ${column} = @id AND started_ms >= @sinceMs AND ${counted}),
         (SELECT count(*) AS live, total(lease_ms) AS liveTalk FROM journal WHERE ${inJournal} = @id AND number <> ''),
         (SELECT max(ended_ms) AS lastMs FROM ledger WHERE ${column} = @id AND ${counted})`,
    ),
    calls: db.prepare(
      `SELECT started_ms AS started, talk_ms AS talk, answered
       FROM ledger WHERE ${column} = ? AND started_ms >= ? AND ${counted} ORDER BY started_ms`,
    ),
  };
}
