import { type Database, DatabaseFault, type Table } from './database.js';
import { PostgresDatabase } from './postgres.js';
import { SqliteDatabase } from './sqlite.js';

/**
 * The database's shape, one step a version; a step that has been released is never edited. Written in the SQL that both engines
 * read: instants are Unix milliseconds in BIGINT, and what was signed or hashed is kept as the text that came.
 */
const STEPS: readonly (readonly string[])[] = [
  [
    // Every event of every gateway, once. `body` is the CloudEvent as it came: the audit chain.
    `CREATE TABLE event (
      gateway TEXT NOT NULL, sequence BIGINT NOT NULL, kind TEXT NOT NULL, type TEXT NOT NULL,
      at_ms BIGINT NOT NULL, received_ms BIGINT NOT NULL, hash TEXT NOT NULL, prevhash TEXT NOT NULL, body TEXT NOT NULL,
      PRIMARY KEY (gateway, sequence))`,
    'CREATE INDEX event_at ON event (at_ms)',
    // What is known of a gateway's stream. Everything up to contiguous is here; highest is known to exist.
    `CREATE TABLE gateway (
      gateway TEXT NOT NULL PRIMARY KEY, seen_ms BIGINT NOT NULL, silent BIGINT NOT NULL, highest BIGINT NOT NULL,
      contiguous BIGINT NOT NULL, contiguous_hash TEXT NOT NULL, stuck_ms BIGINT, asked_ms BIGINT NOT NULL,
      enrolled_ms BIGINT, public_key TEXT)`,
    `CREATE TABLE call (
      gateway TEXT NOT NULL, call TEXT NOT NULL, handset TEXT NOT NULL, wing TEXT, person TEXT, number_token TEXT,
      requested_ms BIGINT NOT NULL, answered_ms BIGINT, ended_ms BIGINT NOT NULL, talk_ms BIGINT NOT NULL,
      cause TEXT NOT NULL, rule TEXT, PRIMARY KEY (gateway, call))`,
    'CREATE INDEX call_requested ON call (requested_ms)',
    `CREATE TABLE alarm (
      id TEXT NOT NULL PRIMARY KEY, gateway TEXT NOT NULL, type TEXT NOT NULL, at_ms BIGINT NOT NULL, message TEXT NOT NULL,
      handset TEXT, cleared_ms BIGINT, acked_ms BIGINT, acked_by TEXT)`,
    'CREATE INDEX alarm_open ON alarm (at_ms) WHERE acked_ms IS NULL',
    `CREATE TABLE state (
      gateway TEXT NOT NULL, topic TEXT NOT NULL, at_ms BIGINT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (gateway, topic))`,
    // What is gone for good: the gateway itself no longer has it.
    `CREATE TABLE lost (
      gateway TEXT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL, at_ms BIGINT NOT NULL, PRIMARY KEY (gateway, first))`,
    `CREATE TABLE ordered (
      id TEXT NOT NULL PRIMARY KEY, gateway TEXT NOT NULL, type TEXT NOT NULL, by_whom TEXT NOT NULL, body TEXT NOT NULL,
      sent_ms BIGINT NOT NULL, state TEXT, ack TEXT)`,
    `CREATE TABLE checkpoint (
      gateway TEXT NOT NULL, sequence BIGINT NOT NULL, hash TEXT NOT NULL, at_ms BIGINT NOT NULL, verdict TEXT NOT NULL,
      countersigned TEXT, PRIMARY KEY (gateway, sequence))`,
    `CREATE TABLE account (
      name TEXT NOT NULL PRIMARY KEY, role TEXT NOT NULL, secret TEXT NOT NULL, made_ms BIGINT NOT NULL)`,
    `CREATE TABLE session (
      token_hash TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL, expires_ms BIGINT NOT NULL)`,
  ],
  // Where the callee may be; calls of before say nothing of it.
  ['ALTER TABLE call ADD COLUMN callee_zone TEXT'],
  [
    // Contacts that gateways are lent. A contact is free, lent or over; no number is here but sealed.
    `CREATE TABLE work_pool (
      campaign TEXT NOT NULL, token TEXT NOT NULL, body TEXT NOT NULL, priority BIGINT NOT NULL, language TEXT NOT NULL,
      attempts BIGINT NOT NULL, not_before_ms BIGINT NOT NULL, state TEXT NOT NULL, outcome TEXT, gateway TEXT, batch TEXT,
      PRIMARY KEY (campaign, token))`,
    "CREATE INDEX work_pool_free ON work_pool (campaign, priority, not_before_ms) WHERE state = 'free'",
    'CREATE INDEX work_pool_token ON work_pool (token)',
    'CREATE INDEX work_pool_batch ON work_pool (batch) WHERE batch IS NOT NULL',
    // Open until its gateway, or whoever gives the gateway up, has closed it; sent again until the gateway has taken it.
    `CREATE TABLE work_lease (
      batch TEXT NOT NULL PRIMARY KEY, gateway TEXT NOT NULL, campaign TEXT NOT NULL, issued_ms BIGINT NOT NULL,
      expires_ms BIGINT NOT NULL, state TEXT NOT NULL, taken BIGINT NOT NULL, sent BIGINT NOT NULL, next_ms BIGINT NOT NULL)`,
    "CREATE INDEX work_lease_open ON work_lease (gateway, campaign) WHERE state = 'open'",
    `CREATE TABLE work_wish (
      gateway TEXT NOT NULL, campaign TEXT NOT NULL, most BIGINT NOT NULL, languages TEXT, asked_ms BIGINT NOT NULL,
      PRIMARY KEY (gateway, campaign))`,
    'CREATE TABLE work_silence (token TEXT NOT NULL PRIMARY KEY, until_ms BIGINT NOT NULL)',
    // Up to which event of a gateway its loans are known.
    'CREATE TABLE work_cursor (gateway TEXT NOT NULL PRIMARY KEY, sequence BIGINT NOT NULL)',
    'CREATE TABLE work_campaign (id TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL)',
    // Bundles that were sent to gateways from here.
    `CREATE TABLE policy_sent (
      gateway TEXT NOT NULL, digest TEXT NOT NULL, ack_id TEXT NOT NULL, version BIGINT NOT NULL, body TEXT NOT NULL,
      by_whom TEXT NOT NULL, sent_ms BIGINT NOT NULL, state TEXT, ack TEXT, PRIMARY KEY (gateway, digest))`,
    // How calls to contacts went, counted by the hour, and how calls were scored.
    `CREATE TABLE work_outcome (
      gateway TEXT NOT NULL, hour_ms BIGINT NOT NULL, campaign TEXT NOT NULL, language TEXT NOT NULL, outcome TEXT NOT NULL,
      mystery BIGINT NOT NULL, calls BIGINT NOT NULL, PRIMARY KEY (gateway, hour_ms, campaign, language, outcome, mystery))`,
    `CREATE TABLE work_score (
      gateway TEXT NOT NULL, call TEXT NOT NULL, criterion TEXT NOT NULL, sequence BIGINT NOT NULL, campaign TEXT NOT NULL,
      at_ms BIGINT NOT NULL, points BIGINT NOT NULL, PRIMARY KEY (gateway, call, criterion))`,
    "CREATE INDEX event_work ON event (gateway, sequence) WHERE type LIKE 'balise.work.%'",
  ],
  // To which key of its gateway a loan is sealed; none: its gateway has announced none.
  ['ALTER TABLE work_wish ADD COLUMN seal_to TEXT', 'ALTER TABLE work_lease ADD COLUMN seal_to TEXT'],
  // Other events that came under a number that is taken: evidence of a store that was replaced, or of somebody who speaks in its name.
  [
    `CREATE TABLE conflict (
      gateway TEXT NOT NULL, sequence BIGINT NOT NULL, hash TEXT NOT NULL, received_ms BIGINT NOT NULL, body TEXT NOT NULL,
      PRIMARY KEY (gateway, sequence, hash))`,
  ],
];

