import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { StoreFault } from './fault.js';
import { migrate, SCHEMA_VERSION } from './migrations.js';
import { Store, type StoreOptions } from './store.js';

/** The database's name in the data folder. */
export const DATABASE_FILE = 'balise.sqlite';
/** Above this the whole of the file is not read at the start; what a restart needs of it always is. Bytes. */
const CHECK_WHOLE_BELOW = 256 * 1024 * 1024;
/** The log is copied into the database when it has so many pages (16 MiB): a call writes some thirty, and waits for the copying. */
const CHECKPOINT_PAGES = 4_096;
/** Tables that a restart acts on; small, whatever the file's size. */
const VITAL = ['meta', 'journal', 'dialog', 'lockdown', 'command'] as const;
/** Events at the end of the chain that are verified at the start. */
const TAIL = 500;

const KEEP =
  'move balise.sqlite, balise.sqlite-wal and balise.sqlite-shm away and keep them, then restore a copy or start empty';

/**
 * Opens the store in `folder` (made, for its owner alone, if absent), brings it to the present version and checks it.
 * Throws a `StoreFault` when the file is damaged, is of a newer program or of another gateway, or its chain is broken at the
 * end. A damaged file is never deleted nor begun afresh.
 */
export function openStore(options: StoreOptions): Store {
  const file = join(options.folder, DATABASE_FILE);
  let db: Database | undefined;
  let store: Store | undefined;
  try {
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    db = new Sqlite(file, { timeout: 2_000 });
    // The version first: a file of a newer program is not to be touched.
    const version = db.pragma('user_version', { simple: true }) as number;
    if (version > SCHEMA_VERSION) {
      const what = `it is of version ${version}, and this program knows ${SCHEMA_VERSION}`;
      throw new StoreFault('store.newer', file, what, 'run the newer program');
    }
    db.pragma('journal_mode = WAL');
    db.pragma('foreign_keys = ON');
    db.pragma('temp_store = MEMORY');
    db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    check(db, file);
    const before = migrate(db);
    if (before !== 0 && before !== SCHEMA_VERSION) {
      options.log.info({ event: 'store.migrated', from: before, to: SCHEMA_VERSION });
    }
    claim(db, file, options.gatewayId);
    store = new Store(db, options);
    const tail = store.verifyChain(Math.max(1, store.chainEnd().sequence - TAIL));
    if (!tail.whole) {
      const what = `the audit chain is broken at event ${tail.sequence} (${tail.broken})`;
      throw new StoreFault('store.chain-broken', file, what, KEEP);
    }
    return store;
  } catch (fault) {
    store?.close();
    db?.close();
    throw asStoreFault(fault, file);
  }
}

/** Reads the structure of the file. Throws when SQLite finds anything wrong with it. */
function check(db: Database, file: string): void {
  const present = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all() as string[];
  const whole = statSync(file).size <= CHECK_WHOLE_BELOW;
  const parts = whole ? [''] : VITAL.filter((table) => present.includes(table)).map((table) => `(${table})`);
  for (const part of parts) {
    const found = db.pragma(`quick_check${part}`, { simple: true }) as string;
    if (found !== 'ok') throw new StoreFault('store.corrupt', file, `the database is damaged (${found})`, KEEP);
  }
}

/** A data folder belongs to one gateway: its sequence and its chain are that gateway's. */
function claim(db: Database, file: string, gatewayId: string): void {
  db.prepare("INSERT OR IGNORE INTO meta (name, value) VALUES ('gateway', ?)").run(gatewayId);
  const owner = db.prepare("SELECT value FROM meta WHERE name = 'gateway'").pluck().get() as string;
  if (owner === gatewayId) return;
  const what = `it belongs to the gateway ${owner}, and this is ${gatewayId}`;
  throw new StoreFault('store.foreign', file, what, 'give each gateway a data folder of its own');
}

function asStoreFault(fault: unknown, file: string): unknown {
  const code = fault instanceof Error && 'code' in fault ? String(fault.code) : undefined;
  if (code === undefined || fault instanceof StoreFault) return fault;
  const what = (fault as Error).message;
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code))
    return new StoreFault('store.corrupt', file, `the database is damaged (${what})`, KEEP);
  return new StoreFault(
    'store.unusable',
    file,
    `the database cannot be used (${code}: ${what})`,
    'see that the disk is there, has room and may be written',
  );
}
