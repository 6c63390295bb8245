/** The whole program: a handset hears itself, nobody is dialled, and a supervisor hears a call and ends it. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import t from 'tap';
import type { CallView } from '../../gateway/console/api/calls.js';
import type { AuditView, SiteView } from '../../gateway/console/api/site.js';
import { GatewayClient } from '../../scripts/cli/gateway-client.js';
import { callUp } from '../peers/call-up.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';
import { RtpProbe } from '../peers/rtp-probe.js';
import { handsetPeer } from '../peers/scenario.js';
import { makeSite } from '../peers/site.js';

const opts = needs('sip-tester');
/** On no list: it is not dialled. */
const ANY = '+442079461234';

t.test(
  'the next call of a handset under test hears itself and reaches no trunk; the one after is a call',
  opts,
  async (t) => {
    const site = makeSite(t, 9);
    const running = await GatewayProcess.start(t, site);
    const client = await GatewayClient.of(site);
    const probe = await RtpProbe.open(t);
    const common = { user: 'a101', dialled: ANY, port: running.port('cell'), rtpPort: probe.port };
    const testOf = async () => (await client.ask<SiteView>('GET', '/api/view')).handsets[0]?.audioTest;

    // The relay says what it counted when its sockets close, a moment after the BYE.
    const outcome = async () => {
      for (;;) {
        const test = await testOf();
        if (test?.state !== 'playing') return test;
      }
    };

    t.match(await client.ask('POST', '/api/handsets/a-101/audio-test'), { until: String });
    t.match(await testOf(), { state: 'waiting' });
    const near = await handsetPeer(t, { scenario: 'handset-waits', ...common });
    probe.talkTo(await near.audioPort());
    await probe.heard(10);
    await t.rejects(client.ask('POST', '/api/handsets/a-101/audio-test'), { status: 409, code: 'handset.busy' });
    const order = { target: { kind: 'handset', handset: 'a-101' }, reason: 'enough', holdS: 1 };
    await client.ask('POST', '/api/cutoffs', order);
    t.match(await near.exited, { code: 0 }, 'a cutoff ends it with BYE');
    t.match(await outcome(), { state: 'failed', why: 'cut' });
    await client.ask('POST', '/api/releases', { target: order.target });

    await client.ask('POST', '/api/handsets/a-101/audio-test');
    const again = await handsetPeer(t, { scenario: 'handset-hangs-up', ...common, talkMs: 200 });
    probe.talkTo(await again.audioPort());
    t.match(await again.exited, { code: 0 });
    const done = await outcome();
    t.match(done, { state: 'done' });
    t.ok((done?.packets ?? 0) > 0);

    const refused = await handsetPeer(t, { scenario: 'handset-refused', ...common, status: 403 });
    t.match(await refused.exited, { code: 0 }, 'policy judges again');
    const { events } = await client.ask<AuditView>('GET', '/api/audit?limit=50');
    const said = events.filter(({ type }) => type === 'balise.handset.audio-tested').map(({ data }) => data);
    t.match(said, [{ handset: 'a-101', outcome: 'heard' }, { outcome: 'cut' }]);
    t.equal(events.filter(({ data }) => data.what === 'audio-test').length, 2 + 1, 'each order, the refused one too');
    t.notMatch(JSON.stringify(events), ANY.slice(4));
    await running.end();
  },
);

t.test('a supervisor hears a call of a profile that says so, and ends it', opts, async (t) => {
  const { siteFolder, near, far, running, cellProbe, trunkProbe } = await callUp(t, { profile: { supervised: true } });
  const client = await GatewayClient.of(siteFolder);
  const url = `http://127.0.0.1:${running.port('console')}`;
  const password = 'seven grey herons';
  await client.ask('POST', '/api/people', { name: 'ear', role: 'supervisor', password });
  const logIn = await fetch(`${url}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'ear', password }),
  });
  const { csrf } = (await logIn.json()) as { csrf: string };
  const cookie = logIn.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const call = (await client.ask<SiteView>('GET', '/api/view')).handsets[0]?.call ?? '';

  const sound = await new Promise<IncomingMessage>((resolve, reject) => {
    request(`${url}/api/calls/${call}/listen`, { headers: { cookie }, agent: false }, resolve)
      .on('error', reject)
      .end();
  });
  t.equal(sound.headers['content-type'], 'audio/wav');
  const chunks: Buffer[] = [];
  // A tenth of a second of both sides, after the head of the file.
  while (Buffer.concat(chunks).length < 44 + 3_200) chunks.push(((await once(sound, 'data')) as [Buffer])[0]);
  t.equal(Buffer.concat(chunks).toString('latin1', 0, 4), 'RIFF');
  const live = await client.ask<CallView>('GET', `/api/calls/${call}`);
  t.same(live.listeners, ['ear']);
  t.match(live.quality, { handset: { packets: Number, lost: Number, jitterMs: Number }, trunk: { packets: Number } });
  t.ok((live.quality?.handsetPackets ?? 0) > 0 && (live.quality?.trunkPackets ?? 0) > 0);

  const over = once(sound.resume(), 'end');
  const cut = await fetch(`${url}/api/calls/${call}/cut`, {
    method: 'POST',
    headers: { cookie, 'x-csrf-token': csrf },
  });
  t.match(await cut.json(), { calls: 1 });
  await over;
  t.match(await Promise.all([near.exited, far.exited]), [{ code: 0 }, { code: 0 }]);
  for (const probe of [cellProbe, trunkProbe]) probe.stopTalking();
  const { events } = await client.ask<AuditView>('GET', '/api/audit?limit=50');
  const heard = events.filter(({ type }) => type.startsWith('balise.supervision.')).map(({ type }) => type);
  t.same(heard, ['balise.supervision.ended', 'balise.supervision.begun']);
  t.match((await client.ask<CallView>('GET', `/api/calls/${call}`)).cutBy, { by: 'supervisor ear' });
  await running.end();
});
