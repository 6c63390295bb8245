import type { Database } from 'better-sqlite3';
import { walFault } from './wal-check.js';

interface CheckpointRow {
  readonly busy: number;
  /** Frames in the log; -1: it could not be looked at. */
  readonly log: number;
  readonly checkpointed: number;
}

/**
 * Brings all that is committed to the disk by another way than the log's own fsync, which is not to be believed once it has failed:
 * the kernel marks pages that it could not write as written (fsync(2), "Notes"; Rebello and others, "Can Applications Recover from
 * fsync Failures?", USENIX ATC 2020), so that the next fsync says that all is well. The log is read back and each frame held
 * against its checksum; then every page of it is written anew into the database, which is taken past fsync, and the log begins
 * afresh: nothing that is written later stands behind a page that may not be there.
 *
 * Throws when the log is not what was written, somebody else is reading by it, or the disk does not take it. Waits for nobody.
 * The connection must be set to `synchronous = FULL`, and be in no transaction.
 */
export function renewLog(db: Database): void {
  const { log: frames } = checkpoint(db, 'NOOP');
  const fault = walFault(`${db.name}-wal`, frames);
  if (fault !== undefined) throw new Error(`the log was read back, and ${fault}: stop the program, and start it again`);
  const waits = db.pragma('busy_timeout', { simple: true }) as number;
  db.exec('PRAGMA busy_timeout = 0');
  try {
    const { busy, log, checkpointed } = checkpoint(db, 'TRUNCATE');
    if (busy !== 0 || log !== checkpointed) throw new Error('another program is reading the log: it is tried again');
  } finally {
    db.exec(`PRAGMA busy_timeout = ${waits}`);
  }
}

function checkpoint(db: Database, mode: 'NOOP' | 'TRUNCATE'): CheckpointRow {
  const [row] = db.pragma(`wal_checkpoint(${mode})`) as CheckpointRow[];
  return row ?? { busy: 1, log: -1, checkpointed: -1 };
}
