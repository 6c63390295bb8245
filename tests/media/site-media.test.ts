/** What a site's files say of speech, and what a driver that cannot do it is refused for. */
import t, { type Test } from 'tap';
import { Temporal } from 'temporal-polyfill';
import type { CallRequest } from '../../gateway/calls/ports.js';
import { ConfigFault } from '../../gateway/config/fault.js';
import { loadSite } from '../../gateway/config/site.js';
import { callId, handsetId, personId } from '../../gateway/policy/ids.js';
import { SiteMedia } from '../../gateway/site-media.js';
import { handset, makeSite, profile, type SiteParts } from '../peers/site.js';

const AT = Temporal.Instant.from('2026-03-02T10:00:00Z');
const PLAIN = handsetId('a-101');
const DUTCH = handsetId('a-102');
const [TURKISH, UNKNOWN] = [personId('p-1'), personId('p-2')];

t.test('what is said is in the person’s language, else the handset’s, else the site’s', async (t) => {
  const folder = makeSite(t, 5_060, {
    handsets: [handset('a-101'), handset('a-102', { language: 'nl' })],
    profiles: [profile({ prompts: true })],
  });
  const media = new SiteMedia(await loadSite(folder), (person) => (person === TURKISH ? 'tr' : undefined));
  const language = (of: typeof PLAIN, person: typeof TURKISH | undefined) => {
    const request: CallRequest = {
      ...{ call: callId('c'), handset: of, dialled: '', at: AT, offer: '', source: '' },
      ...(person && { person }),
    };
    const refusal = { outcome: 'refusal', rule: 'number.blocked', fact: '', sipStatus: 403 } as const;
    const said = media.announcement(request, refusal, AT)?.language;
    t.equal(said, media.rulesOf(of, person).language, 'of a refusal as of a warning');
    return said;
  };
  t.equal(language(DUTCH, TURKISH), 'tr');
  t.equal(language(DUTCH, UNKNOWN), 'nl');
  t.equal(language(DUTCH, undefined), 'nl');
  t.equal(language(PLAIN, UNKNOWN), 'en');
  t.equal(media.rulesOf(DUTCH, TURKISH).calleeLanguage, 'en', 'the callee is spoken to in the site’s');
});

const RTPENGINE = {
  ...{ driver: 'rtpengine', cellAddress: '127.0.0.1', carrierAddress: '127.0.0.1' },
  rtpengine: { address: '127.0.0.1', port: 2_223 },
};

async function faults(t: Test, parts: SiteParts): Promise<string[]> {
  try {
    await loadSite(makeSite(t, 5_060, parts));
    return [];
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error;
    return error.faults.map(({ file, pointer }) => `${file}${pointer}`);
  }
}

t.test('what rtpengine cannot do is refused where it is asked for, and nothing else is', async (t) => {
  const may = { digitsInSpeech: 'pass', announcement: true, spokenWarnings: true, earlyMedia: true, prompts: true };
  const all = '0123456789*#';
  t.same(await faults(t, { site: { media: RTPENGINE }, profiles: [profile(may)] }), []);
  t.same(await faults(t, { site: { media: RTPENGINE }, profiles: [profile({ ...may, digitsAllowed: all })] }), []);
  for (const [name, value, more] of [
    ['digitsInSpeech', 'mute', {}],
    ['digitsAllowed', '12', {}],
    ['digitsMost', 3, { digitsAllowed: all }],
    ['digitAlarm', true, {}],
    ['supervised', true, {}],
    ['silenceAlarmS', 30, {}],
  ] as const) {
    const asking = profile({ ...may, ...more, [name]: value });
    t.same(await faults(t, { site: { media: RTPENGINE }, profiles: [asking] }), [`profiles.json/0/${name}`]);
    t.same(await faults(t, { profiles: [asking] }), [], 'the relay can');
  }
  const { digitsInSpeech: _, ...unsaid } = may;
  t.same(
    await faults(t, { site: { media: RTPENGINE }, profiles: [profile(unsaid)] }),
    ['profiles.json/0/digitsInSpeech'],
    'a default that it cannot keep is not passed over',
  );
  const recording = { recipient: `age1${'q'.repeat(58)}`, days: 1 };
  const media = { ...RTPENGINE, recording, ports: { from: 40_000, to: 41_000 } };
  t.same((await faults(t, { site: { media }, profiles: [profile(may)] })).sort(), [
    'site.json/media/ports',
    'site.json/media/recording',
  ]);
});
