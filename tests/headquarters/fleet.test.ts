/** A small simulated fleet with faults, against a real mosquitto; and the demo, whole. */
import t from 'tap';
import type { Ed25519PublicKey } from '../../config/schema/types.generated.js';
import { startDemoFleet } from '../../scripts/headquarters/demo-fleet.js';
import { newSigningKey } from '../../scripts/headquarters/sign-command.js';
import { SimulatedFleet } from '../../scripts/simulate-fleet/fleet.js';
import { aBroker, needsMosquitto } from '../uplink/world.js';
import { aDatabase, anIngester, clock, until } from './world.js';

t.test(
  'forty gateways that drop their connections and lose events: headquarters ends with every one',
  needsMosquitto,
  async (t) => {
    const broker = await aBroker(t);
    const db = await aDatabase(t);
    const { privateJwk, publicJwk } = await newSigningKey('hq-1');
    await anIngester(t, { url: broker.url, db, key: privateJwk });
    const fleet = new SimulatedFleet({
      url: broker.url,
      gateways: 40,
      handsets: 20,
      callsAnHour: 120,
      talkS: 1,
      connectsAS: 400,
      commandKeys: [publicJwk as unknown as Ed25519PublicKey],
      statusS: 1,
      faults: { drop: 0.05, forget: 0.05, alarm: 0.1 },
      seed: 7,
      clock,
    });
    t.teardown(() => fleet.stop());
    await fleet.start();
    await until(() => fleet.counts.written > 400);
    fleet.rest();
    const { written } = fleet.counts;
    const count = async () => (await db.all<{ count: number }>('SELECT count(*) AS count FROM event'))[0]?.count;
    await until(async () => (await count()) === fleet.counts.written);
    t.pass(`${written} events of 40 gateways, each once`);
    const whole = 'SELECT gateway FROM gateway WHERE contiguous < highest';
    await until(async () => (await db.all(whole)).length === 0);
    t.same(await db.all("SELECT type FROM alarm WHERE type LIKE 'balise.headquarters.%'"), []);
  },
);

t.test('the demo shows four gateways to whoever logs in with the password that it says', async (t) => {
  const demo = await startDemoFleet(clock);
  t.teardown(() => demo.stop());
  const headers = { 'x-balise': 'fleet', 'content-type': 'application/json' };
  const body = JSON.stringify({ name: 'duty', password: demo.password });
  const login = await fetch(`${demo.url}api/session`, { method: 'POST', headers, body });
  const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
  const seen = async () => {
    const answer = await fetch(`${demo.url}api/fleet`, { headers: { cookie } });
    return ((await answer.json()) as { sites: { gateways: { isOnline: boolean; handsets: unknown[] }[] }[] }).sites;
  };
  await until(async () => {
    const gateways = (await seen()).flatMap((site) => site.gateways);
    return gateways.length === 4 && gateways.every(({ isOnline, handsets }) => isOnline && handsets.length === 12);
  });
  t.pass('with twelve handsets each');
});
