/** Listening and recording on the real relay: who may, what is on record of it, and that nobody else can. */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { CompactSign } from 'jose';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { Temporal } from 'temporal-polyfill';
import type { CallEvent, CallSink, EventDraft } from '../../gateway/calls/ports.js';
import type { SiteFiles } from '../../gateway/config/site.js';
import { RelayPlane } from '../../gateway/media/relay-plane.js';
import { type ListeningRequest, Supervision } from '../../gateway/media/supervision.js';
import { callId, type E164, handsetId } from '../../gateway/policy/ids.js';
import { SiteRecording } from '../../gateway/site-recording.js';
import { needs } from '../peers/needs.js';
import { callBetween, clock, linkTo, startRelay } from './relay-process.js';
import { RtpParty } from './rtp-party.js';

const CALL = callId('call-1');
const NOWHERE = { address: '127.0.0.1', handsetPort: 9, trunkPort: 9 };

t.test(
  'a supervisor hears both sides of a call whose campaign states it, and both ends of it are on record',
  async (t) => {
    const { socket } = await startRelay(t);
    const { link } = await linkTo(t, socket);
    const call = await callBetween(t, link, CALL);
    await call.arm(60_000);
    const ear = await RtpParty.at('127.0.0.1', 9);
    t.teardown(() => ear.close());
    const audit: string[] = [];
    const supervision = new Supervision({
      tap: async (of, tap, to) => {
        const tapped = await link.order({ do: 'tap', call: of, tap, ...(to && { to }) });
        return tapped.event !== 'failed';
      },
      audit: (what, _call, supervisor) => audit.push(`${supervisor} ${what}`),
    });
    const request: ListeningRequest = { call: CALL, supervisor: 's-1', isStated: true, isPrivileged: false };
    const to = { address: '127.0.0.1', handsetPort: ear.port, trunkPort: ear.rtcpPort };
    t.equal(await supervision.begin(request, to), undefined);
    t.equal(await supervision.begin(request, to), 'supervision.listening-already');
    const near = await call.handset.send(call.handsetSide);
    const far = await call.trunk.send(call.trunkSide);
    await ear.got((packet) => packet.equals(near));
    await ear.got((packet) => packet.equals(far), ear.reports);
    await call.trunk.got((packet) => packet.equals(near));

    await supervision.end(CALL, 's-1');
    const later = await call.handset.send(call.handsetSide);
    await call.trunk.got((packet) => packet.equals(later));
    t.notOk(ear.has(later));
    t.same(audit, ['s-1 begun', 's-1 ended']);

    t.equal(await supervision.begin({ ...request, supervisor: 's-2' }, to), undefined);
    supervision.callEnded(CALL);
    t.same(audit.slice(2), ['s-2 begun', 's-2 ended'], 'the end of the call ends it');
    await call.close();
  },
);

t.test(
  'nobody listens to a privileged number, nor without a statement, a sign-on, an audit entry or a call',
  async (t) => {
    const audit: string[] = [];
    let tapped = 0;
    const supervision = new Supervision({
      tap: async () => {
        tapped++;
        return false;
      },
      audit: (what, call) => {
        if (call === 'full') throw new Error('the disk takes nothing');
        audit.push(what);
      },
    });
    const request = { call: CALL, supervisor: 's-1', isStated: true, isPrivileged: false };
    t.equal(await supervision.begin({ ...request, isPrivileged: true }, NOWHERE), 'supervision.privileged');
    t.equal(await supervision.begin({ ...request, isStated: false }, NOWHERE), 'supervision.not-stated');
    t.equal(await supervision.begin({ ...request, supervisor: '' }, NOWHERE), 'supervision.not-signed-in');
    t.equal(await supervision.begin({ ...request, call: callId('full') }, NOWHERE), 'supervision.not-audited');
    t.equal(tapped, 0, 'the relay was never asked');
    t.equal(await supervision.begin(request, NOWHERE), 'supervision.no-call');
    t.same(audit, ['begun', 'ended']);
  },
);

t.test('copies of speech go to this machine alone', async (t) => {
  const { socket } = await startRelay(t);
  const { link } = await linkTo(t, socket);
  const call = await callBetween(t, link, 'abroad');
  const to = { address: '192.0.2.7', handsetPort: 9, trunkPort: 9 };
  t.match(await link.order({ do: 'tap', call: 'abroad', tap: 'x', to }), { code: 'media.bad-order' });
  await call.close();
});

