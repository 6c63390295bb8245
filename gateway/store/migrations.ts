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
  // Call-centre work. No number is here in clear: `sealed` is AES-256-GCM, `callee` 52 bits of a keyed hash.
  `
  CREATE TABLE work_campaign (id TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE work_person (id TEXT NOT NULL PRIMARY KEY, code TEXT NOT NULL UNIQUE, body TEXT NOT NULL) WITHOUT ROWID;
  -- Wrong codes and PINs since the last right one, of a code or a handset.
  CREATE TABLE work_failures (
    kind TEXT NOT NULL, id TEXT NOT NULL, count INTEGER NOT NULL, locked_ms INTEGER NOT NULL, PRIMARY KEY (kind, id)
  ) WITHOUT ROWID;
  CREATE TABLE work_place (
    id INTEGER PRIMARY KEY, country TEXT NOT NULL, zones TEXT NOT NULL, UNIQUE (country, zones)
  );
  -- Instants are 0 where there is none; lent_ms is NULL for contacts of the gateway's own. A contact is held from its choice
  -- until it is disposed of.
  CREATE TABLE work_contact (
    id INTEGER PRIMARY KEY,
    campaign TEXT NOT NULL,
    token TEXT NOT NULL,
    callee INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    language TEXT NOT NULL,
    place INTEGER NOT NULL REFERENCES work_place (id),
    earliest TEXT,
    latest TEXT,
    priority INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    day_attempts INTEGER NOT NULL DEFAULT 0,
    day_ends_ms INTEGER NOT NULL DEFAULT 0,
    ready_ms INTEGER NOT NULL DEFAULT 0,
    call_back INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'open',
    outcome TEXT,
    batch TEXT,
    lent_ms INTEGER
  );
  CREATE UNIQUE INDEX work_contact_token ON work_contact (campaign, token);
  CREATE INDEX work_contact_held ON work_contact (id) WHERE state = 'held';
  CREATE INDEX work_contact_batch ON work_contact (batch) WHERE batch IS NOT NULL;
  CREATE TABLE work_batch (
    id TEXT NOT NULL PRIMARY KEY, campaign TEXT NOT NULL, expires_ms INTEGER NOT NULL, state TEXT NOT NULL
  ) WITHOUT ROWID;
  -- Whom nobody calls before until_ms; NULL: never again.
  CREATE TABLE work_silence (callee INTEGER PRIMARY KEY, until_ms INTEGER, why TEXT NOT NULL);
  -- What statements rest on, kept for longer than the chain itself is; written by whoever appends to the chain.
  CREATE TABLE work_event (
    sequence INTEGER PRIMARY KEY, person TEXT NOT NULL, at_ms INTEGER NOT NULL, type TEXT NOT NULL, hash TEXT NOT NULL, data TEXT NOT NULL
  );
  CREATE INDEX work_event_person ON work_event (person, at_ms);
  CREATE TRIGGER work_event_kept AFTER INSERT ON event
  WHEN NEW.kind = 'event' AND instr(NEW.body, '"type":"balise.work.') > 0
    AND json_extract(NEW.body, '$.type') IN ('balise.work.activity', 'balise.work.correction')
  BEGIN
    INSERT INTO work_event VALUES (
      NEW.sequence,
      json_extract(NEW.body, '$.data.person'),
      CAST(strftime('%s', json_extract(NEW.body, '$.time')) AS INTEGER) * 1000,
      json_extract(NEW.body, '$.type'), NEW.hash, json_extract(NEW.body, '$.data')
    );
  END;
  `,
  // Limits count by campaign too. Rows of before are of none.
  `
  ALTER TABLE ledger ADD COLUMN campaign TEXT;
  CREATE INDEX ledger_campaign ON ledger (campaign, started_ms, answered, talk_ms) WHERE attempted AND campaign IS NOT NULL;
  CREATE INDEX ledger_campaign_end ON ledger (campaign, ended_ms) WHERE attempted AND campaign IS NOT NULL;
  `,
  // How every rule stood at a refusal, for as long as the ledger has the refusal.
  `
  CREATE TABLE why (call TEXT NOT NULL PRIMARY KEY, judged TEXT NOT NULL) WITHOUT ROWID;
  CREATE TRIGGER why_forgotten AFTER DELETE ON ledger WHEN OLD.cause = 'refused'
  BEGIN
    DELETE FROM why WHERE call = OLD.call;
  END;
  `,
  // How calls to contacts went, counted by the hour, and how calls were scored; written by whoever appends to the chain.
  `
  CREATE TABLE work_outcome (
    hour_ms INTEGER NOT NULL, campaign TEXT NOT NULL, language TEXT NOT NULL, outcome TEXT NOT NULL, mystery INTEGER NOT NULL,
    calls INTEGER NOT NULL, PRIMARY KEY (hour_ms, campaign, language, outcome, mystery)
  ) WITHOUT ROWID;
  CREATE TABLE work_score (
    call TEXT NOT NULL, criterion TEXT NOT NULL, campaign TEXT NOT NULL, at_ms INTEGER NOT NULL, points INTEGER NOT NULL,
    PRIMARY KEY (call, criterion)
  ) WITHOUT ROWID;
  CREATE TRIGGER work_outcome_counted AFTER INSERT ON event
  WHEN NEW.kind = 'event' AND instr(NEW.body, '"type":"balise.work.contact"') > 0
    AND json_extract(NEW.body, '$.type') = 'balise.work.contact'
  BEGIN
    INSERT INTO work_outcome VALUES (
      CAST(strftime('%s', json_extract(NEW.body, '$.time')) AS INTEGER) / 3600 * 3600000,
      json_extract(NEW.body, '$.data.campaign'), coalesce(json_extract(NEW.body, '$.data.language'), ''),
      json_extract(NEW.body, '$.data.disposition'), coalesce(json_extract(NEW.body, '$.data.mystery'), 0), 1
    ) ON CONFLICT DO UPDATE SET calls = calls + 1;
  END;
  CREATE TRIGGER work_score_kept AFTER INSERT ON event
  WHEN NEW.kind = 'event' AND instr(NEW.body, '"type":"balise.work.score"') > 0
    AND json_extract(NEW.body, '$.type') = 'balise.work.score'
  BEGIN
    INSERT OR REPLACE INTO work_score
    SELECT json_extract(NEW.body, '$.data.call'), json_extract(value, '$.criterion'), json_extract(NEW.body, '$.data.campaign'),
      CAST(strftime('%s', json_extract(NEW.body, '$.time')) AS INTEGER) * 1000, json_extract(value, '$.points')
    FROM json_each(NEW.body, '$.data.scores');
  END;
  `,
  // What was asked for where it was refused, sealed: it can be judged again, and be read by nobody else.
  'ALTER TABLE why ADD COLUMN asked BLOB;',
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