export const EVENT: Table = {
  name: 'event',
  columns: [
    ['gateway', 'text'],
    ['sequence', 'bigint'],
    ['kind', 'text'],
    ['type', 'text'],
    ['at_ms', 'bigint'],
    ['received_ms', 'bigint'],
    ['hash', 'text'],
    ['prevhash', 'text'],
    ['body', 'text'],
  ],
  keys: ['gateway', 'sequence'],
};

export const CONFLICT: Table = {
  name: 'conflict',
  columns: [
    ['gateway', 'text'],
    ['sequence', 'bigint'],
    ['hash', 'text'],
    ['received_ms', 'bigint'],
    ['body', 'text'],
  ],
  keys: ['gateway', 'sequence', 'hash'],
};

export const GATEWAY: Table = {
  name: 'gateway',
  columns: [
    ['gateway', 'text'],
    ['seen_ms', 'bigint'],
    ['silent', 'bigint'],
    ['highest', 'bigint'],
    ['contiguous', 'bigint'],
    ['contiguous_hash', 'text'],
    ['asked_ms', 'bigint'],
  ],
  keys: ['gateway'],
};

export const CALL: Table = {
  name: 'call',
  columns: [
    ['gateway', 'text'],
    ['call', 'text'],
    ['handset', 'text'],
    ['wing', 'text'],
    ['person', 'text'],
    ['number_token', 'text'],
    ['requested_ms', 'bigint'],
    ['answered_ms', 'bigint'],
    ['ended_ms', 'bigint'],
    ['talk_ms', 'bigint'],
    ['cause', 'text'],
    ['rule', 'text'],
    ['callee_zone', 'text'],
  ],
  keys: ['gateway', 'call'],
};

