import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { Campaign, Person } from '../../config/schema/types.generated.js';
import { systemClock } from '../../gateway/clock/system-clock.js';
import type { SiteFiles } from '../../gateway/config/site.js';
import { type ContactMark, OwnList } from '../../gateway/do-not-call/own-list.js';
import { type Lockdown, UNUSED, type UsageBook } from '../../gateway/policy/request.js';
import { type RefusedRequest, RefusedSeal } from '../../gateway/site-refused.js';
import { tokenKeyOf } from '../../gateway/site-token-key.js';
import { CONTACT_KEY_FILE, contactKey } from '../../gateway/store/contact-key.js';
import { Contacts } from '../../gateway/store/contacts.js';
import { Ledger } from '../../gateway/store/ledger.js';
import { Lockdowns } from '../../gateway/store/lockdowns.js';
import { SCHEMA_VERSION } from '../../gateway/store/migrations.js';
import { DATABASE_FILE } from '../../gateway/store/open.js';
import { WorkTables } from '../../gateway/store/work-tables.js';
import { type NumberToken, numberTokens } from '../../gateway/uplink/number-token.js';
import { countedByBoth } from '../../gateway/work/contact-judge.js';
import { UsageFault } from './command.js';
import { contactsOf, type OpenedContact } from './site-contacts.js';

/** A call as the ledger has it, refused ones too. */
export interface LedgerRow {
  readonly call: string;
  readonly handset: string;
  readonly person: string | null;
  /** Absent where what was dialled is no number; of a contact the token that stands for it. */
  readonly number: string | null;
  /** The campaign that it was for. */
  readonly campaign: string | null;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly talkMs: number;
  readonly answered: 0 | 1;
  readonly attempted: 0 | 1;
}

/** A call that policy refused. */
export interface RefusedRow extends Omit<LedgerRow, 'number'> {
  /** How every rule stood, as JSON, and what was asked for, sealed; null where neither was kept. */
  readonly judged: string | null;
  readonly asked: Buffer | null;
}

/** There is no store yet, or it is not of this program's version. */
export type BooksNote =
  | { readonly is: 'no-store'; readonly file: string }
  | { readonly is: 'other-version'; readonly file: string; readonly version: number; readonly reads: number };

/** What the disk of a site knows: its ledger, its people and campaigns, and the cutoffs in force. */
export interface SiteBooks {
  /** By number and by the token that stands for it. */
  readonly usage: UsageBook;
  /** As they are now. */
  readonly people: readonly Person[];
  readonly campaigns: readonly Campaign[];
  readonly numberToken: NumberToken;
  /** The contacts of campaigns whose numbers have these tokens, by token. */
  contacts(campaigns: Iterable<string>, tokens: ReadonlySet<string>): ReadonlyMap<string, OpenedContact>;
  lockdowns(atMs: number): readonly Lockdown[];
  /** The gateway's own do-not-call list, to be asked alone. */
  readonly doNotCall: OwnList;
  /** The calls that were asked for in a stretch of time, [from, to), oldest first. */
  calls(fromMs: number, toMs: number): readonly LedgerRow[];
  /** Those among them that were refused before any number was called, with what is kept of each, one after the other. */
  refused(fromMs: number, toMs: number): Iterable<RefusedRow>;
  /** Opens what was asked for; undefined where it does not open. */
  openRefused(row: RefusedRow): RefusedRequest | undefined;
  /** What a person should know of where this comes from: why nothing is counted as used. */
  readonly note?: BooksNote;
  close(): void;
}

/** One of those that the site knows. Throws a `UsageFault` that names them when it is none. */
export function knownOf<T extends { readonly id: string }>(what: string, all: readonly T[], id: string): T {
  const found = all.find((one) => one.id === id);
  if (found !== undefined) return found;
  const known = all.length === 0 ? 'there is none' : `there ${all.length === 1 ? 'is' : 'are'} ${listed(all)}`;
  throw new UsageFault(`there is no ${what} ${id} at this site: ${known}`);
}

