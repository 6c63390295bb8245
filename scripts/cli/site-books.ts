import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { systemClock } from '../../gateway/clock/system-clock.js';
import type { SiteFiles } from '../../gateway/config/site.js';
import { type ContactMark, OwnList } from '../../gateway/do-not-call/own-list.js';
import { type Lockdown, UNUSED, type UsageBook } from '../../gateway/policy/request.js';
import { Contacts } from '../../gateway/store/contacts.js';
import { Ledger } from '../../gateway/store/ledger.js';
import { Lockdowns } from '../../gateway/store/lockdowns.js';
import { SCHEMA_VERSION } from '../../gateway/store/migrations.js';
import { DATABASE_FILE } from '../../gateway/store/open.js';
import { type NumberToken, numberTokens } from '../../gateway/uplink/number-token.js';

/** A call as the ledger has it, refused ones too. */
export interface LedgerRow {
  readonly call: string;
  readonly handset: string;
  readonly person: string | null;
  /** Absent where what was dialled is no number. */
  readonly number: string | null;
  /** The campaign that it was for. */
  readonly campaign: string | null;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly talkMs: number;
  readonly answered: 0 | 1;
  readonly attempted: 0 | 1;
}

/** What the disk of a site knows: its ledger, and the cutoffs in force. */
export interface SiteBooks {
  readonly usage: UsageBook;
  lockdowns(atMs: number): readonly Lockdown[];
  /** The gateway's own do-not-call list, to be asked alone. */
  readonly doNotCall: OwnList;
  /** The calls that were asked for in a stretch of time, [from, to), oldest first. */
  calls(fromMs: number, toMs: number): readonly LedgerRow[];
  /** What a person should know of where this comes from. */
  readonly note?: string;
  close(): void;
}

/** Opens the books of a site for reading, beside a gateway that runs; a site that never ran has empty ones. */
export function openBooks({ dataFolder, uplink }: SiteFiles): SiteBooks {
  const file = join(dataFolder, DATABASE_FILE);
  const numberToken = numberTokens(uplink?.tokenKey ?? randomBytes(32).toString('base64'));
  const empty = (note: string): SiteBooks => ({
    usage: UNUSED,
    doNotCall: readOnly([], numberToken),
    lockdowns: () => [],
    calls: () => [],
    note,
    close: () => undefined,
  });
  if (!existsSync(file)) return empty(`${file} is not there: nothing is counted as used`);
  const db = new Sqlite(file, { readonly: true, timeout: 2_000 });
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version !== SCHEMA_VERSION) {
    db.close();
    return empty(
      `${file} is of version ${version} and this program reads ${SCHEMA_VERSION}: nothing is counted as used`,
    );
  }
  const ledger = new Ledger(db);
  const locks = new Lockdowns(db);
  locks.reload();
  const rows = db.prepare(
    `SELECT call, handset, person, number, campaign, started_ms AS startedMs, ended_ms AS endedMs, talk_ms AS talkMs, answered, attempted
     FROM ledger WHERE started_ms >= ? AND started_ms < ? ORDER BY started_ms, id`,
  );
  return {
    usage: ledger,
    doNotCall: readOnly(new Contacts(db).all(), numberToken),
    lockdowns: (atMs) => locks.inForce(atMs),
    calls: (fromMs, toMs) => rows.all(fromMs, toMs) as LedgerRow[],
    close: () => db.close(),
  };
}

function readOnly(marks: readonly ContactMark[], numberToken: NumberToken): OwnList {
  return new OwnList({
    store: {
      contactMarks: () => marks,
      addContactMarks: () => {
        throw new Error('these books are read alone');
      },
    },
    clock: systemClock(() => ({ trusted: true })),
    numberToken,
    // Tokens of another key are the gateway's to alarm.
    onFault: () => undefined,
  });
}
