import type { Database, Statement } from 'better-sqlite3';
import type { Campaign, Person, WorkActivityData } from '../../config/schema/types.generated.js';
import type { EventDraft } from '../calls/ports.js';
import { ended } from '../work/campaign.js';
import type { BookContact } from '../work/contact-book.js';
import type { Failures } from '../work/lockout.js';
import type { WorkEvent } from '../work/pay.js';
import type {
  Batch,
  NewContact,
  OpenSession,
  OutcomeCount,
  ScoreMean,
  SealedContact,
  Settlement,
  WorkStore,
} from '../work/ports.js';
import { WorkContacts } from './work-contacts.js';

/** Runs a fact and its events as one transaction past fsync. */
type Write = (events: readonly EventDraft[], fact: () => void) => void;

const DAY_MS = 86_400_000;
/** Thrown to take a transaction back of which nothing is new. */
const NOTHING_NEW = new Error('nothing new');
/** How long what statements rest on is kept: a month's statement can be made and disputed for two months after it. */
const KEEP_EVENTS_MS = 100 * DAY_MS;
/** How far back a session may have begun that nothing has closed. */
const LONGEST_SESSION_MS = 2 * DAY_MS;

interface EventRow {
  readonly sequence: number;
  readonly type: WorkEvent['type'];
  readonly hash: string;
  readonly data: string;
}

/** Campaigns, people, contacts and paid time, on disk. */
export class WorkTables implements WorkStore {
  private readonly allCampaigns: Statement;
  private readonly insertCampaign: Statement;
  private readonly putSigned: Statement;
  private readonly getSigned: Statement;
  private readonly allPeople: Statement;
  private readonly byId: Statement;
  private readonly byCode: Statement;
  private readonly insertPerson: Statement;
  private readonly getFailures: Statement;
  private readonly insertFailures: Statement;
  private readonly removeFailures: Statement;
  private readonly events: Statement;
  private readonly recent: Statement;
  private readonly outcomeRows: Statement;
  private readonly scoreRows: Statement;
  private readonly forgetEvents: Statement;
  private readonly claim: Statement;
  private readonly owner: Statement;
  private readonly counts: Statement;
  private readonly rows: WorkContacts;
  /** SQLite's count of what other connections have committed. */
  private version: unknown;

  constructor(
    private readonly db: Database,
    private readonly write: Write,
    /** The same without events, and not forced out of the kernel. */
    private readonly writeLightly: (fact: () => void) => void,
  ) {
    this.rows = new WorkContacts(db);
    this.claim = db.prepare("INSERT OR IGNORE INTO meta (name, value) VALUES ('contacts-key', ?)");
    this.owner = db.prepare("SELECT value FROM meta WHERE name = 'contacts-key'").pluck();
    this.counts = db.prepare(
      'SELECT state, outcome, count(*) AS contacts FROM work_contact WHERE campaign = ? GROUP BY state, outcome ORDER BY 1, 2',
    );
    this.allCampaigns = db.prepare('SELECT body FROM work_campaign ORDER BY id').pluck();
    this.insertCampaign = db.prepare('INSERT OR REPLACE INTO work_campaign (id, body) VALUES (?, ?)');
    this.putSigned = db.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES ('signed-campaigns', ?)");
    this.getSigned = db.prepare("SELECT value FROM meta WHERE name = 'signed-campaigns'").pluck();
    this.allPeople = db.prepare('SELECT body FROM work_person ORDER BY id').pluck();
    this.byId = db.prepare('SELECT body FROM work_person WHERE id = ?').pluck();
    this.byCode = db.prepare('SELECT body FROM work_person WHERE code = ?').pluck();
    this.insertPerson = db.prepare(
      `INSERT INTO work_person (id, code, body) VALUES (?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET code = excluded.code, body = excluded.body`,
    );
    this.getFailures = db.prepare(
      'SELECT count, locked_ms AS lockedUntilMs FROM work_failures WHERE kind = ? AND id = ?',
    );
    this.insertFailures = db.prepare(
      'INSERT OR REPLACE INTO work_failures (kind, id, count, locked_ms) VALUES (?, ?, ?, ?)',
    );
    this.removeFailures = db.prepare('DELETE FROM work_failures WHERE kind = ? AND id = ?');
    this.events = db.prepare(
      // While the chain itself has an event, it is the chain's word that counts.
      `SELECT kept.sequence, kept.type, coalesce(event.hash, kept.hash) AS hash,
         coalesce(json_extract(event.body, '$.data'), kept.data) AS data
       FROM work_event AS kept LEFT JOIN event ON event.sequence = kept.sequence
       WHERE person = ? AND at_ms >= ? AND at_ms < ? ORDER BY kept.sequence`,
    );
    this.recent = db.prepare(
      `SELECT data FROM work_event WHERE type = 'balise.work.activity'
       AND at_ms >= (SELECT coalesce(max(at_ms), 0) FROM work_event) - ? ORDER BY sequence`,
    );
    this.outcomeRows = db.prepare(
      'SELECT hour_ms AS hourMs, campaign, language, outcome, mystery, calls FROM work_outcome WHERE hour_ms >= ?',
    );
    this.scoreRows = db.prepare(
      `SELECT campaign, criterion, count(*) AS calls, avg(points) AS mean FROM work_score WHERE at_ms >= ?
       GROUP BY campaign, criterion ORDER BY campaign, criterion`,
    );
    this.forgetEvents = db.prepare(
      'DELETE FROM work_event WHERE sequence IN (SELECT sequence FROM work_event WHERE at_ms < ? ORDER BY sequence LIMIT 2000)',
    );
  }