const MOST_LISTED = 12;

function listed(all: readonly { readonly id: string }[]): string {
  const ids = all.slice(0, MOST_LISTED).map(({ id }) => id);
  return `${ids.join(', ')}${all.length > MOST_LISTED ? ` and ${all.length - MOST_LISTED} more` : ''}`;
}

/** The key of the tokens in this site's ledger; where it has none yet, whatever comes: none is made here. */
function tokensOf(files: SiteFiles): NumberToken {
  const isMade = files.uplink !== undefined || existsSync(join(files.dataFolder, CONTACT_KEY_FILE));
  return numberTokens(isMade ? tokenKeyOf(files) : randomBytes(32).toString('base64'));
}

/** Opens the books of a site for reading, beside a gateway that runs; a site that never ran has empty ones. */
export function openBooks(files: SiteFiles): SiteBooks {
  const { dataFolder } = files;
  const file = join(dataFolder, DATABASE_FILE);
  const numberToken = tokensOf(files);
  const empty = (note: BooksNote): SiteBooks => ({
    usage: UNUSED,
    people: [],
    campaigns: [],
    numberToken,
    contacts: () => new Map(),
    doNotCall: readOnly([], numberToken),
    lockdowns: () => [],
    calls: () => [],
    refused: () => [],
    openRefused: () => undefined,
    note,
    close: () => undefined,
  });
  if (!existsSync(file)) return empty({ is: 'no-store', file });
  const db = new Sqlite(file, { readonly: true, timeout: 2_000 });
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version !== SCHEMA_VERSION) {
    db.close();
    return empty({ is: 'other-version', file, version, reads: SCHEMA_VERSION });
  }
  const work = new WorkTables(db, readOnlyWrite, readOnlyWrite);
  const locks = new Lockdowns(db);
  locks.reload();
  const rows = db.prepare(
    `SELECT call, handset, person, number, campaign, started_ms AS startedMs, ended_ms AS endedMs, talk_ms AS talkMs, answered, attempted
     FROM ledger WHERE started_ms >= ? AND started_ms < ? ORDER BY started_ms, id`,
  );
  const refused = db.prepare(
    `SELECT ledger.call, handset, person, campaign, started_ms AS startedMs, ended_ms AS endedMs, talk_ms AS talkMs, answered,
       attempted, judged, asked
     FROM ledger LEFT JOIN why ON why.call = ledger.call
     WHERE started_ms >= ? AND started_ms < ? AND cause = 'refused' AND number IS NULL ORDER BY started_ms, id`,
  );
  const keyFile = join(dataFolder, CONTACT_KEY_FILE);
  // The key is not to be made here.
  const seal = existsSync(keyFile) ? new RefusedSeal(contactKey(dataFolder)) : undefined;
  return {
    usage: countedByBoth(new Ledger(db), numberToken),
    people: work.people(),
    campaigns: work.campaigns(),
    numberToken,
    contacts: (campaigns, tokens) => contactsOf(db, dataFolder, campaigns, tokens, numberToken),
    doNotCall: readOnly(new Contacts(db).all(), numberToken),
    lockdowns: (atMs) => locks.inForce(atMs),
    calls: (fromMs, toMs) => rows.all(fromMs, toMs) as LedgerRow[],
    refused: (fromMs, toMs) => refused.iterate(fromMs, toMs) as Iterable<RefusedRow>,
    openRefused: ({ call, asked }) => (asked === null ? undefined : seal?.open(call, asked)),
    close: () => db.close(),
  };
}

function readOnlyWrite(): never {
  throw new Error('these books are read alone');
}

function readOnly(marks: readonly ContactMark[], numberToken: NumberToken): OwnList {
  return new OwnList({
    store: {
      contactMarks: () => marks,
      addContactMarks: readOnlyWrite,
    },
    clock: systemClock(() => ({ trusted: true })),
    numberToken,
    // Tokens of another key are the gateway's to alarm.
    onFault: () => undefined,
  });
}
