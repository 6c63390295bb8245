/** A recording under a warrant: sealed as it is written, opened by the ordinary `age`, both channels as they were sent. */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { CompactSign } from 'jose';
import cron from 'node-cron';
import t, { type Test } from 'tap';
import { Temporal } from 'temporal-polyfill';
import { programData } from '../../gateway/config/paths.js';
import { TwoChannels } from '../../gateway/media/copies/two-channels.js';
import { waveHeader } from '../../gateway/media/copies/wave.js';
import { Recorder } from '../../gateway/media/recording/recorder.js';
import { eraseOld, keepRetention } from '../../gateway/media/recording/retention.js';
import { readWarrant, warrantFor } from '../../gateway/media/recording/warrant.js';
import { needs } from '../peers/needs.js';
import { callBetween, clock, linkTo, startRelay } from './relay-process.js';
import { PACKET_SAMPLES, rtpPacket } from './rtp-party.js';

const opts = needs('age');
const SILENCE = 0xd5;
const at = (text: string) => Temporal.Instant.from(text);

function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'balise-recording-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A quarter of an hour costs nothing here: the clock is the test's. */
const bytesOf = (packets: readonly Buffer[]): Buffer => Buffer.concat(packets.map((packet) => packet.subarray(12)));

t.test('a warrant is headquarters’ own, whole, and says nothing else', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const stranger = generateKeyPairSync('ed25519');
  const sign = (said: object, key = privateKey) =>
    new CompactSign(Buffer.from(JSON.stringify(said))).setProtectedHeader({ alg: 'EdDSA' }).sign(key);
  const whole = { id: 'w-1', person: 'p-7', from: '2026-03-01T00:00:00Z', until: '2026-03-08T00:00:00Z' };
  t.match(await readWarrant(await sign(whole), [publicKey]), { id: 'w-1', person: 'p-7' });
  t.equal(await readWarrant(await sign(whole, stranger.privateKey), [publicKey]), 'warrant.not-signed');
  t.equal(await readWarrant('rubbish', [publicKey]), 'warrant.not-signed');
  for (const said of [
    { ...whole, person: undefined },
    { ...whole, number: '+442079460001' },
    { ...whole, until: whole.from },
    { ...whole, until: 'soon' },
    { ...whole, also: 'everybody' },
    [],
  ])
    t.equal(await readWarrant(await sign(said), [publicKey]), 'warrant.malformed', JSON.stringify(said));
});

t.test('a warrant reaches its person or its number, in its time, and never a privileged number', async (t) => {
  const from = at('2026-03-01T00:00:00Z');
  const until = at('2026-03-08T00:00:00Z');
  const warrants = [
    { id: 'person', person: 'p-7', from, until },
    { id: 'number', number: '+442079460001', from, until },
  ];
  const call = { person: 'p-7', number: '+442079460002', isPrivileged: false };
  const inside = at('2026-03-05T12:00:00Z');
  t.equal(warrantFor(warrants, call, inside)?.id, 'person');
  t.equal(warrantFor(warrants, { number: '+442079460001', isPrivileged: false }, inside)?.id, 'number');
  t.equal(warrantFor(warrants, { number: '+442079460002', isPrivileged: false }, inside), undefined);
  t.equal(warrantFor(warrants, call, until), undefined, 'the end is outside');
  t.equal(warrantFor(warrants, call, from)?.id, 'person');
  t.equal(warrantFor(warrants, { ...call, isPrivileged: true }, inside), undefined);
});

t.test('packets lie where their timestamps say, whatever the order and the gaps', async (t) => {
  const sound = new TwoChannels(0);
  const packet = (n: number, byte: number) =>
    rtpPacket({
      ssrc: 1,
      sequence: n,
      timestamp: 0xffff_ff00 + n * 160 > 0xffff_ffff ? n * 160 - 256 : 0xffff_ff00 + n * 160,
      payload: Buffer.alloc(160, byte),
    });
  for (const [n, byte] of [
    [0, 1],
    [2, 3],
    [1, 2],
    [5, 6],
  ] as const)
    sound.put('handset', packet(n, byte), n * 20);
  sound.put('trunk', rtpPacket({ ssrc: 2, sequence: 1, timestamp: 7, payload: Buffer.alloc(160, 9) }), 60);
  t.equal(sound.drain(150).length, 0, 'nothing before it is old enough');
  const all = sound.drain(120, true);
  t.equal(all.length, 120 * 8 * 2);
  const left = (ms: number) => all[ms * 8 * 2];
  const right = (ms: number) => all[ms * 8 * 2 + 1];
  t.same([0, 20, 40, 60, 80, 100].map(left), [1, 2, 3, SILENCE, SILENCE, 6]);
  t.same([0, 40, 60, 79, 80].map(right), [SILENCE, SILENCE, 9, 9, SILENCE]);
});

