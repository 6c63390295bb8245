/** Contacts on loan over a real broker that is killed, with a headquarters and gateways that are restarted. */
import type { MqttClient } from 'mqtt';
import t, { type Test } from 'tap';
import type { Ed25519PublicKey } from '../../config/schema/types.generated.js';
import { Uplink } from '../../gateway/uplink/uplink.js';
import { ContactLender } from '../../scripts/headquarters/contact-lender.js';
import type { Ingester } from '../../scripts/headquarters/ingester.js';
import type { Database } from '../../scripts/headquarters/records/database.js';
import { workResults } from '../../scripts/headquarters/records/work-results.js';
import type { SigningKey } from '../../scripts/headquarters/sign-command.js';
import { needs } from '../peers/needs.js';
import { Postgres } from '../peers/postgres.js';
import { StillClock, silent } from '../store/samples.js';
import type { Mosquitto } from '../uplink/mosquitto.js';
import { aBroker, needsMosquitto } from '../uplink/world.js';
import {
  contacts,
  HOUR,
  LoanGateway,
  LoanWorld,
  lentCampaign,
  NOON,
  POOL_SEAL,
  signing,
  TOKEN_KEY,
} from '../work/loan-world.js';
import { aClient, aDatabase, anIngester, clock, until } from './world.js';

interface Site {
  readonly gateway: LoanGateway;
  uplink: Uplink;
}

function anUplink(gateway: LoanGateway, url: string, commandKeys: Ed25519PublicKey[]): Uplink {
  const { store } = gateway;
  const uplink = new Uplink({
    // What a killed broker has confirmed and forgotten shows by the status, and is asked for by an order.
    config: { url, commandKeys, tokenKey: TOKEN_KEY, statusS: 1 },
    ...{ gatewayId: gateway.id, version: '0.1.0', bootId: 'boot-1', clock, store: store.outbox, log: silent },
    status: () => ({ clock: { trusted: true }, disk: store.roomLeft() }),
    onCommand: async () => ({ outcome: 'failed', why: 'not-here' }),
    onBatch: (payload) => gateway.keeper.take(payload),
    random: () => 0,
  });
  store.onAppended(() => uplink.wake());
  uplink.start();
  return uplink;
}

async function headquarters(t: Test, url: string, db: Database, key: SigningKey, still: StillClock, clientId: string) {
  const ingester: Ingester = await anIngester(t, { url, db, key, clientId });
  const lender = new ContactLender({
    ...{ db, clock: still, log: silent, key, seal: POOL_SEAL, tokenKeys: { '*': TOKEN_KEY }, loanMs: 4 * HOUR },
    send: (gateway, jws) => ingester.sendBatch(gateway, jws),
  });
  return { ingester, lender };
}

/** Everything that goes through the broker. */
async function listening(t: Test, { url }: Mosquitto) {
  const heard: { readonly topic: string; readonly text: string }[] = [];
  const client: MqttClient = await aClient(t, url);
  client.on('message', (topic, payload) => heard.push({ topic, text: payload.toString('utf8') }));
  await client.subscribeAsync('balise/v1/#', { qos: 1 });
  return { heard, client };
}

function disjoint(t: Test, sites: readonly Site[]): void {
  const all = sites.map(({ gateway }) => new Set(gateway.holds().map(({ number: callee }) => callee)));
  const [one = new Set(), two = new Set()] = all;
  t.same(
    [...one].filter((callee) => two.has(callee)),
    [],
    'no callee is with both',
  );
}

