/** The whole program on Debian's rtpengine: a call with speech, its deadline, a spoken refusal, and what a life before left there. */
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { programData } from '../../gateway/config/paths.js';
import { LAWS } from '../../gateway/media/relay/g711.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { RtpParty } from '../media/rtp-party.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';
import { RtpProbe } from '../peers/rtp-probe.js';
import { rtpengineMedia } from '../peers/rtpengine-site.js';
import { carrierPeer, handsetPeer } from '../peers/scenario.js';
import { makeSite, profile } from '../peers/site.js';

const opts = needs('sip-tester', 'rtpengine-daemon');
const ALLOWED = '+442079460001';
const BLOCKED = '+442079460002';

async function siteOn(t: Test, more: Record<string, unknown>) {
  const { daemon, media } = await rtpengineMedia(t);
  const trunkPort = await freePort();
  const profiles = [profile({ digitsInSpeech: 'pass', block: [BLOCKED], warningsS: [], ...more })];
  const folder = makeSite(t, trunkPort, { site: { media }, profiles });
  const start = () => GatewayProcess.start(t, folder);
  const call = async (running: GatewayProcess) => {
    const [cellProbe, trunkProbe] = [await RtpProbe.open(t), await RtpProbe.open(t)];
    const far = await carrierPeer(t, 'carrier-answers', trunkPort, trunkProbe.port);
    const peer = { scenario: 'handset-waits', user: 'a101', dialled: ALLOWED };
    const near = await handsetPeer(t, { ...peer, port: running.port('cell'), rtpPort: cellProbe.port });
    cellProbe.talkTo(await near.audioPort());
    trunkProbe.talkTo(await far.audioPort());
    await Promise.all([cellProbe.heard(5), trunkProbe.heard(5)]);
    return { near, far, cellProbe, trunkProbe };
  };
  return { daemon, start, call };
}

t.test('a site on rtpengine', opts, async (t) => {
  const { daemon, start, call } = await siteOn(t, { maxTalkS: 1, prompts: true });
  const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n';
  for (const name of ['test.gw-1/left-behind', 'test.gw-2/other']) await daemon.ask('offer', name, sdp);
  const running = await start();

  await t.test('what a life before left there is deleted before the first call, and nobody else’s is', async (t) => {
    t.match(await running.logged((line) => line.event === 'media.purged'), { sessions: 1 });
    const listed = await daemon.ng.ask('list');
    t.match(listed, { result: 'ok', fields: { calls: ['test.gw-2/other'] } });
  });

  await t.test('a refused caller hears why, before the status', async (t) => {
    const ear = await RtpParty.at('127.0.0.1', 1);
    t.teardown(() => ear.close());
    const peer = { scenario: 'handset-refused', user: 'a101', dialled: BLOCKED, status: 403 };
    const near = await handsetPeer(t, { ...peer, port: running.port('cell'), rtpPort: ear.port });
    t.match(await near.exited, { code: 0 });
    const kinds = near.messages.filter(({ direction }) => direction === 'received').map(({ kind }) => kind);
    t.ok(kinds.indexOf('183') >= 0 && kinds.indexOf('183') < kinds.indexOf('403'), String(kinds));
    const clip = readFileSync(programData('prompts', 'en', 'refused.blocked.alaw'));
    const loudness = (levels: number[]): number => levels.reduce((sum, level) => sum + level * level, 0);
    const said = Array.from(clip, (byte) => LAWS.pcma.decode[byte] ?? 0);
    const heard = ear.received.flatMap((packet) =>
      Array.from(packet.subarray(12), (byte) => LAWS.pcmu.decode[byte] ?? 0),
    );
    t.ok(heard.length > said.length - 160, 'to the last whole packet');
    const share = loudness(heard) / loudness(said);
    t.ok(share > 0.9 && share < 1.1, `${(share * 100).toFixed(0)} % of the sentence's energy was heard`);
  });

  await t.test('a call carries speech both ways and is cut at its deadline', async (t) => {
    const { near, far, cellProbe, trunkProbe } = await call(running);
    t.match(await near.exited, { code: 0 }, 'the handset was told');
    t.match(await far.exited, { code: 0 }, 'and the trunk');
    const ended = await running.logged((line) => line.event === 'call.ended' && line.cause === 'deadline');
    t.ok(Number(ended.cutoffErrorMs) < 250, `silent ${ended.cutoffErrorMs} ms after the deadline`);
    const heard = [cellProbe.heardNs.length, trunkProbe.heardNs.length];
    await Promise.all([cellProbe.said(10), trunkProbe.said(10)]);
    t.same([cellProbe.heardNs.length, trunkProbe.heardNs.length], heard, 'the probes talk on, and nobody hears them');
  });
});

t.test('a site whose daemon is away starts, refuses calls, and reaches it when it is there', opts, async (t) => {
  const { daemon, start } = await siteOn(t, {});
  process.kill(daemon.pid, 'SIGSTOP');
  t.teardown(() => process.kill(daemon.pid, 'SIGCONT'));
  const running = await start();
  t.match(await running.logged((line) => line.event === 'alarm'), { code: 'media.rtpengine-away' });
  const ear = await RtpProbe.open(t);
  const peer = { scenario: 'handset-refused', user: 'a101', dialled: ALLOWED, status: 503 };
  const near = await handsetPeer(t, { ...peer, port: running.port('cell'), rtpPort: ear.port });
  t.match(await near.exited, { code: 0 });
  process.kill(daemon.pid, 'SIGCONT');
  await running.logged((line) => line.event === 'media.purged');
});
