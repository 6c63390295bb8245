/** The disk is full: by our own limit, by the file system's last block, and how it recovers. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { aStore } from './folder.js';
import {
  aDeadline,
  aDialog,
  aGrant,
  aRecord,
  aRequest,
  callNumber,
  ended,
  ignore,
  instant,
  StillClock,
} from './samples.js';

const AT = instant('2026-03-02T10:00:00Z');
const KIB = 1024;

t.test(
  'near its limit the store has no room for calls, takes the records of those that are up, and recovers by itself',
  (t) => {
    const clock = new StillClock();
    const store = aStore(t, { clock, limitBytes: 600 * KIB });
    const up = callNumber(1);
    store.calls.open(aRequest(up, AT), aGrant(AT));
    let n = 1;
    while (store.calls.hasRoom()) {
      n += 1;
      store.calls.append([ended(callNumber(n))]);
      clock.add(10);
    }
    t.equal(store.roomLeft().hasRoom, false, `${n} events fill it`);
    const before = store.chainEnd().sequence;
    store.calls.commitDeadline(up, AT, aDeadline(AT.add({ minutes: 30 })), [aDialog('handset', up)], ignore);
    store.calls.record(aRecord(up, AT), [ended(up)]);
    t.equal(store.chainEnd().sequence, before + 1, 'the call that was up is recorded');
    t.equal(store.prune(), 0, 'what headquarters has not confirmed is never dropped');
    t.equal(store.calls.hasRoom(), false);
    // Headquarters is back: what it has confirmed may go, however young it is.
    const pending = store.outbox.pending({ alarm: 0, event: 0 }, 100_000).map(({ sequence }) => sequence);
    store.outbox.acknowledge(pending);
    store.prune();
    clock.add(2_000);
    t.equal(store.calls.hasRoom(), true, 'there is room again');
    t.match(store.verifyChain(), { whole: true, to: before + 1 });
    t.end();
  },
);

/** A file system of its own, of this size, or undefined where it cannot be mounted. */
function smallDisk(t: Pick<Test, 'teardown'>, megabytes: number): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'balise-full-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], { stdio: 'ignore' });
  t.teardown(() => {
    if (mounted.status === 0) spawnSync('umount', ['-l', folder]);
    rmdirSync(folder);
  });
  return mounted.status === 0 ? folder : undefined;
}

/** Fills the file system to its last block; returns what takes the ballast away. */
function fill(folder: string): () => void {
  const file = join(folder, 'ballast');
  const at = openSync(file, 'w');
  for (const size of [1024 * KIB, 4 * KIB, 1]) {
    const block = Buffer.alloc(size);
    try {
      for (;;) if (writeSync(at, block) < size) break;
    } catch (fault) {
      if ((fault as NodeJS.ErrnoException).code !== 'ENOSPC') throw fault;
    }
  }
  closeSync(at);
  return () => unlinkSync(file);
}

t.test(
  'on a full disk each write says so, nothing of it stays, nothing before it is lost, and it recovers by itself',
  (t) => {
    const folder = smallDisk(t, 64);
    if (folder === undefined) {
      t.comment('not shown here: a small file system can be mounted by root alone');
      t.end();
      return;
    }
    const clock = new StillClock();
    const store = aStore(t, { folder: join(folder, 'data'), clock });
    const up = callNumber(100_000);
    store.calls.open(aRequest(up, AT), aGrant(AT));
    store.calls.append([ended(callNumber(1))]);
    t.equal(store.calls.hasRoom(), true);
    const empty = fill(folder);
    clock.add(1_100);
    t.equal(store.calls.hasRoom(), false, 'no call is allowed: store.full');
    // The one above, and the alarm that so small a disk is short of room.
    let written = store.chainEnd().sequence;
    t.equal(written, 2);
    t.throws(
      () => {
        for (;;) {
          store.calls.append([ended(callNumber(written + 1))]);
          written += 1;
        }
      },
      { code: /SQLITE_(FULL|IOERR.*)/ },
      'the kernel says ENOSPC',
    );
    t.match(
      store.verifyChain(),
      { whole: true, from: 1, to: written },
      'what was written is there, the failed write is not',
    );
    t.throws(() => store.calls.record(aRecord(up, AT), [ended(up)]), 'a record that cannot be written says so');
    t.equal(store.calls.openCalls().length, 1, 'and its call is still open, to be recorded later');
    t.throws(() => store.calls.open(aRequest(callNumber(9_000), AT), aGrant(AT)));
    empty();
    clock.add(1_100);
    t.equal(store.calls.hasRoom(), true, 'there is room again by itself');
    store.calls.record(aRecord(up, AT), [ended(up)]);
    t.equal(store.calls.openCalls().length, 0);
    t.match(store.verifyChain(), { whole: true, from: 1, to: written + 1 }, 'the numbers go on without a gap');
    store.close();
    const again = aStore(t, { folder: join(folder, 'data'), clock });
    t.match(again.verifyChain(), { whole: true, to: written + 1 }, 'and so it is after a restart');
    again.close();
    t.end();
  },
);
