/** The audit chain from a gateway's disk to headquarters and back: signed, countersigned, verified, and caught when changed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Ed25519PublicKey } from '../../config/schema/types.generated.js';
import { Checkpoints } from '../../gateway/uplink/checkpoints.js';
import { Countersigner } from '../../scripts/headquarters/countersigner.js';
import type { Ingester } from '../../scripts/headquarters/ingester.js';
import { newSigningKey } from '../../scripts/headquarters/sign-command.js';
import { balise } from '../cli/terminal.js';
import { aFolder, aStore } from '../store/folder.js';
import { callNumber, ended, StillClock } from '../store/samples.js';
import { aBroker, anUplink, draft, GATEWAY, needsMosquitto } from '../uplink/world.js';
import { enrolled, read } from './enrolled.js';
import { aDatabase, anIngester, clock, held, silent, until } from './world.js';

t.test(
  'a checkpoint is made once a day, by a clock that is believed, and signed with the key of that day',
  async (t) => {
    const { files } = await enrolled(t);
    const still = new StillClock();
    const store = aStore(t, { clock: still });
    const checkpoints = new Checkpoints({ config: files, gatewayId: GATEWAY, clock: still, store, log: silent });
    await checkpoints.look();
    t.equal(store.chainEnd().sequence, 0, 'an empty chain has none');
    store.calls.append([ended(callNumber(1))]);
    still.trusted = { trusted: false, why: 'test' };
    await checkpoints.look();
    t.equal(store.chainEnd().sequence, 1, 'nor has one by a doubtful clock');
    still.trusted = { trusted: true };
    await checkpoints.look();
    await checkpoints.look();
    t.equal(store.chainEnd().sequence, 2);
    still.add(86_400_000);
    await checkpoints.look();
    t.equal(store.chainEnd().sequence, 3);
    const missing = new Checkpoints({
      config: { key: '/nowhere' },
      gatewayId: GATEWAY,
      clock: still,
      store,
      log: silent,
    });
    still.add(86_400_000);
    await missing.look();
    t.equal(store.chainEnd().sequence, 3, 'a key that cannot be read is tried again later');
  },
);

t.test(
  'headquarters countersigns what it holds, and whoever has the export can verify both',
  needsMosquitto,
  async (t) => {
    const { files, authority } = await enrolled(t);
    const broker = await aBroker(t);
    const db = await aDatabase(t);
    const { privateJwk, publicJwk } = await newSigningKey('hq-1');
    const folder = aFolder(t);
    const countersigner = new Countersigner({
      db,
      clock,
      log: silent,
      key: privateJwk,
      authority: read(join(authority, 'ca.pem')),
      order: (gateway, order) => ingester.order(gateway, order),
    });
    t.teardown(() => countersigner.settled());
    const ingester: Ingester = await anIngester(t, {
      url: broker.url,
      db,
      key: privateJwk,
      onStored: (fresh) => countersigner.see(fresh),
    });
    const { store, uplink } = anUplink(t, {
      url: broker.url,
      keys: [publicJwk as unknown as Ed25519PublicKey],
      folder,
    });
    uplink.start();
    store.calls.append([draft(1), draft(2), draft(3)]);
    await until(async () => (await held(db, GATEWAY)).length === 3);
    const checkpoints = new Checkpoints({ config: files, gatewayId: GATEWAY, clock, store, log: silent });
    await checkpoints.look();
    await until(async () => (await held(db, GATEWAY)).length === 5);
    t.match(await db.all('SELECT sequence, verdict FROM checkpoint'), [{ sequence: 3, verdict: 'good' }]);

    const exported = join(folder, 'audit.ndjson');
    writeFileSync(exported, (await balise(['audit', 'export', folder])).stdout);
    const hqKey = join(folder, 'hq.pub.jwk');
    writeFileSync(hqKey, JSON.stringify(publicJwk));
    const keys = ['--authority', join(authority, 'ca.pem'), '--headquarters-key', hqKey];
    t.match(await balise(['audit', 'verify', exported, ...keys]), {
      status: 0,
      stdout:
        /chain is whole, events 1 to 5\n1 checkpoints signed by the gateway, by its certificate; 1 countersigned by headquarters\n/,
    });
    t.match(await balise(['audit', 'verify', folder, ...keys]), { status: 0 }, 'and so is the folder');

    const { privateJwk: otherKey } = await newSigningKey('hq-1');
    const { d: _, ...otherPublic } = otherKey;
    const wrongKey = join(folder, 'other.jwk');
    writeFileSync(wrongKey, JSON.stringify(otherPublic));
    t.match(await balise(['audit', 'verify', exported, '--headquarters-key', wrongKey]), {
      status: 1,
      stdout: /signature in event 5 is not good: headquarters did not sign it/,
    });
    const stranger = await enrolled(t);
    t.match(await balise(['audit', 'verify', exported, '--authority', join(stranger.authority, 'ca.pem')]), {
      status: 1,
      stdout: /event 4 is not good: its certificate was issued by another authority/,
    });
  },
);

t.test('a chain that was rewritten and hashed anew has checkpoints that vouch for another one', async (t) => {
  const { files } = await enrolled(t);
  const still = new StillClock();
  const folders = [aFolder(t), aFolder(t)] as const;
  const [real, forged] = folders.map((folder) => aStore(t, { clock: still, folder }));
  real?.calls.append([ended(callNumber(1)), ended(callNumber(2))]);
  forged?.calls.append([ended(callNumber(1)), ended(callNumber(3))]);
  if (real === undefined || forged === undefined) throw new Error('two stores were made');
  await new Checkpoints({ config: files, gatewayId: GATEWAY, clock: still, store: real, log: silent }).look();
  const signed = real.outbox.pending({ alarm: 0, event: 2 }, 1)[0];
  const { data } = JSON.parse(signed?.body ?? '{}') as { data: Record<string, unknown> };
  // Whoever rewrites the chain can carry the old checkpoint over, and cannot sign a new one.
  forged.calls.append([{ kind: 'event', type: 'balise.audit.checkpoint', data }]);
  t.match(await balise(['audit', 'verify', folders[0]]), { status: 0 });
  t.match(await balise(['audit', 'verify', folders[1]]), {
    status: 1,
    stdout: /chain is whole.*event 3 is not good: it vouches for another event 2/s,
  });
  t.ok(readFileSync(files.key).length > 0);
});
