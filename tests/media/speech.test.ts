/** What the relay says in a call and before it, heard at the far ends of real sockets. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { programData } from '../../gateway/config/paths.js';
import { ALAW, callBetween, linkTo, startRelay, stream } from './relay-process.js';
import { RtpParty } from './rtp-party.js';
import { decoded, likeness } from './tone.js';

const HEADER = 12;
const SIDE_BY_SIDE = { buffered: true } as const;
const SAMPLE_RATE = 8_000;
const VOICE = { voice: ALAW.voice, eventsPass: false } as const;
const NO_WORDS = {
  language: 'nl',
  calleeLanguage: 'fr',
  warnings: {},
  warnTrunk: false,
  closing: [],
  announcement: [],
} as const;

const piece = (language: string, name: string): Buffer =>
  readFileSync(programData('prompts', language, `${name}.alaw`));
const heardBy = (party: RtpParty): Buffer => Buffer.concat(party.received.map((packet) => packet.subarray(HEADER)));

// Each has a call of its own, and spends its time listening.
t.test('a relay of real sockets', { jobs: 9 }, async (t) => {
  const { socket } = await startRelay(t);
  const { link, told, deadlineOf } = await linkTo(t, socket);

  const announcedTo = async (t: Parameters<typeof startRelay>[0], call: string) => {
    const handset = await RtpParty.at('127.0.0.1', 5);
    t.teardown(() => handset.close());
    const open = { do: 'open', call, handset: handset.peer(), earlyMedia: false, digitsAllowed: '' } as const;
    const opened = await link.order(open);
    if (opened.event === 'failed') throw new Error(opened.why);
    return { handset, opened };
  };

  t.test(
    'a prompt is heard whole by the handset, in packets 20 ms apart, and its end is told',
    SIDE_BY_SIDE,
    async (t) => {
      const { handset } = await announcedTo(t, 'told');
      const order = {
        do: 'announce',
        call: 'told',
        toHandset: VOICE,
        language: 'nl',
        pieces: ['work.signed-off'],
      } as const;
      const playing = await link.order(order);
      if (playing.event === 'failed') throw new Error(playing.why);
      await told('played', 'told');
      const sound = heardBy(handset);
      const clip = piece('nl', 'work.signed-off');
      t.ok(Math.abs(sound.length / 8 - playing.lengthMs) <= 20, `${sound.length / 8} ms of ${playing.lengthMs} ms`);
      const start = Math.round(playing.lengthMs * 8) - clip.length - SAMPLE_RATE / 10;
      t.ok(likeness(decoded(sound.subarray(start), 'pcma'), decoded(clip, 'pcma')) > 0.98, 'sample for sample');
      const sequences = handset.received.map((packet) => packet.readUInt16BE(2));
      t.ok(sequences.every((sequence, at) => sequence === at));
      await link.order({ do: 'close', call: 'told' });
    },
  );

  t.test(
    'a prompt opens nothing: the handset is not heard by anybody, and its end is silence at once',
    SIDE_BY_SIDE,
    async (t) => {
      const { handset, opened } = await announcedTo(t, 'cut');
      const order = {
        do: 'announce',
        call: 'cut',
        toHandset: VOICE,
        language: 'sq',
        pieces: ['refused.fault'],
      } as const;
      await link.order(order);
      await handset.send(opened.handsetSide);
      await handset.got(() => handset.received.length > 10);
      const closed = await link.order({ do: 'close', call: 'cut' });
      t.match(closed, { counters: { handsetPackets: 0, trunkPackets: 0 } });
      const then = handset.received.length;
      // The same relay says five packets to another handset meanwhile.
      const other = await announcedTo(t, 'goes on');
      await link.order({ ...order, call: 'goes on' });
      await other.handset.got(() => other.handset.received.length > 5);
      await link.order({ do: 'close', call: 'goes on' });
      t.ok(handset.received.length - then <= 1, 'at most what was on its way');
    },
  );

  t.test('what cannot be said fails with a code', SIDE_BY_SIDE, async (t) => {
    await announcedTo(t, 'dumb');
    const order = { do: 'announce', call: 'dumb', toHandset: VOICE, language: 'xx', pieces: ['next'] } as const;
    t.match(await link.order(order), { code: 'media.no-prompt' });
    const wide = { voice: [{ codec: 'opus', payloadType: 111 }], eventsPass: false } as const;
    t.match(await link.order({ ...order, language: 'nl', toHandset: wide }), { code: 'media.no-prompt' });
    const call = await callBetween(t, link, 'talk');
    t.match(await link.order({ ...order, call: 'talk', language: 'nl' }), { code: 'media.bad-order' });
    await t.rejects(call.arm(60_000, [], { ...NO_WORDS, announcement: ['no.such'] }), /media.no-prompt/);
  });

  t.test(
    'the callee hears the announcement first, and nothing of the caller until it ends',
    SIDE_BY_SIDE,
    async (t) => {
      const call = await callBetween(t, link, 'announced');
      await call.arm(60_000, [], { ...NO_WORDS, announcement: ['work.signed-off'] });
      const talk = stream(10, () => call.handset.send(call.handsetSide));
      const back = await call.trunk.send(call.trunkSide);
      await call.handset.got((packet) => packet.equals(back));
      const first = await call.trunk.got((packet) => packet.readUInt32BE(8) === call.handset.ssrc);
      talk.stop();
      const before = call.trunk.received.slice(0, call.trunk.received.indexOf(first));
      const clip = piece('fr', 'work.signed-off');
      const sound = decoded(Buffer.concat(before.map((packet) => packet.subarray(HEADER))), 'pcma');
      t.ok(sound.length >= clip.length, 'it was said to its end');
      t.ok(likeness(sound, decoded(clip, 'pcma')) > 0.98, 'in the callee’s language, with nothing under it');
      await call.close();
    },
  );

  t.test('a sound of the site’s own is learnt in parts, and said like any other', SIDE_BY_SIDE, async (t) => {
    const clip = piece('nl', 'work.signed-off');
    const half = Math.floor(clip.length / 2);
    const lesson = { do: 'learn', language: 'fr', piece: 'campaign.trains' } as const;
    const call = await callBetween(t, link, 'taught');
    const speech = { ...NO_WORDS, announcement: ['campaign.trains'] };
    await t.rejects(call.arm(60_000, [], speech), /media.no-prompt/, 'not before it is known');
    for (const part of [clip.subarray(0, half), clip.subarray(half)])
      t.match(
        await link.order({ ...lesson, sound: part.toString('base64'), first: part.byteOffset === clip.byteOffset }),
        {
          event: 'learnt',
        },
      );
    await call.arm(60_000, [], speech);
    const talk = stream(10, () => call.handset.send(call.handsetSide));
    const first = await call.trunk.got((packet) => packet.readUInt32BE(8) === call.handset.ssrc);
    talk.stop();
    const before = call.trunk.received.slice(0, call.trunk.received.indexOf(first));
    const sound = decoded(Buffer.concat(before.map((packet) => packet.subarray(HEADER))), 'pcma');
    t.ok(likeness(sound, decoded(clip, 'pcma')) > 0.98);
    await call.close();
    t.match(await link.order({ ...lesson, sound: 'not base64!', first: true }), { code: 'media.bad-order' });
  });

  t.test('a call that ends in mid-announcement never opens', SIDE_BY_SIDE, async (t) => {
    const call = await callBetween(t, link, 'short');
    await call.arm(300, [], { ...NO_WORDS, announcement: ['refused.fault'] });
    const talk = stream(10, () => call.handset.send(call.handsetSide));
    await deadlineOf('short');
    talk.stop();
    t.notOk(call.trunk.received.some((packet) => packet.readUInt32BE(8) === call.handset.ssrc));
    t.match(await call.close(), { handsetPackets: 0 });
  });

  t.test(
    'a warning in words is heard by both where the callee is to be warned, each in its language',
    SIDE_BY_SIDE,
    async (t) => {
      const call = await callBetween(t, link, 'warned');
      const speech = { ...NO_WORDS, warnings: { 2: ['warning.10'] }, warnTrunk: true };
      await call.arm(2_100, [2], speech);
      await deadlineOf('warned');
      for (const [party, language] of [
        [call.handset, 'nl'],
        [call.trunk, 'fr'],
      ] as const) {
        const sound = decoded(heardBy(party), 'pcma');
        t.ok(likeness(sound, decoded(piece(language, 'warning.10'), 'pcma')) > 0.98, language);
      }
      await call.close();
    },
  );

  t.test('the last words end with the deadline, and nothing is heard after it', SIDE_BY_SIDE, async (t) => {
    const call = await callBetween(t, link, 'closing');
    const clip = piece('nl', 'ended.deadline');
    await call.arm(clip.length / 8 + 400, [], { ...NO_WORDS, closing: ['ended.deadline'] });
    const { lastForwardedMs } = await deadlineOf('closing');
    t.equal(lastForwardedMs, undefined, 'nobody else spoke');
    const heard = heardBy(call.handset);
    t.ok(heard.includes(clip.subarray(0, clip.length - (clip.length % 160))), 'all of them');
    await call.close();
    t.equal(heardBy(call.handset).length, heard.length);
    t.equal(call.trunk.received.length, 0, 'they are the handset’s alone');
  });

  t.test(
    'what cannot be mixed gives way to the warning, which goes in G.711 where both agreed to it',
    SIDE_BY_SIDE,
    async (t) => {
      const call = await callBetween(t, link, 'wide');
      const formats = {
        voice: [
          { codec: 'opus', payloadType: 111 },
          { codec: 'pcma', payloadType: 8 },
        ],
        eventsPass: false,
      } as const;
      await link.order({ do: 'connect', call: 'wide', trunk: call.trunk.peer(), toTrunk: formats, toHandset: formats });
      await call.arm(900, [0.6]);
      const payload = Buffer.alloc(60, 0xfc);
      const talk = stream(15, () => call.trunk.send(call.trunkSide, { payloadType: 111, payload }));
      await deadlineOf('wide');
      talk.stop();
      const types = call.handset.received.map((packet) => (packet[1] ?? 0) & 0x7f);
      t.ok(types.filter((type) => type === 8).length >= 18, 'the warning');
      t.ok(types.filter((type) => type === 111).length >= 10, 'the speech');
      t.equal(types.lastIndexOf(111) > types.indexOf(8), true, 'which goes on after it');
      await call.close();
    },
  );
});