export const ALARM: Table = {
  name: 'alarm',
  columns: [
    ['id', 'text'],
    ['gateway', 'text'],
    ['type', 'text'],
    ['at_ms', 'bigint'],
    ['message', 'text'],
    ['handset', 'text'],
  ],
  keys: ['id'],
};

export const POOL: Table = {
  name: 'work_pool',
  columns: [
    ['campaign', 'text'],
    ['token', 'text'],
    ['body', 'text'],
    ['priority', 'bigint'],
    ['language', 'text'],
    ['attempts', 'bigint'],
    ['not_before_ms', 'bigint'],
    ['state', 'text'],
  ],
  keys: ['campaign', 'token'],
};

export const OUTCOME: Table = {
  name: 'work_outcome',
  columns: [
    ['gateway', 'text'],
    ['hour_ms', 'bigint'],
    ['campaign', 'text'],
    ['language', 'text'],
    ['outcome', 'text'],
    ['mystery', 'bigint'],
    ['calls', 'bigint'],
  ],
  keys: ['gateway', 'hour_ms', 'campaign', 'language', 'outcome', 'mystery'],
};

export const SCORE: Table = {
  name: 'work_score',
  columns: [
    ['gateway', 'text'],
    ['call', 'text'],
    ['criterion', 'text'],
    ['sequence', 'bigint'],
    ['campaign', 'text'],
    ['at_ms', 'bigint'],
    ['points', 'bigint'],
  ],
  keys: ['gateway', 'call', 'criterion'],
};

export const STATE: Table = {
  name: 'state',
  columns: [
    ['gateway', 'text'],
    ['topic', 'text'],
    ['at_ms', 'bigint'],
    ['body', 'text'],
  ],
  keys: ['gateway', 'topic'],
};

/** Two headquarters that start together: one migrates, the other waits. Any number that nobody else locks by. */
const MIGRATION_LOCK = 7_265_177;

/**
 * Opens headquarters' database and brings it to the present shape.
 * @param url `postgres://…`, or `sqlite:<file>`. Throws a `DatabaseFault` when it cannot be used.
 */
export async function openDatabase(url: string, onFault: (fault: Error) => void): Promise<Database> {
  let db: Database;
  try {
    if (/^postgres(ql)?:\/\//.test(url)) db = new PostgresDatabase(url, onFault);
    else if (url.startsWith('sqlite:')) db = new SqliteDatabase(url.slice('sqlite:'.length));
    else throw new Error('it begins with neither postgres:// nor sqlite:');
    await migrate(db);
    return db;
  } catch (fault) {
    if (fault instanceof DatabaseFault) throw fault;
    const shown = url.replace(/:\/\/([^:@/]+):[^@]*@/, '://$1:…@');
    throw new DatabaseFault(
      `the database ${shown} cannot be used (${fault instanceof Error ? fault.message || String((fault as NodeJS.ErrnoException).code) : fault}); see that it runs, exists and lets this account in`,
    );
  }
}

async function migrate(db: Database): Promise<void> {
  await db.transact(async (sql) => {
    if (db.engine === 'postgres') await sql.all('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await sql.run('CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)');
    const [found] = await sql.all<{ version: number }>('SELECT max(version) AS version FROM schema_version');
    const from = found?.version ?? 0;
    if (from > STEPS.length) {
      throw new DatabaseFault(
        `the database is of version ${from}, and this program knows ${STEPS.length}: run the newer one`,
      );
    }
    for (const [index, step] of STEPS.entries()) {
      if (index < from) continue;
      for (const statement of step) await sql.run(statement);
      await sql.run('INSERT INTO schema_version (version) VALUES ($1)', [index + 1]);
    }
  });
}
