/**
 * A broker cluster of two real RabbitMQ nodes, one killed in traffic. Its MQTT is 3.1.1, without shared subscriptions, and wants a
 * majority: with one node gone nobody can connect, and everybody waits. Three starts of Erlang and the back-off of all take
 * one to three minutes, so it runs when it is asked for: `BALISE_CLUSTER=1 npx tap run --timeout=240 dist/tests/headquarters/cluster.test.js`.
 */
import t from 'tap';
import type { Ed25519PublicKey } from '../../config/schema/types.generated.js';
import { newSigningKey } from '../../scripts/headquarters/sign-command.js';
import { needs } from '../peers/needs.js';
import { anUplink, draft, GATEWAY } from '../uplink/world.js';
import { loadBalancer, RabbitCluster } from './rabbitmq.js';
import { aDatabase, anIngester, held, until, upTo } from './world.js';

const when =
  process.env.BALISE_CLUSTER === '1' ? needs('rabbitmq-server') : { skip: 'takes minutes: BALISE_CLUSTER=1 runs it' };

t.test(
  'a node of a two-node cluster is killed in traffic and comes back: nothing is lost, nothing is there twice',
  { ...when, timeout: 230_000 },
  async (t) => {
    const cluster = await RabbitCluster.start(t);
    const url = await loadBalancer(t, cluster.mqttPorts);
    const db = await aDatabase(t);
    const { privateJwk, publicJwk } = await newSigningKey('hq-1');
    await anIngester(t, { url, db, key: privateJwk, group: 'headquarters' });
    const { store, uplink } = anUplink(t, { url, keys: [publicJwk as unknown as Ed25519PublicKey], statusS: 1 });
    uplink.start();
    let written = 0;
    const write = (count: number) => {
      store.calls.append(Array.from({ length: count }, (_, n) => draft(n, n % 10 === 7 ? 'alarm' : 'event')));
      written += count;
    };
    write(2_000);
    await until(async () => (await held(db, GATEWAY)).length > 150);
    await cluster.kill(0);
    write(500);
    await cluster.startNode(0);
    write(100);
    await until(async () => (await held(db, GATEWAY)).length >= written);
    t.same(await held(db, GATEWAY), upTo(written));
    const whole = async () => (await db.all<{ contiguous: number }>('SELECT contiguous FROM gateway'))[0]?.contiguous;
    await until(async () => (await whole()) === written);
    t.same(await db.all("SELECT type FROM alarm WHERE type LIKE 'balise.headquarters.%'"), []);
  },
);
