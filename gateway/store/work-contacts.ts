import type { Database, Statement } from 'better-sqlite3';
import type { Language } from '../../config/schema/types.generated.js';
import type { BookContact } from '../work/contact-book.js';
import type { Place } from '../work/contact-hours.js';
import type { Batch, NewContact, SealedContact, Settlement } from '../work/ports.js';

interface ContactRow {
  readonly id: number;
  readonly campaign: string;
  readonly language: Language;
  readonly place: number;
  readonly earliest: string | null;
  readonly latest: string | null;
  readonly callee: number;
  readonly priority: number;
  readonly attempts: number;
  readonly dayAttempts: number;
  readonly dayEndsMs: number;
  readonly readyMs: number;
  readonly callBack: number;
  readonly lentMs: number | null;
}

interface SealedRow extends Omit<SealedContact, 'batch' | 'isReturned'> {
  readonly ref: number;
  readonly batch: string | null;
  readonly returned: number;
  readonly place: number;
}

/** The rows of contacts, batches and silences. The caller brings the transaction. */
export class WorkContacts {
  private readonly insert: Statement;
  private readonly removeReturned: Statement;
  private readonly openRows: Statement;
  private readonly one: Statement;
  private readonly heldRows: Statement;
  private readonly count: Statement;
  private readonly end: Statement;
  private readonly endReturned: Statement;
  private readonly putPlace: Statement;
  private readonly getPlace: Statement;
  private readonly placeById: Statement;
  private readonly putSilence: Statement;
  private readonly allSilences: Statement;
  private readonly insertBatch: Statement;
  private readonly openBatchRows: Statement;
  private readonly lent: Statement;
  private readonly known: Statement;
  private readonly unusedRows: Statement;
  private readonly endBatch: Statement;
  private readonly endOfBatch: Statement;
  private readonly placeIds = new Map<string, number>();
  private readonly places = new Map<number, Place>();

