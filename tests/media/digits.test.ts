/** Keys of every kind stay in the cell: RFC 4733 events, and tones in the speech. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { programData } from '../../gateway/config/paths.js';
import { LANGUAGES } from '../../gateway/media/prompts.js';
import { DigitFilter, type DigitKind } from '../../gateway/media/relay/digit-filter.js';
import { LAWS } from '../../gateway/media/relay/g711.js';
import { ToneEar } from '../../gateway/media/relay/tone-ear.js';
import { callBetween, linkTo, startRelay } from './relay-process.js';
import { PACKET_SAMPLES } from './rtp-party.js';
import { decoded, loudness, shareAt } from './tone.js';

const HEADER = 12;
const KEYS: Readonly<Record<string, readonly [number, number]>> = Object.fromEntries(
  [697, 770, 852, 941].flatMap((row, r) =>
    [1209, 1336, 1477, 1633].map((column, c) => ['123A456B789C*0#D'[r * 4 + c] ?? '', [row, column] as const]),
  ),
);

interface Press {
  readonly ms: number;
  readonly startMs?: number;
  /** Of each tone, 16-bit. */
  readonly level?: number;
  /** The column over the row, dB. */
  readonly twist?: number;
  /** How far both tones are off, per cent. */
  readonly off?: number;
}

/** Half a second of near silence with one key pressed in it, as G.711 A-law. */
function pressed(key: string, { ms, startMs = 100, level = 6_000, twist = 0, off = 0 }: Press): Buffer {
  const [row = 0, column = 0] = KEYS[key] ?? [];
  const at = (i: number, hz: number): number => Math.sin((2 * Math.PI * hz * (1 + off / 100) * i) / 8_000);
  return Buffer.from(
    Array.from({ length: 4_000 }, (_, i) => {
      const isOn = i >= startMs * 8 && i < (startMs + ms) * 8;
      const sample = isOn ? level * at(i, row) + level * 10 ** (twist / 20) * at(i, column) : 0;
      return LAWS.pcma.encode[Math.max(0, Math.min(65_535, Math.round(sample) + 32_768))] ?? 0;
    }),
  );
}

/** Passes sound through a filter in packets, and gives what comes out. */
function through(filter: DigitFilter, sound: Buffer, samples: number = PACKET_SAMPLES): Buffer {
  const out = Buffer.from(sound);
  for (let at = 0; at < out.length; at += samples)
    filter.listen(out, at, Math.min(out.length, at + samples), LAWS.pcma, at / 8);
  return out;
}

/** How long a tone of the key can be heard, milliseconds; a receiver is sure of a key only after 40 (Q.24 annex A). */
function audibleMs(sound: Buffer, key: string): number {
  const samples = decoded(sound, 'pcma');
  const [row = 0, column = 0] = KEYS[key] ?? [];
  let ms = 0;
  for (let at = 0; at + 40 <= samples.length; at += 40) {
    const part = samples.slice(at, at + 40);
    if (loudness(part) > 500 && shareAt(part, row) + shareAt(part, column) > 0.2) ms += 5;
  }
  return ms;
}

const listening = (allowed = '', most?: number, onRefused?: (kind: DigitKind) => void) =>
  new DigitFilter({ allowed, inSpeech: true, ...(most === undefined ? {} : { most }) }, onRefused);

t.test(
  'each of the sixteen keys is heard in the speech, counted once, and gone before a receiver can take it',
  async (t) => {
    for (const key of Object.keys(KEYS)) {
      const told: DigitKind[] = [];
      const filter = listening('', undefined, (kind) => told.push(kind));
      t.ok(audibleMs(pressed(key, { ms: 80 }), key) >= 75, 'as it was keyed it can be heard');
      const out = through(filter, pressed(key, { ms: 80 }));
      t.equal(filter.dropped, 1, key);
      t.equal(filter.muted, 1);
      t.same(told, ['in-speech']);
      t.ok(audibleMs(out, key) <= 25, `${audibleMs(out, key)} ms of ${key} are left`);
    }
  },
);

t.test(
  'wherever in a packet it begins, whatever its level, twist and packet time, no key is left long enough',
  async () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(KEYS)),
        fc.record({
          ms: fc.integer({ min: 45, max: 200 }),
          startMs: fc.integer({ min: 20, max: 140 }),
          level: fc.integer({ min: 900, max: 8_000 }),
          twist: fc.integer({ min: -4, max: 8 }),
          off: fc.constantFrom(-1.5, 0, 1.5),
        }),
        fc.constantFrom(160, 240, 320),
        (key, press, samples) => {
          const out = through(listening(), pressed(key, press), samples);
          return audibleMs(out, key) <= 30;
        },
      ),
      {
        numRuns: 600,
        // Keys at the edges of Q.24, whose tones a short block takes for one another.
        examples: [
          ['0', { ms: 118, startMs: 140, level: 7_335, twist: -4, off: -1.5 }, 160],
          ['*', { ms: 120, startMs: 133, level: 3_000, twist: 8, off: 0 }, 320],
          ['4', { ms: 120, startMs: 101, level: 3_000, twist: 8, off: -1.5 }, 160],
        ],
      },
    );
  },
);

