/** The words of the pages: every code that the gateway gives has a text in each language. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { REFUSALS } from '../../gateway/bus/refusals.js';
import { projectRoot } from '../../gateway/config/paths.js';
import type { AlarmView } from '../../gateway/console/api/site.js';
import { alarmText, titleOfCode } from '../../gateway/console/web/words/code-text.js';
import { codesEn } from '../../gateway/console/web/words/codes.en.js';
import { codesFr } from '../../gateway/console/web/words/codes.fr.js';
import { codesNl } from '../../gateway/console/web/words/codes.nl.js';
import { FORBIDDEN } from '../../gateway/signalling/rules-in-dialog.js';

const WORDS = { en: codesEn, fr: codesFr, nl: codesNl };
/** Where the gateway raises alarms by a code that stands there. */
function raised(): ReadonlySet<string> {
  const root = join(projectRoot(), 'gateway');
  const files = (readdirSync(root, { recursive: true }) as string[]).filter(
    (file) => file.endsWith('.ts') && !file.startsWith(join('console', 'web')),
  );
  return new Set(
    files.flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      // At the work desk `say` is what somebody hears.
      const verb = file.startsWith('work') ? '[aA]larm|onFault' : '[aA]larm|onFault|\\bsay';
      const called = text.matchAll(new RegExp(`(?:${verb})\\??\\.?\\(\\s*'([a-z]+\\.[a-z-]+)'`, 'g'));
      // An alarm as a value: its code, and then what it says or is about.
      const named = text.matchAll(/\bcode: '([a-z]+\.[a-z-]+)',\s+(?:message|detail|handset|board|of)\b/g);
      const ofPhones = text.matchAll(/#alarm\(known, '([a-z-]+)'/g);
      return [
        ...[...called, ...named].map(([, code = '']) => code),
        ...[...ofPhones].map(([, code]) => `provisioning.${code}`),
      ];
    }),
  );
}

t.test('every alarm that the gateway raises has a title in each language', async (t) => {
  const codes = [
    ...raised(),
    ...REFUSALS.map((kind) => `bus.${kind}`),
    ...Object.entries(FORBIDDEN).flatMap(([method, { alarm }]) => (alarm ? [`sip.${method}`] : [])),
    'cutoff',
  ];
  t.ok(codes.length > 50, `${codes.length} codes are found in the sources`);
  for (const code of codes)
    for (const [language, { alarms }] of Object.entries(WORDS))
      t.not(titleOfCode(alarms, code), code, `${code} in ${language}`);
});

t.test(
  'an alarm is told in French and Dutch with what it is about, and with no hole where that is not known',
  async (t) => {
    for (const [language, { alarmSaid }] of [
      ['fr', codesFr],
      ['nl', codesNl],
    ] as const)
      for (const code of Object.keys(codesEn.alarms)) {
        const bare = alarmText(alarmSaid, { at: '', code, detail: 'the gateway’s own words' }).sentence;
        t.match(bare, /\.$/, `${code} in ${language}`);
        t.notMatch(bare, /undefined|the gateway/, `${code} in ${language}`);
      }
    const alarm: AlarmView = {
      at: '',
      code: 'sip.foreign-address',
      detail: 'a-101 spoke from 192.0.2.7, outside its wing',
    };
    const about = { ...alarm, handset: 'a-101', address: '192.0.2.7' };
    t.same(alarmText(codesFr.alarmSaid, about), { sentence: 'a-101 a parlé depuis 192.0.2.7, hors de son aile.' });
    t.same(alarmText(codesEn.alarmSaid, about), { sentence: alarm.detail });
    const locked = {
      ...alarm,
      code: 'provisioning.mismatch',
      handset: 'a-101',
      detail: 'a-101: registered from elsewhere',
    };
    t.match(alarmText(codesNl.alarmSaid, locked), { sentence: /De telefoon van a-101/, english: locked.detail });
    t.same(
      alarmText(codesNl.alarmSaid, { ...alarm, code: 'of.tomorrow' }),
      { sentence: alarm.detail },
      'a newer gateway',
    );
  },
);

t.test('every step of a call has a text of its own in each language', async (t) => {
  for (const [of, names] of [
    ['events', Object.keys(codesEn.steps.events)],
    ['states', Object.keys(codesEn.steps.states)],
  ] as const) {
    t.ok(names.length > 10);
    for (const { steps } of Object.values(WORDS)) {
      t.same(Object.keys(steps[of]).sort(), [...names].sort());
      t.equal(new Set(Object.values(steps[of])).size, names.length, 'no two read the same');
    }
  }
});