  isChanged(): boolean {
    const before = this.version;
    this.version = this.db.pragma('data_version', { simple: true });
    return this.version !== before;
  }

  /** Whether the contacts are sealed under the key of this fingerprint; the first key that asks is theirs. */
  isKey(fingerprint: string): boolean {
    this.write([], () => this.claim.run(fingerprint));
    return this.owner.get() === fingerprint;
  }

  /** How many contacts of a campaign there are, by state and outcome. */
  contactCounts(campaign: string): readonly { state: string; outcome: string | null; contacts: number }[] {
    return this.counts.all(campaign) as { state: string; outcome: string | null; contacts: number }[];
  }

  campaigns(): readonly Campaign[] {
    return (this.allCampaigns.all() as string[]).map((body) => JSON.parse(body) as Campaign);
  }

  putCampaign(campaign: Campaign, events: readonly EventDraft[] = []): void {
    this.write(events, () => this.insertCampaign.run(campaign.id, JSON.stringify(campaign)));
  }

  /** The campaigns of a bundle that is taken: those of the one before it that are not in it are over. The caller brings the transaction. */
  takeCampaigns(campaigns: readonly Campaign[]): void {
    const fresh = campaigns.map(({ id }) => id);
    const gone = this.signedCampaigns().filter((id) => !fresh.includes(id));
    for (const one of this.campaigns())
      if (gone.includes(one.id)) this.insertCampaign.run(one.id, JSON.stringify(ended(one)));
    for (const one of campaigns) this.insertCampaign.run(one.id, JSON.stringify(one));
    this.putSigned.run(JSON.stringify(fresh));
  }

  /** The ids of the campaigns that the bundle in force brought: nobody at the site changes them. */
  signedCampaigns(): readonly string[] {
    return JSON.parse((this.getSigned.get() as string | undefined) ?? '[]') as string[];
  }

  people(): readonly Person[] {
    return (this.allPeople.all() as string[]).map((body) => JSON.parse(body) as Person);
  }

  person(id: string): Person | undefined {
    return personIn(this.byId.get(id));
  }

  personByCode(code: string): Person | undefined {
    return personIn(this.byCode.get(code));
  }

  putPerson(person: Person): void {
    this.write([], () => this.insertPerson.run(person.id, person.code, JSON.stringify(person)));
  }

  failures(kind: 'code' | 'handset', id: string): Failures {
    return (this.getFailures.get(kind, id) as Failures | undefined) ?? { count: 0, lockedUntilMs: 0 };
  }

  setFailures(kind: 'code' | 'handset', id: string, { count, lockedUntilMs }: Failures): void {
    this.write([], () => {
      if (count === 0) this.removeFailures.run(kind, id);
      else this.insertFailures.run(kind, id, count, lockedUntilMs);
    });
  }

