/** Listening to calls on the real relay: who may, what is heard, and what is on record of it. */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import t from 'tap';
import { waveHeader } from '../../gateway/media/copies/wave.js';
import { LAWS } from '../../gateway/media/relay/g711.js';
import { listeningSite, NUMBER } from './listening-site.js';
import { CALL } from './plane-ear.js';
import { callBetween, linkTo, startRelay, stream } from './relay-process.js';

const HEADER = waveHeader({ encoding: 'linear', channels: 2 });
/** Two A-law samples that no silence has, and what they are in 16 bits. */
const [NEAR, FAR] = [0x11, 0x92] as const;
const level = (byte: number): number => LAWS.pcma.decode[byte] ?? 0;

/** Settles when both channels have been heard at these levels; tells the whole file so far. */
async function heardBoth(sound: Readable): Promise<Buffer> {
  let file = Buffer.alloc(0);
  const signal = AbortSignal.timeout(8_000);
  for (;;) {
    const chunk: unknown = sound.read();
    if (chunk === null) {
      await once(sound, 'readable', { signal });
      continue;
    }
    file = Buffer.concat([file, chunk as Buffer]);
    for (let at = HEADER.length; at + 4 <= file.length; at += 4)
      if (file.readInt16LE(at) === level(NEAR) && file.readInt16LE(at + 2) === level(FAR)) return file;
  }
}

t.test('a supervisor hears both sides as one WAV file, and both ends of it are on record', async (t) => {
  const { listening, talk, entries, audited, audit, plane } = await listeningSite(t);
  const { handset, trunk, handsetSide, trunkSide } = await talk();
  const speech = stream(20, async () => {
    await handset.send(handsetSide, { payload: Buffer.alloc(160, NEAR) });
    await trunk.send(trunkSide, { payload: Buffer.alloc(160, FAR) });
  });
  t.teardown(() => speech.stop());
  const sound = await listening.listen(CALL, 's-1');
  if (!(sound instanceof Readable)) throw new Error(sound);
  t.equal(await listening.listen(CALL, 's-1'), 'supervision.listening-already');
  const file = await heardBoth(sound);
  t.ok(file.subarray(0, HEADER.length).equals(HEADER), 'a player knows what it is');
  await trunk.got((packet) => packet[12] === NEAR);
  t.same(listening.listeners(CALL), ['s-1']);

  sound.destroy();
  await audited(2);
  t.same(entries(), ['supervision.begun', 'supervision.ended']);
  t.match(audit[0]?.data, { call: CALL, supervisor: 's-1' });
  t.same(listening.listeners(CALL), []);

  const again = await listening.listen(CALL, 's-2');
  if (!(again instanceof Readable)) throw new Error(again);
  const over = once(again.resume(), 'end');
  plane.close(CALL);
  await over;
  t.same(entries().slice(2), ['supervision.begun', 'supervision.ended'], 'the end of the call ends it');
  t.equal(await listening.listen(CALL, 's-1'), 'supervision.no-call');
});

t.test(
  'nobody listens to a privileged number, nor without a statement, a sign-on, an audit entry or a call',
  async (t) => {
    const quiet = await listeningSite(t, { supervised: false });
    t.equal(await quiet.listening.listen(CALL, 's-1'), 'supervision.no-call');
    await quiet.talk();
    t.equal(await quiet.listening.listen(CALL, 's-1'), 'supervision.not-stated');
    t.equal(await quiet.listening.cut(CALL, 's-1'), undefined, 'nor may he cut what he may not hear');

    const lawyer = await listeningSite(t, { privileged: ['+4420794600*'] });
    await lawyer.talk();
    t.equal(await lawyer.listening.listen(CALL, 's-1'), 'supervision.privileged');

    const stated = await listeningSite(t);
    await stated.talk();
    t.equal(await stated.listening.listen(CALL, ''), 'supervision.not-signed-in');
    stated.disk.takes = false;
    t.equal(await stated.listening.listen(CALL, 's-1'), 'supervision.not-audited');
    for (const { audit } of [quiet, lawyer, stated]) t.same(audit, []);
  },
);

t.test('the call itself says whether it may be listened to, before its handset’s profile does', async (t) => {
  for (const supervised of [true, false]) {
    const { listening } = await listeningSite(t, { supervised: !supervised });
    const order = { handset: 'a-101', number: NUMBER, handsetOffer: '', earlyMedia: false, digitsAllowed: '' };
    listening.armed(CALL, { ...order, supervised } as Parameters<typeof listening.armed>[1]);
    // No relay holds it: whoever may listen gets as far as that.
    t.equal(await listening.listen(CALL, 's-1'), supervised ? 'supervision.no-call' : 'supervision.not-stated');
  }
});

t.test('who listens may cut the call, by name', async (t) => {
  const { listening, talk, cutoffs } = await listeningSite(t);
  await talk();
  const sound = await listening.listen(CALL, 's-1');
  if (!(sound instanceof Readable)) throw new Error(sound);
  t.equal(await listening.cut(CALL, 's-2'), undefined, 'who does not listen may not');
  const over = once(sound.resume(), 'end');
  t.match(await listening.cut(CALL, 's-1'), { calls: 1 });
  await over;
  t.match(cutoffs, [{ target: { kind: 'call', call: CALL }, by: 'supervisor s-1' }]);
});

t.test('copies of speech go to this machine alone', async (t) => {
  const { socket } = await startRelay(t);
  const { link } = await linkTo(t, socket);
  const call = await callBetween(t, link, 'abroad');
  const to = { address: '192.0.2.7', handsetPort: 9, trunkPort: 9 };
  t.match(await link.order({ do: 'tap', call: 'abroad', tap: 'x', to }), { code: 'media.bad-order' });
  await call.close();
});

t.test(
  'whatever the order of beginnings and ends, each that is on record as begun is on record as ended',
  async (t) => {
    const { listening, talk, audit, plane } = await listeningSite(t);
    await talk();
    const who = fc.constantFrom('s-1', 's-2', 's-3');
    const steps = fc.array(fc.record({ who, ends: fc.boolean(), waits: fc.boolean() }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(steps, async (walk) => {
        const sounds = new Map<string, Promise<unknown>>();
        for (const { who: supervisor, ends, waits } of walk) {
          const begun = sounds.get(supervisor);
          if (!ends) sounds.set(supervisor, listening.listen(CALL, supervisor));
          else
            begun?.then((sound) => {
              if (sound instanceof Readable) sound.destroy();
            });
          if (waits) await begun;
        }
        await Promise.all(sounds.values());
      }),
      { numRuns: 20 },
    );
    plane.close(CALL);
    await listening.stop();
    const said = (what: string) =>
      audit
        .filter(({ type }) => type.endsWith(what))
        .map(({ data }) => String(data.supervisor))
        .sort();
    t.same(said('begun'), said('ended'));
  },
);