  constructor(db: Database) {
    this.insert = db.prepare(
      `INSERT OR IGNORE INTO work_contact
         (campaign, token, callee, sealed, language, place, earliest, latest, priority, attempts, ready_ms, batch, lent_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.removeReturned = db.prepare(
      "DELETE FROM work_contact WHERE campaign = ? AND token = ? AND state = 'over' AND outcome = 'returned'",
    );
    this.openRows = db.prepare(
      `SELECT id, campaign, language, place, earliest, latest, callee, priority, attempts, day_attempts AS dayAttempts,
         day_ends_ms AS dayEndsMs, ready_ms AS readyMs, call_back AS callBack, lent_ms AS lentMs
       FROM work_contact WHERE id > ? AND state = 'open' ORDER BY id LIMIT ?`,
    );
    const isReturned = "state = 'over' AND outcome = 'returned'";
    const sealed = `id AS ref, token, campaign, callee, sealed, language, attempts, batch, place, ${isReturned} AS returned`;
    this.one = db.prepare(`SELECT ${sealed} FROM work_contact WHERE id = ?`);
    this.heldRows = db.prepare(`SELECT ${sealed} FROM work_contact WHERE state = 'held' ORDER BY id`);
    this.count = db.prepare(
      "UPDATE work_contact SET state = 'held', attempts = ?, day_attempts = ?, day_ends_ms = ? WHERE id = ? AND state = 'open'",
    );
    this.end = db.prepare(
      `UPDATE work_contact SET state = ?, outcome = ?, ready_ms = ?, call_back = ?, place = coalesce(?, place),
         attempts = coalesce(?, attempts), day_attempts = coalesce(?, day_attempts) WHERE id = ?`,
    );
    // Its batch went back while it was being called: whoever has it now goes on.
    this.endReturned = db.prepare(
      `UPDATE work_contact SET state = 'over', outcome = 'returned' WHERE id = ? AND state = 'open'
       AND EXISTS (SELECT 1 FROM work_batch WHERE work_batch.id = work_contact.batch AND work_batch.state = 'closed')`,
    );
    this.putPlace = db.prepare('INSERT OR IGNORE INTO work_place (country, zones) VALUES (?, ?)');
    this.getPlace = db.prepare('SELECT id FROM work_place WHERE country = ? AND zones = ?').pluck();
    this.placeById = db.prepare('SELECT country, zones FROM work_place WHERE id = ?');
    this.putSilence = db.prepare(
      `INSERT INTO work_silence (callee, until_ms, why) VALUES (?, ?, ?)
       ON CONFLICT (callee) DO UPDATE SET why = excluded.why,
         until_ms = CASE WHEN until_ms IS NULL OR excluded.until_ms IS NULL THEN NULL ELSE max(until_ms, excluded.until_ms) END`,
    );
    this.allSilences = db.prepare('SELECT callee, until_ms AS untilMs FROM work_silence');
    this.insertBatch = db.prepare(
      'INSERT OR IGNORE INTO work_batch (id, campaign, expires_ms, state) VALUES (?, ?, ?, ?)',
    );
    this.openBatchRows = db.prepare(
      "SELECT id, campaign, expires_ms AS expiresMs FROM work_batch WHERE state = 'open' ORDER BY id",
    );
    this.lent = db
      .prepare(
        `SELECT count(*) FROM work_batch JOIN work_contact ON work_contact.batch = work_batch.id
         WHERE work_batch.state = 'open' AND work_batch.campaign = ? AND work_contact.state = 'open'`,
      )
      .pluck();
    this.known = db
      .prepare(`SELECT 1 FROM work_contact WHERE campaign = ? AND token = ? AND NOT (${isReturned})`)
      .pluck();
    this.unusedRows = db.prepare(
      "SELECT token, attempts, ready_ms AS readyMs FROM work_contact WHERE batch = ? AND state = 'open' ORDER BY id",
    );
    this.endBatch = db.prepare("UPDATE work_batch SET state = 'closed' WHERE id = ?");
    this.endOfBatch = db.prepare(
      "UPDATE work_contact SET state = 'over', outcome = 'returned' WHERE batch = ? AND state = 'open'",
    );
  }

  add(contact: NewContact): number {
    const { campaign, token, callee, sealed, language, times, priority } = contact;
    return this.insert.run(
      campaign,
      token,
      callee,
      sealed,
      language,
      this.placeId(contact.place),
      times.earliest ?? null,
      times.latest ?? null,
      priority,
      contact.attempts ?? 0,
      contact.readyMs ?? 0,
      contact.batch ?? null,
      contact.lentUntilMs ?? null,
    ).changes;
  }

  /** A contact that was given back has come again: it is a new row, so that whoever follows the rows sees it. */
  addLent(contact: NewContact): number {
    this.removeReturned.run(contact.campaign, contact.token);
    return this.add(contact);
  }

  open(afterRef: number, limit: number): readonly BookContact[] {
    return (this.openRows.all(afterRef, limit) as ContactRow[]).map((row) => ({
      ref: row.id,
      campaign: row.campaign,
      language: row.language,
      place: this.place(row.place),
      times: {
        ...(row.earliest !== null && { earliest: row.earliest }),
        ...(row.latest !== null && { latest: row.latest }),
      },
      callee: row.callee,
      priority: row.priority,
      attempts: row.attempts,
      dayAttempts: row.dayAttempts,
      dayEndsMs: row.dayEndsMs,
      readyMs: row.readyMs,
      isCallBack: row.callBack === 1,
      lentUntilMs: row.lentMs ?? Number.POSITIVE_INFINITY,
    }));
  }

  sealed(ref: number): SealedContact | undefined {
    const row = this.one.get(ref) as SealedRow | undefined;
    return row === undefined ? undefined : sealedOf(row);
  }

  held(): readonly (SealedContact & { readonly ref: number })[] {
    return (this.heldRows.all() as SealedRow[]).map((row) => ({ ...sealedOf(row), ref: row.ref }));
  }

  /** Throws when there is no such contact to call: what is not on disk, or not here any more, is not dialled. */
  attempt(ref: number, counts: { attempts: number; dayAttempts: number; dayEndsMs: number }): void {
    const { changes } = this.count.run(counts.attempts, counts.dayAttempts, counts.dayEndsMs, ref);
    if (changes !== 1) throw new Error(`contact ${ref} is not on disk, or not to be called`);
  }

  settle(ref: number, { isOver, outcome, readyMs, isCallBack, zones, counts, silentUntilMs }: Settlement): void {
    const row = this.one.get(ref) as SealedRow;
    const place = zones === undefined ? null : this.placeId({ country: this.place(row.place).country, zones });
    const ready = isOver ? 0 : Math.ceil(readyMs);
    const tried = [counts?.attempts ?? null, counts?.dayAttempts ?? null];
    this.end.run(isOver ? 'over' : 'open', outcome, ready, isCallBack ? 1 : 0, place, ...tried, ref);
    if (!isOver) this.endReturned.run(ref);
    if (silentUntilMs === undefined) return;
    this.putSilence.run(row.callee, Number.isFinite(silentUntilMs) ? Math.ceil(silentUntilMs) : null, outcome);
  }

  *silences(): Iterable<{ readonly callee: number; readonly untilMs: number }> {
    for (const row of this.allSilences.iterate() as IterableIterator<{ callee: number; untilMs: number | null }>) {
      yield { callee: row.callee, untilMs: row.untilMs ?? Number.POSITIVE_INFINITY };
    }
  }

  putBatch({ id, campaign, expiresMs }: Batch, state: 'open' | 'closed'): boolean {
    return this.insertBatch.run(id, campaign, expiresMs, state).changes === 1;
  }

  openBatches(): readonly Batch[] {
    return this.openBatchRows.all() as Batch[];
  }

  lentContacts(campaign: string): number {
    return this.lent.get(campaign) as number;
  }

  has(campaign: string, token: string): boolean {
    return this.known.get(campaign, token) !== undefined;
  }

  unused(batch: string): readonly { readonly token: string; readonly attempts: number; readonly readyMs: number }[] {
    return this.unusedRows.all(batch) as { token: string; attempts: number; readyMs: number }[];
  }

  closeBatch(batch: string): void {
    this.endBatch.run(batch);
    this.endOfBatch.run(batch);
  }

  private place(id: number): Place {
    const known = this.places.get(id);
    if (known !== undefined) return known;
    const row = this.placeById.get(id) as { country: string; zones: string };
    const made = { country: row.country, zones: JSON.parse(row.zones) as string[] };
    this.places.set(id, made);
    return made;
  }

  private placeId({ country, zones }: Place): number {
    const text = JSON.stringify(zones);
    const key = `${country} ${text}`;
    const known = this.placeIds.get(key);
    if (known !== undefined) return known;
    this.putPlace.run(country, text);
    const id = this.getPlace.get(country, text) as number;
    this.placeIds.set(key, id);
    return id;
  }
}

function sealedOf({ ref: _, place: __, batch, returned, ...row }: SealedRow): SealedContact {
  return { ...row, ...(batch !== null && { batch }), ...(returned === 1 && { isReturned: true }) };
}