t.test(
  'a call recorded: nothing in clear on the disk, and `age` opens both channels as they were sent',
  opts,
  async (t) => {
    const folder = folderOf(t);
    const identity = await generateIdentity();
    const recipient = await identityToRecipient(identity);
    const alarms: string[] = [];
    const recorder = new Recorder({ clock, folder, recipient, reserveBytes: 0, onAlarm: (code) => alarms.push(code) });
    const { socket } = await startRelay(t);
    const { link } = await linkTo(t, socket);
    const call = await callBetween(t, link, 'recorded');
    await call.arm(60_000);
    const to = await recorder.begin('recorded', () => t.fail('it broke off'));
    if (to === undefined) throw new Error('no recording');
    await link.order({ do: 'tap', call: 'recorded', tap: 'recorder', to });

    const speech = [
      readFileSync(programData('prompts', 'nl', 'refused.blocked.alaw')),
      readFileSync(programData('prompts', 'ru', 'refused.blocked.alaw')),
    ].map((clip) => clip.subarray(0, 50 * PACKET_SAMPLES));
    const [near = Buffer.alloc(0), far = Buffer.alloc(0)] = speech;
    // As telephones do: by the clock, whatever held them up.
    const begunMs = performance.now();
    for (let i = 0; i < 50; i++) {
      const part = (clip: Buffer) => clip.subarray(i * PACKET_SAMPLES, (i + 1) * PACKET_SAMPLES);
      await call.handset.send(call.handsetSide, { payload: part(near) });
      await call.trunk.send(call.trunkSide, { payload: part(far) });
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, begunMs + (i + 1) * 20 - performance.now())));
    }
    await call.trunk.got(() => call.trunk.received.length === 50);
    await link.order({ do: 'tap', call: 'recorded', tap: 'recorder' });
    await new Promise((resolve) => clock.after(200, () => resolve(undefined)));
    await recorder.end('recorded');
    t.same(alarms, []);
    t.equal(recorder.active, 0);

    const file = join(folder, 'recorded.wav.age');
    const sealed = readFileSync(file);
    t.ok(sealed.subarray(0, 22).equals(Buffer.from('age-encryption.org/v1\n')));
    t.notOk(sealed.includes(near.subarray(4_000, 4_040)), 'no speech in clear');
    const key = join(folder, 'key.txt');
    writeFileSync(key, `${identity}\n`);
    const opened = spawnSync('age', ['-d', '-i', key, file], { maxBuffer: 1 << 26 });
    t.equal(opened.status, 0, String(opened.stderr));
    const wave = opened.stdout;
    t.ok(wave.subarray(0, 46).equals(waveHeader({ encoding: 'alaw', channels: 2 })));
    const channel = (which: 0 | 1) => Buffer.from(wave.subarray(46).filter((_, i) => i % 2 === which));
    for (const [which, clip] of [
      [0, near],
      [1, far],
    ] as const) {
      const from = channel(which).indexOf(clip.subarray(800, 1_200));
      t.ok(from >= 0, `channel ${which} is there`);
      t.ok(
        channel(which)
          .subarray(from - 800, from - 800 + clip.length)
          .equals(clip),
        'byte for byte, in time',
      );
    }
    t.equal(bytesOf(call.trunk.received).length, near.length, 'and the call heard the same');
    await call.close();
  },
);