  contacts(afterRef: number, limit: number): readonly BookContact[] {
    return this.rows.open(afterRef, limit);
  }

  addContacts(contacts: readonly NewContact[], events: readonly EventDraft[] = []): number {
    let added = 0;
    this.write(events, () => {
      for (const contact of contacts) added += this.rows.add(contact);
    });
    return added;
  }

  addMany(contacts: readonly NewContact[]): number {
    let added = 0;
    this.writeLightly(() => {
      for (const contact of contacts) added += this.rows.add(contact);
    });
    return added;
  }

  sealed(ref: number): SealedContact | undefined {
    return this.rows.sealed(ref);
  }

  attempt(ref: number, counts: { attempts: number; dayAttempts: number; dayEndsMs: number }): void {
    this.write([], () => this.rows.attempt(ref, counts));
  }

  settle(ref: number, settlement: Settlement, events: readonly EventDraft[]): void {
    this.write(events, () => this.rows.settle(ref, settlement));
  }

  heldContacts(): readonly (SealedContact & { readonly ref: number })[] {
    return this.rows.held();
  }

  silences(): Iterable<{ readonly callee: number; readonly untilMs: number }> {
    return this.rows.silences();
  }

  openBatches(): readonly Batch[] {
    return this.rows.openBatches();
  }

  takeBatch(batch: Batch, contacts: readonly NewContact[], events: readonly EventDraft[]): boolean {
    return this.once(events, () => {
      const isNew = this.rows.putBatch(batch, 'open');
      if (isNew) for (const contact of contacts) this.rows.addLent(contact);
      return isNew;
    });
  }

  refuseBatch(batch: Batch, events: readonly EventDraft[]): boolean {
    return this.once(events, () => this.rows.putBatch(batch, 'closed'));
  }

  /** All of it or, where the fact turns out to be an old one, nothing. */
  private once(events: readonly EventDraft[], fact: () => boolean): boolean {
    try {
      this.write(events, () => {
        if (!fact()) throw NOTHING_NEW;
      });
      return true;
    } catch (thrown) {
      if (thrown === NOTHING_NEW) return false;
      throw thrown;
    }
  }

  lentContacts(campaign: string): number {
    return this.rows.lentContacts(campaign);
  }

  hasContact(campaign: string, token: string): boolean {
    return this.rows.has(campaign, token);
  }

  unused(batch: string): readonly { readonly token: string; readonly attempts: number; readonly readyMs: number }[] {
    return this.rows.unused(batch);
  }

  closeBatch(batch: string, events: readonly EventDraft[]): void {
    this.write(events, () => this.rows.closeBatch(batch));
  }

  *workEvents(person: string, fromMs: number, toMs: number): Iterable<WorkEvent> {
    for (const row of this.events.iterate(person, fromMs, toMs) as IterableIterator<EventRow>) {
      const { sequence, type, hash, data } = row;
      yield { sequence, type, hash, data: JSON.parse(data) as WorkEvent['data'] };
    }
  }

  outcomes(fromMs: number): readonly OutcomeCount[] {
    return (this.outcomeRows.all(fromMs) as (Omit<OutcomeCount, 'isMystery'> & { mystery: number })[]).map(
      ({ mystery, ...row }) => ({ ...row, isMystery: mystery === 1 }),
    );
  }

  scores(fromMs: number): readonly ScoreMean[] {
    return this.scoreRows.all(fromMs) as ScoreMean[];
  }

  openSessions(): readonly OpenSession[] {
    const open = new Map<string, OpenSession>();
    for (const text of this.recent.pluck().iterate(LONGEST_SESSION_MS) as IterableIterator<string>) {
      const { session, person, handset, activity } = JSON.parse(text) as WorkActivityData;
      if (activity === 'signed-off') open.delete(session);
      else open.set(session, { session, person, handset, activity });
    }
    return [...open.values()];
  }

  append(events: readonly EventDraft[]): void {
    this.write(events, () => undefined);
  }

  /** Drops what no statement can rest on any more. */
  prune(wallMs: number): void {
    this.forgetEvents.run(wallMs - KEEP_EVENTS_MS);
  }
}

function personIn(body: unknown): Person | undefined {
  return body === undefined ? undefined : (JSON.parse(body as string) as Person);
}