t.test('a key that may pass is left alone, as often as the profile says', async (t) => {
  const filter = listening('5', 2);
  const sound = pressed('5', { ms: 80 });
  t.ok(through(filter, sound).equals(sound));
  t.ok(through(filter, sound).equals(sound));
  t.notOk(through(filter, sound).equals(sound), 'the third is one too many');
  t.match(filter, { passed: 2, dropped: 1 });
});

t.test('every key counts, whatever it says of when it was pressed', async (t) => {
  const keys: string[] = [];
  const filter = new DigitFilter({ allowed: '56', most: 1 }, undefined, (key) => keys.push(key));
  const event = (code: number): Buffer => {
    const packet = Buffer.alloc(HEADER + 4);
    packet.writeUInt32BE(1_600, 4);
    packet[HEADER] = code;
    return packet;
  };
  const passes = (code: number): boolean => filter.passes(event(code), HEADER, HEADER + 4);
  t.same([5, 5, 5, 6, 6, 7, 7].map(passes), [true, true, true, false, false, false, false]);
  t.match(filter, { passed: 1, dropped: 2 });
  t.same(keys, ['5', '6', '7']);
});

t.test('speech is no key: a quarter of an hour of it in seven languages', async (t) => {
  let seconds = 0;
  let blocks = 0;
  const keys: string[] = [];
  for (const language of LANGUAGES)
    for (const name of readdirSync(programData('prompts', language))) {
      if (!name.endsWith('.alaw')) continue;
      const sound = readFileSync(programData('prompts', language, name));
      const ear = new ToneEar();
      seconds += sound.length / 8_000;
      for (let at = 0; at + PACKET_SAMPLES <= sound.length; at += PACKET_SAMPLES) {
        blocks++;
        const key = ear.hear(sound, at, at + PACKET_SAMPLES, LAWS.pcma);
        if (key !== '') keys.push(`${language}/${name}: ${key}`);
      }
    }
  t.ok(seconds > 900, `${Math.round(seconds)} s of speech`);
  t.ok(keys.length <= blocks / 10_000, `${keys.length} of ${blocks} packets: ${keys.slice(0, 8).join(', ')}`);
});

t.test('events: those allowed pass, as many as the profile says, and one press is one digit', async (t) => {
  const event = (code: number, timestamp: number, length = 4): Buffer => {
    const packet = Buffer.alloc(HEADER + length);
    packet.writeUInt32BE(timestamp, 4);
    packet[HEADER] = code;
    return packet;
  };
  const filter = new DigitFilter({ allowed: '5#', most: 2 });
  const passes = (packet: Buffer): boolean => filter.passes(packet, HEADER, packet.length);
  t.same([event(5, 1), event(5, 1), event(5, 1)].map(passes), [true, true, true]);
  t.notOk(passes(event(6, 2)));
  t.notOk(passes(event(5, 3, 8)), 'a second event hides behind it');
  t.ok(passes(event(11, 4)));
  t.same([event(5, 5), event(5, 5)].map(passes), [false, false], 'a third allowed digit is one too many');
  t.match(filter, { passed: 2, dropped: 3, muted: 0 });
});

t.test('on real sockets a key in the speech never arrives, and is told of and counted', async (t) => {
  const { socket } = await startRelay(t);
  const { link, told } = await linkTo(t, socket);
  const call = await callBetween(t, link, 'keys', { digitsInSpeech: true });
  await call.arm(60_000);
  const sound = pressed('7', { ms: 100 });
  for (let at = 0; at < sound.length; at += PACKET_SAMPLES)
    await call.handset.send(call.handsetSide, { payload: sound.subarray(at, at + PACKET_SAMPLES) });
  await call.trunk.got(() => call.trunk.received.length === sound.length / PACKET_SAMPLES);
  const out = Buffer.concat(call.trunk.received.map((packet) => packet.subarray(HEADER)));
  t.ok(audibleMs(out, '7') <= 25);
  t.match(await told('digit', 'keys'), { kind: 'in-speech' });
  t.match(await call.close(), { digitsDropped: 1, digitsMuted: 1, dropped: 0 });
});
