import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { hashOf } from '../../gateway/store/chain.js';
import { aFolder, aStore } from '../store/folder.js';
import { StillClock } from '../store/samples.js';
import { balise } from './terminal.js';

const COUNT = 30;

/** A data folder with thirty events, its store still open, as beside a running gateway. */
function chainFolder(t: Test) {
  const folder = aFolder(t);
  const clock = new StillClock();
  const store = aStore(t, { folder, clock });
  for (let n = 1; n <= COUNT; n += 1)
    store.calls.append([{ kind: n % 7 === 0 ? 'alarm' : 'event', type: 'balise.test', data: { n } }]);
  return { folder, store, clock };
}

const lines = (text: string) => text.trimEnd().split('\n');

function written(t: Test, events: readonly string[]): string {
  const file = join(aFolder(t), 'audit.ndjson');
  writeFileSync(file, events.map((line) => `${line}\n`).join(''));
  return file;
}

t.test('the chain of a running gateway is verified whole, in its folder and as an export', async (t) => {
  const { folder } = chainFolder(t);
  t.match(await balise(['audit', 'verify', folder]), {
    status: 0,
    stdout: 'demo/gw-1: the chain is whole, events 1 to 30\n',
  });
  const exported = await balise(['audit', 'export', folder]);
  t.equal(lines(exported.stdout).length, COUNT);
  const { status, stdout } = await balise(['audit', 'verify', written(t, lines(exported.stdout)), '--json']);
  t.equal(status, 0);
  t.same(JSON.parse(stdout), { gateway: 'demo/gw-1', whole: true, from: 1, to: 30 });
});

t.test('an export of a range is verified, and says that the beginning is elsewhere', async (t) => {
  const { folder } = chainFolder(t);
  const { stdout } = await balise(['audit', 'export', folder, '--from', '10', '--to', '19']);
  t.equal(lines(stdout).length, 10);
  const verified = await balise(['audit', 'verify', written(t, lines(stdout))]);
  t.match(verified, { status: 0, stdout: /whole, events 10 to 19; earlier ones are not here/ });
});

t.test('a chain whose beginning was pruned is whole from there on', async (t) => {
  const { folder, store, clock } = chainFolder(t);
  store.outbox.acknowledge(Array.from({ length: 20 }, (_, index) => index + 1));
  clock.add(15 * 86_400_000);
  store.prune();
  t.match(await balise(['audit', 'verify', folder]), { status: 0, stdout: /events 21 to 30; earlier/ });
});

t.test('an event that was changed on the disk is named, also when it was hashed anew', async (t) => {
  for (const [rehash, event, word] of [
    [false, 12, /broken at event 12: its content/],
    [true, 13, /broken at event 13: it does not follow/],
  ] as const) {
    const { folder } = chainFolder(t);
    const db = new Sqlite(join(folder, 'balise.sqlite'));
    const body = JSON.parse(db.prepare('SELECT body FROM event WHERE sequence = 12').pluck().get() as string);
    body.data = { n: 12, number: 'another' };
    if (rehash) body.hash = hashOf(body);
    db.prepare('UPDATE event SET body = ? WHERE sequence = 12').run(JSON.stringify(body));
    db.close();
    t.match(await balise(['audit', 'verify', folder]), { status: 1, stdout: word }, `event ${event}`);
  }
});

t.test('whatever is changed, removed, doubled or put out of order in an export is found', async (t) => {
  const { folder } = chainFolder(t);
  const events = lines((await balise(['audit', 'export', folder])).stdout);
  const change = fc.record({
    how: fc.constantFrom('byte', 'removed', 'doubled', 'swapped', 'cut'),
    // The last event is left alone: that one is missing at the end shows in no chain, only in a checkpoint.
    at: fc.integer({ min: 1, max: COUNT - 2 }),
    byte: fc.integer({ min: 0, max: 10_000 }),
  });
  await fc.assert(
    fc.asyncProperty(change, async ({ how, at, byte }) => {
      const tampered = [...events];
      const line = tampered[at] ?? '';
      const place = byte % line.length;
      if (how === 'byte') {
        tampered[at] = `${line.slice(0, place)}${line[place] === '7' ? '8' : '7'}${line.slice(place + 1)}`;
      } else if (how === 'cut') tampered[at] = line.slice(0, place);
      else if (how === 'removed') tampered.splice(at, 1);
      else if (how === 'doubled') tampered.splice(at, 0, line);
      else tampered.splice(at, 2, tampered[at + 1] ?? '', line);
      const { status, stdout } = await balise(['audit', 'verify', written(t, tampered), '--json']);
      const report = JSON.parse(stdout);
      // An empty line is no event: cutting one to nothing removes it.
      return status === 1 && report.whole === false && Math.abs(report.sequence - (at + 1)) <= 1;
    }),
    { numRuns: 60 },
  );
});

t.test('a folder without a store, or a file without events, is an error that says so', async (t) => {
  const folder = aFolder(t);
  t.match(await balise(['audit', 'verify', folder]), { status: 78, stderr: /balise\.sqlite: there is no such file/ });
  t.match(await balise(['audit', 'verify', written(t, [])]), { status: 64, stderr: /holds no event/ });
  writeFileSync(join(folder, 'balise.sqlite'), 'this is no database, however long it may be made to look');
  t.match(await balise(['audit', 'verify', folder]), { status: 78, stderr: /cannot be read/ });
  t.match(await balise(['audit', 'verify']), { status: 64, stderr: /which site\? say --site/ });
  t.match(await balise(['audit', 'count', folder]), { status: 64, stderr: /verify or export/ });
  t.match(await balise(['audit', 'export', folder, '--from', 'x']), { status: 64, stderr: /--from must be/ });
});
