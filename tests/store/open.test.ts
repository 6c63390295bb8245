import { mkdirSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import t from 'tap';
import { aFolder, aStore } from './folder.js';
import { aGrant, aRequest, callNumber, ended, instant } from './samples.js';

const FILE = 'balise.sqlite';

t.test('a file that is no database is refused and left as it is', (t) => {
  const folder = aFolder(t);
  writeFileSync(join(folder, FILE), 'this was a database once\n'.repeat(400));
  t.throws(() => aStore(t, { folder }), { name: 'StoreFault', code: 'store.corrupt', message: /damaged.*keep them/ });
  t.match(readFileSync(join(folder, FILE), 'utf8'), /^this was a database once/);
  t.end();
});

t.test('a database with a damaged page is refused: a gateway that began afresh would forget open calls', (t) => {
  const folder = aFolder(t);
  const store = aStore(t, { folder });
  for (let n = 1; n < 100; n += 1) {
    const at = instant('2026-03-02T10:00:00Z');
    store.calls.open(aRequest(callNumber(n), at), aGrant(at));
  }
  store.close();
  const file = join(folder, FILE);
  const fd = openSync(file, 'r+');
  const size = statSync(file).size;
  for (let page = 2; page * 4096 < size; page += 3) writeSync(fd, Buffer.alloc(1024, 0xff), 0, 1024, page * 4096);
  t.throws(() => aStore(t, { folder }), { name: 'StoreFault', code: 'store.corrupt' });
  t.equal(statSync(file).size, size);
  t.end();
});

t.test('a database of a newer program is refused untouched', (t) => {
  const folder = aFolder(t);
  aStore(t, { folder }).close();
  const db = new Sqlite(join(folder, FILE));
  db.pragma('user_version = 999');
  db.close();
  t.throws(() => aStore(t, { folder }), { code: 'store.newer', message: /version 999/ });
  t.end();
});

t.test('a data folder of another gateway is refused', (t) => {
  const folder = aFolder(t);
  aStore(t, { folder }).close();
  t.throws(() => aStore(t, { folder, gatewayId: 'demo/gw-2' }), { code: 'store.foreign', message: /demo\/gw-1/ });
  t.end();
});

t.test('a folder that cannot be used says so', (t) => {
  const folder = aFolder(t);
  mkdirSync(join(folder, FILE));
  t.throws(() => aStore(t, { folder }), { name: 'StoreFault', code: 'store.unusable' });
  t.end();
});

t.test('a new data folder is open to its owner alone', (t) => {
  const folder = join(aFolder(t), 'data');
  const store = aStore(t, { folder });
  t.equal(statSync(folder).mode & 0o777, 0o700);
  store.calls.append([ended('x')]);
  t.equal(store.chainEnd().sequence, 1);
  t.end();
});
