/** A refused caller hears why, in its language, before its telephone hears the status; on the whole program. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { programData } from '../../gateway/config/paths.js';
import { LAWS } from '../../gateway/media/relay/g711.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { needs } from '../peers/needs.js';
import { handsetPeer } from '../peers/scenario.js';
import { handset, makeSite, profile } from '../peers/site.js';

const opts = needs('sip-tester');
const BLOCKED = '+442079460001';
const HEADER = 12;

/** The ear of a handset: every sample that came to it, in the order of arrival. */
async function ear(t: Test) {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  const samples: number[] = [];
  let firstMs = 0;
  socket.on('message', (packet) => {
    firstMs ||= Date.now();
    for (const byte of packet.subarray(HEADER)) samples.push(LAWS.pcmu.decode[byte] ?? 0);
  });
  return { port: socket.address().port, samples, firstMs: () => firstMs };
}

const energy = (samples: readonly number[]): number => samples.reduce((sum, sample) => sum + sample * sample, 0);

/** How much of a clip is found in a sound, where it fits best, 0 to 1. */
function found(clip: readonly number[], sound: readonly number[]): number {
  let best = 0;
  for (let at = 0; at <= sound.length - clip.length && at < 8_000; at += 1) {
    let product = 0;
    for (let i = 0; i < clip.length; i += 5) product += (clip[i] ?? 0) * (sound[at + i] ?? 0);
    best = Math.max(best, product);
  }
  return (best * 5) / energy(clip);
}

t.test('a blocked number: 183 with our SDP, the sentence in the handset’s language, then 403', opts, async (t) => {
  const parts = {
    profiles: [profile({ block: [BLOCKED], prompts: true })],
    handsets: [handset('a-101', { language: 'tr' })],
  };
  const running = await GatewayProcess.start(t, makeSite(t, await freePort(), parts));
  const { port, samples, firstMs } = await ear(t);
  const near = await handsetPeer(t, {
    scenario: 'handset-refused',
    user: 'a101',
    dialled: BLOCKED,
    port: running.port('cell'),
    rtpPort: port,
    status: 403,
  });
  const { code, output } = await near.exited;
  t.equal(code, 0, `the handset hears 403 ${code === 0 ? '' : output}`);

  const heard = near.messages.filter(({ direction }) => direction === 'received');
  const early = heard.find(({ kind }) => kind === '183');
  const final = heard.find(({ kind }) => kind === '403');
  t.match(early?.text, /m=audio \d+ RTP\/AVP 0\r?\n(.*\r?\n)*a=sendonly/, 'we speak, and do not listen');
  t.notMatch(early?.text, /telephone-event/);
  const clip = Array.from(
    readFileSync(programData('prompts', 'tr', 'refused.blocked.alaw')),
    (byte) => LAWS.pcma.decode[byte] ?? 0,
  );
  t.ok(found(clip, samples) > 0.9, 'the sentence was heard to its end');
  t.ok((final?.atMs ?? 0) - firstMs() >= clip.length / 8, 'and the status came after it');
  t.match(await running.logged((line) => line.event === 'call.ended'), { cause: 'refused', rule: 'number.blocked' });
});

t.test('a profile without prompts: the status at once', opts, async (t) => {
  const parts = { profiles: [profile({ block: [BLOCKED], prompts: false })] };
  const running = await GatewayProcess.start(t, makeSite(t, await freePort(), parts));
  const { port, samples } = await ear(t);
  const near = await handsetPeer(t, {
    scenario: 'handset-refused',
    user: 'a101',
    dialled: BLOCKED,
    port: running.port('cell'),
    rtpPort: port,
    status: 403,
  });
  t.equal((await near.exited).code, 0);
  t.notOk(near.messages.some(({ kind }) => kind === '183'));
  t.equal(samples.length, 0);
});
