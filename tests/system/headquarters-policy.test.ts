/** Signed policy over the uplink: from headquarters' command line through a real mosquitto to a call that is up. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import t, { type Test } from 'tap';
import { signBundle } from '../../gateway/policy-bundle/bundle.js';
import { newSigningKey } from '../../scripts/headquarters/sign-command.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { balise } from '../cli/terminal.js';
import { callUp } from '../peers/call-up.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { GATEWAY, Headquarters } from '../peers/headquarters.js';
import { needs } from '../peers/needs.js';
import { handset, makeSite, profile } from '../peers/site.js';

const opts = needs('sip-tester', 'mosquitto');

type Change = (payload: Record<string, unknown>) => void;

/** Headquarters with two keys for policy, and its command line. */
async function policyDesk(t: Test) {
  const headquarters = await Headquarters.start(t);
  const keys = await Promise.all(['one', 'two'].map((kid) => newSigningKey(kid)));
  const folder = t.testdir({});
  const config = join(folder, 'headquarters.json');
  const listen = { address: '127.0.0.1', port: 0 };
  writeFileSync(config, JSON.stringify({ url: headquarters.broker.url, database: 'sqlite::memory:', listen }));
  const bundle = async (version: number, signers: number, more: object, change: Change = () => undefined) => {
    const content = { profiles: [profile({ hookRequired: true, ...more })], lists: {} };
    const payload = { site: 'test', version, validFrom: '2026-01-01T00:00:00Z', validOfflineH: 24, content };
    change(payload);
    let text = '';
    for (const { privateJwk } of keys.slice(0, signers)) {
      text = await signBundle(Buffer.from(JSON.stringify(payload)), privateJwk, text);
    }
    return text;
  };
  const send = (text: string) => {
    const file = join(folder, 'policy.jws');
    writeFileSync(file, text);
    return balise(['headquarters', 'policy', file, '--gateway', GATEWAY, '--config', config]);
  };
  const parts = {
    uplink: headquarters.uplink,
    site: { policy: { keys: keys.map(({ publicJwk }) => publicJwk) } },
  };
  return { headquarters, bundle, send, parts };
}

t.test('a bundle from headquarters allows calls; a narrower one, sent in a call, ends it', opts, async (t) => {
  const { headquarters, bundle, send, parts } = await policyDesk(t);
  // Sent before the gateway has ever been on line: the broker keeps it.
  const client = await connectAsync(headquarters.broker.url);
  await client.publishAsync(`balise/v1/${GATEWAY}/down/policy`, await bundle(1, 2, {}), { qos: 1, retain: true });
  await client.endAsync();
  const call = await callUp(t, { parts, beforeCall: () => headquarters.event('balise.policy.applied') });
  t.match((await headquarters.event('balise.policy.applied')).data, {
    version: 1,
    signedBy: ['one', 'two'],
    by: 'uplink',
  });
  await headquarters.state('status', ({ policy }) => (policy as { version?: string } | undefined)?.version === '1');

  t.match(await send(await bundle(2, 1, { maxTalkS: 1_700 })), { status: 0, stdout: /version 2 done/ });
  const { length } = call.trunkProbe.heardNs;
  await call.trunkProbe.heard(length + 10);
  t.pass('a bundle that lets the call be leaves it up');

  t.match(await send(await bundle(3, 1, { maxTalkS: 1_700, block: ['+4420794600*'] })), {
    status: 0,
    stdout: /version 3 done/,
  });
  t.match(await call.near.exited, { code: 0 }, 'the handset hears BYE');
  t.match(await call.far.exited, { code: 0 }, 'and so does the far end');
  t.match((await headquarters.event('balise.call.ended')).data, { cause: 'deadline' });
  t.same(headquarters.faults, []);
});

t.test('what is no good bundle changes nothing, is answered with the reason, and is alarmed', opts, async (t) => {
  const { headquarters, bundle, send, parts } = await policyDesk(t);
  const site = makeSite(t, await freePort(), {
    profiles: [profile({ hookRequired: false })],
    handsets: [handset('a-101')],
    ...parts,
  });
  await GatewayProcess.start(t, site);
  await headquarters.state('presence', ({ state }) => state === 'online');
  const first = await bundle(5, 2, {});
  t.match(await send(first), { status: 0 });
  const [head = '', payload = '', signature = ''] = (await bundle(6, 1, {})).trim().split('.');
  const wider = Buffer.from(payload, 'base64url').toString().replace('"ringS":30', '"ringS":90');
  const stranger = await newSigningKey('one');
  const forged = await signBundle(Buffer.from(payload, 'base64url'), stranger.privateJwk);
  const cases: readonly (readonly [what: string, text: string, code: string])[] = [
    ['tampered', `${head}.${Buffer.from(wider).toString('base64url')}.${signature}\n`, 'unsigned'],
    ['of a key that only has the name', forged, 'unsigned'],
    ['older', await bundle(4, 2, {}), 'replayed'],
    ['expired', await bundle(6, 2, {}, (p) => Object.assign(p, { validUntil: '2026-01-02T00:00:00Z' })), 'expired'],
    ['wider, with one signature', await bundle(6, 1, { ringS: 90 }), 'needs-two-signatures'],
  ];
  for (const [what, text, code] of cases) {
    t.match(await send(text), { status: 1, stdout: new RegExp(`refused \\(${code}\\)`) }, what);
    await headquarters.event(`balise.alarm.policy.${code}`);
  }
  t.match(await send(await bundle(6, 2, {}, (p) => Object.assign(p, { site: 'elsewhere' }))), { status: 64 });
  const client = await connectAsync(headquarters.broker.url);
  const foreign = await bundle(6, 2, {}, (p) => Object.assign(p, { site: 'elsewhere' }));
  await client.publishAsync(`balise/v1/${GATEWAY}/down/policy`, foreign, { qos: 1, retain: true });
  await client.endAsync();
  await headquarters.event('balise.alarm.policy.foreign');
  t.match(await send(first), { status: 0, stdout: /version 5 done/ }, 'the one of before is in force all the while');
  t.equal(headquarters.events.filter(({ type }) => type === 'balise.policy.applied').length, 1);
  t.same(headquarters.faults, []);
});
