/** A side that falls silent, what is keyed where no packet shows it, and how live calls are heard. */
import { pino } from 'pino';
import t from 'tap';
import { PLAIN_RULES } from '../../gateway/media/media-rules.js';
import { RelayPlane } from '../../gateway/media/relay-plane.js';
import { CALL, connected, deadlineIn, Ear, orderOf } from './plane-ear.js';
import { callBetween, clock, linkTo, startRelay, stream } from './relay-process.js';
import { RtpParty } from './rtp-party.js';

const FOR_MS = 400;

t.test('a side that sends nothing for too long is told of once, and one on hold is not', async (t) => {
  const { socket } = await startRelay(t);
  const { link, told, others } = await linkTo(t, socket);
  const atNs = String(deadlineIn(60_000).monotonicNs);
  const armed = async (call: string) => {
    const up = await callBetween(t, link, call);
    await link.order({ do: 'arm', call, atNs, warningsS: [], silenceMs: FOR_MS });
    return up;
  };
  const oneWay = await armed('one-way');
  const held = await armed('held');
  await link.order({ do: 'hold', call: 'held', toTrunk: false, toHandset: true });
  const both = await armed('both');
  const talk = stream(20, async () => {
    await oneWay.trunk.send(oneWay.trunkSide);
    await held.trunk.send(held.trunkSide);
    await both.trunk.send(both.trunkSide);
    await both.handset.send(both.handsetSide);
  });
  t.teardown(() => talk.stop());
  const first = await told('silence', 'one-way');
  t.match(first, { side: 'handset' });
  t.ok(first.event === 'silence' && first.silentMs >= FOR_MS, JSON.stringify(first));

  // Twice as long for another one: whatever else there were to be told would have been told by then.
  await armed('mute');
  t.match(await told('silence', 'mute'), { event: 'silence' });
  await armed('mute-too');
  await told('silence', 'mute-too');
  t.same(
    others.map(({ call }) => call),
    ['one-way', 'mute', 'mute-too'],
  );
});

t.test(
  'silence and digits of an INFO are alarms, once a call; both are in what each live call is measured by',
  async (t) => {
    const { socket } = await startRelay(t);
    const ear = new Ear();
    const alarms: string[] = [];
    let alarmed: (code: string) => void = () => undefined;
    const silent = new Promise<void>((resolve) => {
      alarmed = (code) => code === 'media.silence' && resolve();
    });
    const plane = new RelayPlane({
      clock,
      log: pino({ level: 'silent' }),
      sink: ear,
      rulesOf: () => ({ ...PLAIN_RULES, digitAlarm: true, silenceAlarmS: 1 }),
      onAlarm: (code, detail) => {
        alarms.push(`${code}: ${detail}`);
        alarmed(code);
      },
    });
    t.teardown(() => plane.detach());
    await plane.attach(socket);
    const [handset, trunk] = [await RtpParty.at('127.0.0.1', 1), await RtpParty.at('127.0.0.1', 2)];
    t.teardown(() => {
      handset.close();
      trunk.close();
    });
    plane.open(CALL, orderOf(handset));
    const { handsetSide } = await connected(plane, ear, trunk);
    plane.arm(CALL, deadlineIn(60_000), []);
    await ear.heard('armed');
    const talk = stream(20, () => handset.send(handsetSide));
    t.teardown(() => talk.stop());
    plane.keyed(CALL, '5');
    plane.keyed(CALL, '');
    await silent;
    const live = await plane.measureAll();
    t.same([...live.keys()], [CALL]);
    const { handset: spoken, trunk: mute, digitsDropped } = live.get(CALL) ?? {};
    t.match(spoken, { lost: 0, jitterMs: Number, mos: Number });
    t.ok((spoken?.packets ?? 0) > 10 && (spoken?.mos ?? 0) > 4, JSON.stringify(spoken));
    t.match(mute, { packets: 0, mos: undefined });
    t.ok((mute?.longestSilenceMs ?? 0) >= 1_000);
    t.equal(digitsDropped, 2);
    plane.close(CALL);
    t.match(await ear.heard('released'), { stats: { digitsDropped: 2 } }, 'and in the record');
    t.same(alarms, [
      'media.digits: a digit was keyed in an INFO that may not pass',
      'media.silence: the trunk of a call has sent no speech for 1 s',
    ]);
    t.same(await plane.measureAll(), new Map());
  },
);