t.test(
  'two gateways, one headquarters, a broker that is killed: no contact at both, outcomes kept, the rest free again',
  { ...needsMosquitto, timeout: 90_000 },
  async (t) => {
    const broker = await aBroker(t);
    const db = await aDatabase(t);
    const { key, keys } = await signing();
    const still = new StillClock();
    still.set(NOON);
    let { ingester, lender } = await headquarters(t, broker.url, db, key, still, 'hq-1');
    const campaigns = ['survey', 'sales'].map(lentCampaign);
    for (const [index, campaign] of campaigns.entries()) {
      await lender.leases.putCampaign(campaign);
      await lender.leases.add(
        campaign.id,
        contacts(12, (n) => (index === 0 ? n % 10 : 9 - (n % 10))),
      );
    }
    const { heard, client } = await listening(t, broker);
    const sites: Site[] = ['demo/gw-1', 'demo/gw-2'].map((id) => {
      const gateway = new LoanGateway(id, still, keys, campaigns);
      return { gateway, uplink: anUplink(gateway, broker.url, keys) };
    });
    t.teardown(async () => {
      for (const { uplink, gateway } of sites) {
        await uplink.stop();
        gateway.close();
      }
    });
    const [one, two] = sites as [Site, Site];
    /** Lends and sends, again and again, as time goes by. */
    const lending = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
      await until(async () => {
        still.add(1_000);
        await lender.look();
        return isSo();
      });
    };
    const supplied = ({ gateway }: Site) => campaigns.every(({ id }) => gateway.store.work.lentContacts(id) === 3);
    for (const { gateway } of sites) gateway.keeper.look();
    await lending(() => sites.every(supplied));
    disjoint(t, sites);

    await broker.stop('SIGKILL');
    for (const how of ['refused', 'do-not-call', 'no-answer'] as const)
      one.gateway.settle(one.gateway.call(0) ?? 0, how);
    two.gateway.settle(two.gateway.call(0) ?? 0, 'completed');
    still.add(700_000);
    for (const { gateway } of sites) gateway.keeper.look();
    await broker.restart();
    const overCount = async () =>
      (await db.all("SELECT token FROM work_pool WHERE state = 'over' AND outcome <> 'unusable'")).length;
    await lending(async () => (await overCount()) === 3);
    disjoint(t, sites);

    await ingester.stop();
    await two.uplink.stop();
    const held = two.gateway.call(1);
    t.ok(held, 'it dies in a call');
    two.gateway.restart();
    two.uplink = anUplink(two.gateway, broker.url, keys);
    ({ ingester, lender } = await headquarters(t, broker.url, db, key, still, 'hq-2'));
    await lending(async () => (await overCount()) === 4);

    await until(() => client.connected);
    const before = sites.map(({ gateway }) => gateway.holds().length);
    const batches = heard.filter(({ topic }) => topic.endsWith('/down/batch'));
    t.ok(batches.length >= 4);
    for (const { text } of batches)
      for (const { gateway } of sites)
        await client.publishAsync(`balise/v1/${gateway.id}/down/batch`, text, { qos: 1 });
    const acks = () => heard.filter(({ topic, text }) => topic.includes('/ack/') && text.includes('replayed')).length;
    await until(() => acks() >= batches.length);
    t.same(
      sites.map(({ gateway }) => gateway.holds().length),
      before,
      'what is sent once more changes nothing',
    );
    disjoint(t, sites);

    still.add(9 * HOUR);
    for (const { gateway } of sites) {
      gateway.isWorking = false;
      gateway.keeper.look();
    }
    await lending(async () => (await db.all("SELECT token FROM work_pool WHERE state = 'lent'")).length === 0);
    t.same(
      sites.map(({ gateway }) => gateway.holds()),
      [[], []],
    );
    t.equal((await db.all("SELECT token FROM work_pool WHERE state = 'free'")).length, 20, 'all but four');
    for (const { topic, text } of heard) {
      const parts = text.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'));
      const all = [text, ...parts].join(' ');
      if (/79460\d{3}/.test(all)) t.fail(`a number is on ${topic}`);
    }
  },
);

t.test(
  'with PostgreSQL contacts are lent, called, refused and free again all the same',
  needs('postgresql'),
  async (t) => {
    const { url } = await Postgres.start(t);
    const made = await LoanWorld.make(await signing(), 2, 8, url);
    t.teardown(() => made.close());
    const [one, two] = made.gateways as [LoanGateway, LoanGateway];
    for (const gateway of made.gateways) gateway.keeper.look();
    await made.settle();
    made.check();
    t.ok(one.holds().length > 0 && two.holds().length > 0);
    one.settle(one.call(0) ?? 0, 'refused');
    two.settle(two.call(0) ?? 0, 'do-not-call');
    made.clock.add(5 * HOUR);
    for (const gateway of made.gateways) {
      gateway.isWorking = false;
      gateway.keeper.look();
    }
    await made.settle();
    const pool = await made.pool();
    t.same(pool.flatMap(({ state, outcome }) => (state === 'over' ? [outcome] : [])).sort(), [
      'do-not-call',
      'refused',
    ]);
    t.equal(pool.filter(({ state }) => state === 'free').length, 14);
    t.same(await made.lender.leases.overdue(made.clock.wall().epochMilliseconds), []);
    t.equal(
      (await made.lender.leases.counts()).reduce((sum, { contacts: count }) => sum + Number(count), 0),
      16,
    );
    const { outcomes } = await workResults(made.db, 0, 'UTC');
    t.same(outcomes.map(({ outcome, calls }) => [outcome, calls]).sort(), [
      ['do-not-call', 1],
      ['refused', 1],
    ]);
  },
);