t.test('a disk that fills stops recordings, says so, and no call', opts, async (t) => {
  const folder = folderOf(t);
  const recipient = await identityToRecipient(await generateIdentity());
  let free = 1_000;
  const told: string[] = [];
  const onAlarm = (code: string) => told.push(code);
  const recorder = new Recorder({ clock, folder, recipient, reserveBytes: 500, freeBytes: async () => free, onAlarm });
  await new Promise<void>((resolve, reject) => {
    recorder.begin('one', resolve).then((to) => {
      t.ok(to);
      free = 400;
    }, reject);
  });
  await recorder.end('one');
  t.equal(recorder.active, 0);
  t.equal(await recorder.begin('two', () => undefined), undefined);
  t.same(new Set(told), new Set(['recording.disk-full']));
  t.same(readdirSync(folder), ['one.wav.age']);
});

/** What becomes of a recording where no file may grow beyond so many bytes: as on a full disk, what fits is taken, and then nothing. */
function onFullDisk(t: Test, what: 'file' | 'recording', bytes: number, recipient: string) {
  const program = fileURLToPath(new URL('fixtures/full-disk.js', import.meta.url));
  const ran = spawnSync('prlimit', [`--fsize=${bytes}`, process.execPath, program, what, folderOf(t), recipient]);
  return JSON.parse(String(ran.stdout)) as { fault?: string; alarms: string[]; open: string[] };
}

t.test('a disk that is full in mid-write: told of, and neither a gap nor an open file is left', async (t) => {
  const recipient = await identityToRecipient(await generateIdentity());
  const { fault, open } = onFullDisk(t, 'file', 100_000, recipient);
  t.match(fault, /EFBIG/, 'of the second of its pieces only a part was taken');
  t.same(open, []);
  t.same(onFullDisk(t, 'recording', 100, recipient), { alarms: ['recording.fault'], open: [] }, 'told once');
});

t.test('what cannot be written is an alarm, and ends nothing else', async (t) => {
  const told: string[] = [];
  const recipient = await identityToRecipient(await generateIdentity());
  const onAlarm = (code: string) => told.push(code);
  const nowhere = { clock, folder: '/nonexistent', recipient, reserveBytes: 0, freeBytes: async () => 1, onAlarm };
  t.equal(await new Recorder(nowhere).begin('one', () => undefined), undefined);
  const badKey = { ...nowhere, folder: folderOf(t), recipient: 'age1nonsense' };
  t.equal(await new Recorder(badKey).begin('one', () => undefined), undefined);
  t.same(told, ['recording.fault', 'recording.fault']);
});

t.test('recordings are erased when their time is over, and nothing else is', async (t) => {
  const folder = folderOf(t);
  const old = new Date(clock.wall().epochMilliseconds - 31 * 86_400_000);
  for (const name of ['old.wav.age', 'new.wav.age', 'old.txt']) writeFileSync(join(folder, name), 'x');
  for (const name of ['old.wav.age', 'old.txt']) utimesSync(join(folder, name), old, old);
  const erased: string[] = [];
  const options = {
    clock,
    folder,
    days: 30,
    onErased: (name: string) => erased.push(name),
    onAlarm: (code: string) => t.fail(code),
  };
  t.equal(await eraseOld(options), 1);
  t.same(erased, ['old.wav.age']);
  t.same(readdirSync(folder).sort(), ['new.wav.age', 'old.txt']);
});

t.test('the erasing comes by itself, once an hour, until it is stopped', async (t) => {
  const folder = folderOf(t);
  const old = new Date(clock.wall().epochMilliseconds - 31 * 86_400_000);
  writeFileSync(join(folder, 'old.wav.age'), 'x');
  utimesSync(join(folder, 'old.wav.age'), old, old);
  const known = new Set(cron.getTasks().keys());
  const erased = await new Promise<string>((resolve, reject) => {
    const kept = keepRetention({ clock, folder, days: 30, onErased: resolve, onAlarm: (_, detail) => reject(detail) });
    const [task] = [...cron.getTasks()].filter(([id]) => !known.has(id)).map(([, found]) => found);
    t.teardown(() => kept.stop());
    const [next, after] = task?.getNextRuns(2) ?? [];
    t.equal(Number(after) - Number(next), 3_600_000);
    task?.execute().catch(reject);
  });
  t.equal(erased, 'old.wav.age');
});
