/** Recording at a site: under headquarters' warrants, from the answer to the end, and nothing else. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import t from 'tap';
import { Temporal } from 'temporal-polyfill';
import { Recorder } from '../../gateway/media/recording/recorder.js';
import type { Warrant } from '../../gateway/media/recording/warrant.js';
import { WarrantRecording } from '../../gateway/media/recording/warrant-recording.js';
import { callId } from '../../gateway/policy/ids.js';
import { needs } from '../peers/needs.js';
import { listeningSite, NUMBER } from './listening-site.js';
import { CALL } from './plane-ear.js';
import { clock } from './relay-process.js';

const opts = needs('age');

const warrantFor = (endsInMs: number, more: object = {}) => {
  const now = Temporal.Now.instant();
  const [from, until] = [now.subtract({ hours: 1 }), now.add({ milliseconds: endsInMs })];
  return { id: 'w-1', number: NUMBER, from: String(from), until: String(until), ...more };
};
const recordings = (dataFolder: string) => readdirSync(join(dataFolder, 'recordings'));

t.test('a number under warrant is recorded from its answer to its end, with both on record', opts, async (t) => {
  const { dataFolder, keyFile, plane, audit, alarms, talk, entries, audited } = await listeningSite(t, {
    warrants: async (sign) => {
      const jws = await sign(warrantFor(3_600_000));
      return { 'w-1.jws': `${jws}\n`, 'forged.jws': `${jws}x` };
    },
  });
  t.same(alarms, ['recording.bad-warrant'], 'the forged one is told of');
  await talk();
  await audited(1);
  t.match(audit[0], { type: 'balise.recording.begun', data: { call: CALL, warrant: 'w-1' } });
  // Closed at once: the recording may not quite have begun.
  plane.close(CALL);
  await audited(2);
  t.same(entries(), ['recording.begun', 'recording.ended']);
  const opened = spawnSync('age', ['-d', '-i', keyFile, join(dataFolder, 'recordings', `${CALL}.wav.age`)]);
  t.equal(opened.status, 0, String(opened.stderr));
  t.equal(opened.stdout.toString('latin1', 0, 4), 'RIFF');
});

t.test('another number is not, and a privileged one is not whatever the warrant says', async (t) => {
  for (const [number, privileged] of [
    ['+442079460002', []],
    [NUMBER, ['+4420794600*']],
  ] as const) {
    const warrants = async (sign: (said: object) => Promise<string>) => ({ 'w.jws': await sign(warrantFor(60_000)) });
    const { dataFolder, plane, audit, talk, listening } = await listeningSite(t, { privileged, warrants });
    await talk(number);
    plane.close(CALL);
    await listening.stop();
    t.same(audit, []);
    t.same(recordings(dataFolder), []);
  }
});

t.test('a warrant that headquarters sends is kept, on record, and counts from the next answer on', async (t) => {
  const { listening, audit, sign, talk, entries, audited, dataFolder } = await listeningSite(t);
  const jws = await sign(warrantFor(3_600_000));
  t.same(await listening.offerWarrant(jws), { outcome: 'taken', id: 'w-1' });
  t.match(audit, [{ type: 'balise.recording.warranted', data: { warrant: 'w-1', of: 'a number' } }]);
  t.notMatch(JSON.stringify(audit), NUMBER, 'no number in clear');
  t.same(await listening.offerWarrant(jws), { outcome: 'taken', id: 'w-1' }, 'twice is once');
  t.equal(audit.length, 1);
  t.equal(readdirSync(join(dataFolder, 'warrants')).length, 1);
  await talk();
  await audited(2);
  t.same(entries(), ['recording.warranted', 'recording.begun']);
});

t.test(
  'what is no warrant of headquarters’, is over, or takes another’s name is refused with its reason',
  async (t) => {
    const { listening, audit, sign, disk, dataFolder } = await listeningSite(t);
    const other = await listeningSite(t);
    const refused = async (jws: string) => {
      const offer = await listening.offerWarrant(jws);
      return offer.outcome === 'refused' ? offer.why : offer;
    };
    t.equal(await refused(await other.sign(warrantFor(60_000))), 'warrant.not-signed');
    t.equal(await refused('rubbish'), 'warrant.not-signed');
    t.equal(await refused(await sign(warrantFor(60_000, { also: 'everybody' }))), 'warrant.malformed');
    t.equal(await refused(await sign(warrantFor(-1_000))), 'warrant.over');
    disk.takes = false;
    t.equal(await refused(await sign(warrantFor(60_000))), 'warrant.not-kept');
    t.same(readdirSync(join(dataFolder, 'warrants')), [], 'what is not on record is not kept');
    disk.takes = true;
    t.match(await listening.offerWarrant(await sign(warrantFor(60_000))), { outcome: 'taken' });
    t.equal(await refused(await sign(warrantFor(90_000))), 'warrant.id-taken');
    t.equal(audit.length, 1);
  },
);

t.test('a recording ends with its warrant, and the call goes on', async (t) => {
  const { listening, sign, talk, audited, entries } = await listeningSite(t);
  await listening.offerWarrant(await sign(warrantFor(1_500)));
  const { handset, trunk, handsetSide } = await talk();
  await audited(3);
  t.same(entries(), ['recording.warranted', 'recording.begun', 'recording.ended']);
  const word = await handset.send(handsetSide);
  await trunk.got((packet) => packet.equals(word));
});

t.test(
  'a warrant that is over by a clock that was set, or by one that came in its place, ends what it began',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'balise-warrants-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const recipient = await identityToRecipient(await generateIdentity());
    const [from, until] = [
      Temporal.Instant.from('2026-03-01T00:00:00Z'),
      Temporal.Instant.from('2026-03-01T12:00:00Z'),
    ];
    let now = from;
    let held: readonly Warrant[] = [{ id: 'w-1', number: NUMBER, from, until }];
    const told: string[] = [];
    const onAlarm = (code: string) => t.fail(code);
    const recording = new WarrantRecording({
      clock: { ...clock, wall: () => now },
      recorder: new Recorder({ clock, folder, recipient, reserveBytes: 0, onAlarm }),
      warrants: () => held,
      tap: async () => true,
      audit: (what, call) => told.push(`${what} ${call}`),
      onAlarm,
    });
    t.teardown(() => recording.endAll());
    const facts = { number: NUMBER, isPrivileged: false };
    await recording.armed(callId('by-the-clock'), facts);
    await recording.recheck();
    t.same(told, ['begun by-the-clock'], 'it stands');
    now = until;
    await recording.recheck();
    t.same(told.slice(1), ['ended by-the-clock']);
    now = from;
    await recording.armed(callId('replaced'), facts);
    held = [{ id: 'w-1', number: NUMBER, from, until: from.add({ seconds: 1 }) }];
    now = from.add({ seconds: 2 });
    await recording.recheck();
    t.same(told.slice(2), ['begun replaced', 'ended replaced']);
  },
);

t.test('a folder of warrants that cannot be kept in is told, and nothing is recorded', async (t) => {
  const { listening, sign, dataFolder, alarms } = await listeningSite(t);
  rmSync(join(dataFolder, 'warrants'), { recursive: true });
  t.match(await listening.offerWarrant(await sign(warrantFor(60_000))), { why: 'warrant.not-kept' });
  t.same(alarms, ['recording.fault']);
  mkdirSync(join(dataFolder, 'warrants'));
});
