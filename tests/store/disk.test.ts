import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import t from 'tap';
import { Disk } from '../../gateway/store/disk.js';
import { aFolder } from './folder.js';

/** SQLite's own numbers (PRAGMA synchronous). */
const NORMAL = 1;
const FULL = 2;

t.test('every transaction is as durable as it was asked for, the very first one too', (t) => {
  const db = new Sqlite(join(aFolder(t), 'test.sqlite'));
  t.teardown(() => db.close());
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = NORMAL');
  const disk = new Disk(db);
  const inForce = () => db.pragma('synchronous', { simple: true });
  for (const durability of ['disk', 'kernel', 'disk', 'disk', 'kernel', 'kernel', 'disk'] as const)
    t.equal(disk.transact(durability, inForce), durability === 'disk' ? FULL : NORMAL, durability);
  t.end();
});

t.test('a transaction inside another is as durable as the outer one', (t) => {
  const db = new Sqlite(join(aFolder(t), 'test.sqlite'));
  t.teardown(() => db.close());
  const disk = new Disk(db);
  const inForce = () => db.pragma('synchronous', { simple: true });
  t.equal(
    disk.transact('disk', () => disk.transact('kernel', inForce)),
    FULL,
  );
  t.end();
});
