import type { Database } from 'better-sqlite3';

/**
 * The database's shape, one step a version (`PRAGMA user_version`); a step that has been released is never edited.
 * Columns ending in `_ms` are Unix milliseconds, integers, for comparing and for indexes; instants inside JSON columns keep
 * their full precision as ISO 8601 text. Intervals are milliseconds too.
 */
const STEPS: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

  -- Calls that no record closes. Rows leave it in the transaction that records the call.
  CREATE TABLE journal (
    call TEXT NOT NULL PRIMARY KEY,
    handset TEXT NOT NULL,
    number TEXT NOT NULL,
    requested_ms INTEGER NOT NULL,
    -- The talk that the call may still come to: what its grant allows, then what its deadline leaves.
    lease_ms INTEGER NOT NULL,
    request TEXT NOT NULL,
    grant TEXT NOT NULL,
    answered TEXT,
    deadline TEXT,
    newest_ms INTEGER NOT NULL
  );
  CREATE INDEX journal_handset ON journal (handset);
  CREATE INDEX journal_number ON journal (number);

  CREATE TABLE dialog (
    call TEXT NOT NULL,
    leg TEXT NOT NULL,
    dialog_id TEXT NOT NULL,
    dialog TEXT NOT NULL,
    PRIMARY KEY (call, leg, dialog_id)
  ) WITHOUT ROWID;

  -- The calls that ended, refused ones too, counted by the instant at which they were asked for.
  CREATE TABLE ledger (
    id INTEGER PRIMARY KEY,
    call TEXT NOT NULL,
    handset TEXT NOT NULL,
    person TEXT,
    number TEXT,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER NOT NULL,
    talk_ms INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    attempted INTEGER NOT NULL,
    cause TEXT NOT NULL,
    newest_ms INTEGER NOT NULL
  );
  CREATE UNIQUE INDEX ledger_call ON ledger (call);
  -- Both cover the sums of a day, so that a look-up reads the index alone.
  CREATE INDEX ledger_handset ON ledger (handset, started_ms, answered, talk_ms) WHERE attempted;
  CREATE INDEX ledger_number ON ledger (number, started_ms, answered, talk_ms) WHERE attempted AND number IS NOT NULL;
  CREATE INDEX ledger_handset_end ON ledger (handset, ended_ms) WHERE attempted;
  CREATE INDEX ledger_number_end ON ledger (number, ended_ms) WHERE attempted AND number IS NOT NULL;

  CREATE TABLE lockdown (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    until_ms INTEGER,
    lockdown TEXT NOT NULL
  ) WITHOUT ROWID;

  -- The outbox and the audit chain are one table. AUTOINCREMENT is not needed: the last row is never pruned.
  CREATE TABLE event (
    sequence INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    hash TEXT NOT NULL,
    acked_ms INTEGER,
    newest_ms INTEGER NOT NULL
  );
  CREATE INDEX event_pending ON event (kind, sequence) WHERE acked_ms IS NULL;

  -- Commands that were obeyed or refused once their signature was good; none is taken twice.
  CREATE TABLE command (id TEXT NOT NULL PRIMARY KEY, forget_ms INTEGER NOT NULL) WITHOUT ROWID;
  `,
  // Limits count by person too.
  `
  CREATE INDEX ledger_person ON ledger (person, started_ms, answered, talk_ms) WHERE attempted AND person IS NOT NULL;
  CREATE INDEX ledger_person_end ON ledger (person, ended_ms) WHERE attempted AND person IS NOT NULL;
  `,
  // History is read newest first, of the site or of a handset, with what was reported of each call. Rows of before have no event.
  `
  ALTER TABLE ledger ADD COLUMN event INTEGER;
  CREATE INDEX ledger_of_handset ON ledger (handset, id);
  `,
  // What numbers have said of being called, and what was used day by day, for long after the calls themselves are forgotten.
  `
  CREATE TABLE contact (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (kind, subject)
  ) WITHOUT ROWID;

  CREATE INDEX ledger_started ON ledger (started_ms);

  -- Days of the site's zone, e.g. 2026-03-04; person is '' where nobody was signed on.
  CREATE TABLE usage_day (
    day TEXT NOT NULL,
    handset TEXT NOT NULL,
    person TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    talk_ms INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    PRIMARY KEY (day, handset, person)
  ) WITHOUT ROWID;
  `,
];

/** The version that this program writes. */
export const SCHEMA_VERSION = STEPS.length;

/** Brings a database up to `SCHEMA_VERSION`, each step in a transaction of its own. Returns the version it found. */
export function migrate(db: Database): number {
  const found = db.pragma('user_version', { simple: true }) as number;
  for (const [index, step] of STEPS.entries()) {
    if (index < found) continue;
    db.transaction(() => {
      db.exec(step);
      db.pragma(`user_version = ${index + 1}`);
    })();
  }
  return found;
}
