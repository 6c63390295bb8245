/** The recorded prompts as they are in the tree, and how a refusal is put together from them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { Temporal } from 'temporal-polyfill';
import { programData } from '../../gateway/config/paths.js';
import {
  ANNOUNCEMENT,
  CLOSING,
  LANGUAGES,
  refusalPieces,
  SPOKEN_WARNINGS,
  whenPieces,
} from '../../gateway/media/prompts.js';
import { SoundLibrary } from '../../gateway/media/relay/sound-library.js';
import { RULES } from '../../gateway/policy/decision.js';
import { PROMPT_IDS } from '../../gateway/work/prompt-ids.js';
import { decoded, loudness } from './tone.js';

const SAMPLE_RATE = 8_000;
const FULL_SCALE = 32_256;
/** Frames of 20 ms. */
const FRAME = SAMPLE_RATE / 50;
const library = SoundLibrary.load(programData('prompts'));

interface Texts {
  readonly texts: Readonly<Record<string, string>>;
}

const textsOf = (language: string) =>
  (JSON.parse(readFileSync(programData('prompts', language, 'texts.json'), 'utf8')) as Texts).texts;

/** The longest run of frames in which nothing is heard (40 dB under full scale), seconds. */
function longestGap(samples: readonly number[]): number {
  let longest = 0;
  let run = 0;
  for (let at = 0; at < samples.length; at += FRAME) {
    run = loudness(samples.slice(at, at + FRAME)) < FULL_SCALE / 100 ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest / 50;
}

for (const language of LANGUAGES) {
  t.test(`every prompt in ${language} is there, as long as its text, loud enough, and clips nowhere`, async (t) => {
    const texts = textsOf(language);
    const folder = programData('prompts', language);
    const files = readdirSync(folder).filter((name) => name.endsWith('.alaw'));
    t.same(files.map((name) => name.slice(0, -'.alaw'.length)).sort(), Object.keys(texts).sort());
    const faults: string[] = [];
    for (const [name, text] of Object.entries(texts)) {
      const samples = decoded(readFileSync(join(folder, `${name}.alaw`)), 'pcma');
      const seconds = samples.length / SAMPLE_RATE;
      const peak = Math.max(...samples.map(Math.abs)) / FULL_SCALE;
      const level = loudness(samples) / FULL_SCALE;
      // A digit is a word of its own.
      const letters = text.replace(/\d/g, 'xxxxx').length;
      const perLetter = seconds / (letters + 4);
      if (seconds < 0.25 || seconds > 9 || perLetter < 0.02 || perLetter > 0.16)
        faults.push(`${name}: ${seconds.toFixed(2)} s for "${text}"`);
      if (peak < 0.4 || peak > 0.75) faults.push(`${name}: peak ${peak.toFixed(2)}`);
      if (level < 0.04 || level > 0.35) faults.push(`${name}: level ${level.toFixed(3)}`);
      if (longestGap(samples) > 1) faults.push(`${name}: a gap of ${longestGap(samples)} s`);
    }
    t.same(faults, []);
  });
}

t.test(
  'every rule has its sentence in every language, and none is silent for a second when put together',
  async (t) => {
    const now = Temporal.Instant.from('2026-03-02T20:00:00Z');
    for (const language of LANGUAGES)
      for (const rule of RULES) {
        const pieces = refusalPieces(rule, now.add({ hours: 13 }), now, 'Europe/Brussels');
        const [sentence = ''] = pieces;
        t.ok(sentence in textsOf(language), `${rule} in ${language}`);
        const sound = Array.from(library.spoken(language, pieces) ?? []);
        t.ok(sound.length > 2 * SAMPLE_RATE && longestGap(sound) <= 1, `${rule} in ${language} as a whole`);
      }
  },
);

t.test('the words for warnings and the announcement are there in every language', async (t) => {
  for (const language of LANGUAGES)
    for (const piece of [ANNOUNCEMENT, ...Object.values(SPOKEN_WARNINGS)]) t.ok(piece in textsOf(language), piece);
});

t.test(
  'nothing is recorded that nobody is told: a cutoff, above all, is silence at once and no farewell',
  async (t) => {
    const used = new Set<string>([...PROMPT_IDS, ...Object.values(SPOKEN_WARNINGS), CLOSING, ANNOUNCEMENT]);
    const now = Temporal.Instant.from('2026-03-02T00:00:00Z');
    for (const rule of RULES) for (const piece of refusalPieces(rule, undefined, now, 'UTC')) used.add(piece);
    // Asked on each weekday for every minute of the next hour, and for every fifth of the eight days behind it.
    for (let day = 0; day < 7; day++)
      for (let minute = 0; minute < 8 * 1_440; minute += minute < 60 ? 1 : 5) {
        const at = now.add({ hours: 24 * day });
        for (const piece of whenPieces(at.add({ minutes: minute }), at, 'UTC')) used.add(piece);
      }
    for (const language of LANGUAGES)
      t.same(
        Object.keys(textsOf(language)).filter((piece) => !used.has(piece)),
        [],
        language,
      );
  },
);

t.test('the next allowed time is said in words', async (t) => {
  const zone = 'Europe/Brussels';
  const at = (wall: string) => Temporal.ZonedDateTime.from(`${wall}[${zone}]`).toInstant();
  const said = (now: string, next: string) => refusalPieces('window.site', at(next), at(now), zone).slice(1);
  t.same(said('2026-03-02T20:00', '2026-03-03T10:00'), ['next', 'day.1', 'at.10', 'sharp'], 'vanaf morgen om tien uur');
  t.same(said('2026-03-02T08:00', '2026-03-02T10:31'), ['next', 'day.0', 'at.10', 'minute.35'], 'never too early');
  t.same(
    said('2026-03-02T08:00', '2026-03-06T23:58'),
    ['next', 'day.sat', 'at.0', 'sharp'],
    'rounded into the next day',
  );
  t.same(said('2026-03-02T08:00', '2026-04-01T10:00'), ['next', 'later']);
  t.same(said('2026-03-02T08:00', '2026-03-02T08:03'), ['next.in', 'in.5']);
  t.same(said('2026-03-02T08:00', '2026-03-02T07:59'), ['next.in', 'in.1'], 'a time that has just passed');
  t.same(refusalPieces('number.blocked', undefined, at('2026-03-02T08:00'), zone), ['refused.blocked']);
});

t.test('what is said is never too early, and never a quarter of an hour and more too late', async () => {
  const start = Temporal.Instant.from('2026-03-27T00:00:00Z').epochMilliseconds;
  fc.assert(
    fc.property(fc.nat(4 * 86_400_000), fc.integer({ min: 1, max: 6 * 86_400_000 }), (from, wait) => {
      const zone = 'Europe/Brussels';
      const now = Temporal.Instant.fromEpochMilliseconds(start + from);
      const next = now.add({ milliseconds: wait });
      const [, head, ...rest] = refusalPieces('limit.gap', next, now, zone);
      if (head === 'next.in') {
        const minutes = Number(rest[0]?.slice('in.'.length));
        const lateMin = minutes - wait / 60_000;
        return lateMin >= 0 && lateMin < 30;
      }
      // Rounded up it may be a week from now, and then its weekday would be taken for today.
      const rounded = next.add({ minutes: 5 }).toZonedDateTimeISO(zone).toPlainDate();
      if (rest[0] === 'later') return now.toZonedDateTimeISO(zone).toPlainDate().until(rounded).days >= 7;
      const [day = '', hour = '', minute = ''] = rest;
      const today = now.toZonedDateTimeISO(zone).toPlainDate();
      const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
      const days = [0, 1, 2, 3, 4, 5, 6].find((n) => {
        const date = today.add({ days: n });
        return day === `day.${n}` || (n > 1 && day === `day.${weekdays[date.dayOfWeek - 1]}`);
      });
      if (days === undefined) return false;
      const said = today.add({ days }).toZonedDateTime({
        timeZone: zone,
        plainTime: { hour: Number(hour.slice(3)), minute: minute === 'sharp' ? 0 : Number(minute.slice(7)) },
      });
      const lateMs = said.epochMilliseconds - next.epochMilliseconds;
      // An hour that comes twice is said once.
      return lateMs < 300_000 && lateMs > -3_600_001 && (lateMs >= 0 || now.toZonedDateTimeISO(zone).hoursInDay !== 24);
    }),
  );
});

t.test('a piece that a language has no word for is its general one, or is left out', async (t) => {
  const whole = library.spoken('fr', ['next.in', 'in.5', 'sharp']);
  const parts = ['next', 'in.5'].map((name) => library.spoken('fr', [name])?.length ?? 0);
  t.equal(
    whole?.length,
    parts.reduce((sum, length) => sum + length, 0),
  );
  t.equal(library.spoken('xx', ['next']), undefined);
});

t.test('whatever a work session says is there in every language', async (t) => {
  for (const language of LANGUAGES)
    for (const piece of PROMPT_IDS) t.ok(piece in textsOf(language), `${piece} in ${language}`);
});