/** A site's plane with recording, and what it wrote to the audit chain. */
async function recordingSite(t: Test, privileged: readonly string[]) {
  const dataFolder = mkdtempSync(join(tmpdir(), 'balise-warrants-'));
  t.teardown(() => rmSync(dataFolder, { recursive: true, force: true }));
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  const commandKeys = [{ kty: 'OKP' as const, crv: 'Ed25519' as const, x, kid: 'hq' }];
  const identity = await generateIdentity();
  writeFileSync(join(dataFolder, 'key.txt'), `${identity}\n`);
  const now = Temporal.Now.instant();
  const said = {
    id: 'w-1',
    number: '+442079460001',
    from: now.subtract({ hours: 1 }).toString(),
    until: now.add({ hours: 1 }).toString(),
  };
  const jws = await new CompactSign(Buffer.from(JSON.stringify(said)))
    .setProtectedHeader({ alg: 'EdDSA' })
    .sign(privateKey);
  mkdirSync(join(dataFolder, 'warrants'));
  writeFileSync(join(dataFolder, 'warrants', 'w-1.jws'), jws);
  writeFileSync(join(dataFolder, 'warrants', 'forged.jws'), `${jws}x`);

  const audit: EventDraft[] = [];
  const alarms: string[] = [];
  const news = new EventEmitter();
  const config = { recipient: await identityToRecipient(identity), days: 30, reserveMb: 0, privileged };
  let plane: RelayPlane | undefined;
  const recording = new SiteRecording({
    files: { dataFolder, uplink: { commandKeys } } as unknown as SiteFiles,
    config,
    clock,
    tap: async (...order) => (await plane?.tap(...order)) === true,
    append: (event) => {
      audit.push(event);
      news.emit('news');
    },
    onAlarm: (code) => alarms.push(code),
  });
  await recording.start();
  const events: CallEvent[] = [];
  const sink: CallSink = {
    request: () => undefined,
    planeLost: () => undefined,
    event: (_call, event) => {
      events.push(event);
      news.emit('news');
    },
  };
  plane = new RelayPlane({
    clock,
    log: pino({ level: 'silent' }),
    sink,
    onArmed: (call, order) => recording.armed(call, order),
    onClosed: (call) => recording.closed(call),
  });
  const { socket } = await startRelay(t);
  await plane.attach(socket);
  t.teardown(async () => {
    plane?.detach();
    await recording.stop();
  });
  const until = async (fits: () => boolean): Promise<void> => {
    while (!fits()) await once(news, 'news', { signal: AbortSignal.timeout(8_000) });
  };
  /** Takes a call to this number as far as its talk. */
  const talk = async (number: string): Promise<void> => {
    const handset = await RtpParty.at('127.0.0.1', 1);
    t.teardown(() => handset.close());
    const sdp = `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${handset.port} RTP/AVP 8\r\n`;
    const order = { handset: handsetId('a-101'), number: number as E164, handsetOffer: sdp, earlyMedia: false };
    plane?.open(CALL, { ...order, digitsAllowed: '' });
    await until(() => events.some(({ type }) => type === 'media-opened'));
    plane?.connect(CALL, sdp, true);
    await until(() => events.some(({ type }) => type === 'media-connected'));
    const deadline = {
      wall: now.add({ seconds: 60 }),
      monotonicNs: clock.monotonicNs() + 60_000_000_000n,
      bootId: 'this',
    };
    plane?.arm(CALL, deadline, []);
    await until(() => events.some(({ type }) => type === 'armed'));
  };
  return { dataFolder, plane, recording, audit, alarms, talk, until };
}

t.test(
  'a number under warrant is recorded from its answer to its end, with both on record',
  needs('age'),
  async (t) => {
    const { dataFolder, plane, audit, alarms, talk, until } = await recordingSite(t, []);
    t.same(alarms, ['recording.bad-warrant'], 'the forged one is told of');
    await talk('+442079460001');
    await until(() => audit.length === 1);
    t.match(audit[0], { type: 'balise.recording.begun', data: { call: CALL, warrant: 'w-1' } });
    // Closed at once: the recording may not quite have begun.
    plane.close(CALL);
    await until(() => audit.length === 2);
    t.match(audit[1], { type: 'balise.recording.ended' });
    const folder = join(dataFolder, 'recordings');
    const opened = spawnSync('age', ['-d', '-i', join(dataFolder, 'key.txt'), join(folder, `${CALL}.wav.age`)]);
    t.equal(opened.status, 0, String(opened.stderr));
    t.equal(opened.stdout.toString('latin1', 0, 4), 'RIFF');
  },
);

t.test('another number is not, and a privileged one is not whatever the warrant says', async (t) => {
  for (const [number, privileged] of [
    ['+442079460002', []],
    ['+442079460001', ['+4420794600*']],
  ] as const) {
    const { dataFolder, plane, audit, talk, recording } = await recordingSite(t, privileged);
    await talk(number);
    plane.close(CALL);
    await recording.stop();
    t.same(audit, []);
    t.same(readdirSync(join(dataFolder, 'recordings')), []);
  }
});
