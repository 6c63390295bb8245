import type { Database } from 'better-sqlite3';

/** What is asked of the calls that were. Instants are Unix milliseconds. */
export interface HistoryQuery {
  readonly handset?: string;
  /** Only calls of campaigns, by somebody who was signed on. */
  readonly isOfCampaign?: true;
  /** `answered`, `refused`, `unanswered`, or a cause as it is in the record. */
  readonly outcome?: string;
  /** Ended at or after. */
  readonly fromMs?: number;
  /** Ended before. */
  readonly toMs?: number;
  /** The `id` of the last call of the answer before. */
  readonly before?: number;
  readonly limit: number;
}

/** An ended call: the ledger's row, and what was reported of it while that is on disk. */
export interface HistoryRow {
  /** Rises with each call; the cursor. */
  readonly id: number;
  readonly call: string;
  readonly handset: string;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly talkMs: number;
  readonly answered: 0 | 1;
  readonly attempted: 0 | 1;
  readonly cause: string;
  readonly person: string | null;
  readonly campaign: string | null;
  /** The sequence of its event, and that event as JSON text. */
  readonly event: number | null;
  readonly body: string | null;
}

export interface HistoryEvent {
  readonly sequence: number;
  /** The CloudEvent, JSON text. */
  readonly body: string;
}

const COLUMNS = `ledger.id, ledger.call, ledger.handset, ledger.started_ms AS startedMs, ledger.ended_ms AS endedMs,
  ledger.talk_ms AS talkMs, ledger.answered, ledger.attempted, ledger.cause, ledger.person, ledger.campaign, ledger.event, event.body`;
const FROM = 'FROM ledger LEFT JOIN event ON event.sequence = ledger.event';

/** Reads what was: ended calls and the events of the chain, newest first. It writes nothing. No number is read. */
export class History {
  constructor(private readonly db: Database) {}

  calls(query: HistoryQuery): readonly HistoryRow[] {
    const { handset, outcome, fromMs, toMs, before, limit, isOfCampaign } = query;
    const outcomes: Readonly<Record<string, string>> = {
      answered: 'ledger.answered',
      unanswered: "NOT ledger.answered AND ledger.cause <> 'refused'",
    };
    const ofCause = outcome === undefined || outcome in outcomes ? undefined : outcome;
    const conditions: readonly (readonly [string, string | number | undefined])[] = [
      ['ledger.handset = ?', handset],
      ['ledger.cause = ?', ofCause],
      ['ledger.ended_ms >= ?', fromMs],
      ['ledger.ended_ms < ?', toMs],
      ['ledger.id < ?', before],
    ];
    const asked = conditions.filter((one): one is readonly [string, string | number] => one[1] !== undefined);
    const plain = outcome === undefined ? undefined : outcomes[outcome];
    const ofWork = isOfCampaign === true ? ['ledger.campaign IS NOT NULL AND ledger.person IS NOT NULL'] : [];
    const where = [...asked.map(([text]) => text), ...(plain === undefined ? [] : [plain]), ...ofWork];
    const clause = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`;
    return this.db
      .prepare(`SELECT ${COLUMNS} ${FROM} ${clause} ORDER BY ledger.id DESC LIMIT ?`)
      .all(...asked.map(([, value]) => value), limit) as HistoryRow[];
  }

  call(call: string): HistoryRow | undefined {
    return this.db.prepare(`SELECT ${COLUMNS} ${FROM} WHERE ledger.call = ?`).get(call) as HistoryRow | undefined;
  }

  /** How a call was scored last, by criterion. */
  scoresOf(call: string): readonly { readonly criterion: string; readonly points: number }[] {
    return this.db.prepare('SELECT criterion, points FROM work_score WHERE call = ?').all(call) as {
      criterion: string;
      points: number;
    }[];
  }

  /** The last events of the chain, before a sequence where one is given. */
  events(before: number | undefined, limit: number): readonly HistoryEvent[] {
    return this.db
      .prepare('SELECT sequence, body FROM event WHERE sequence < ? ORDER BY sequence DESC LIMIT ?')
      .all(before ?? Number.MAX_SAFE_INTEGER, limit) as HistoryEvent[];
  }

  /** The events in a range, both ends included, in order. */
  eventsBetween(from: number, to: number): readonly HistoryEvent[] {
    return this.db
      .prepare('SELECT sequence, body FROM event WHERE sequence BETWEEN ? AND ? ORDER BY sequence')
      .all(from, to) as HistoryEvent[];
  }
}
