/** The words of the pages: every code that the gateway gives has a text in each language. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { REFUSALS } from '../../gateway/bus/refusals.js';
import { projectRoot } from '../../gateway/config/paths.js';
import type { AlarmView } from '../../gateway/console/api/site.js';
import { detailIn } from '../../gateway/console/web/words/alarm-details.js';
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
        const bare = alarmText(alarmSaid, { at: '', code, detail: 'the gateway’s own words' }, language).sentence;
        t.match(bare, /\.$/, `${code} in ${language}`);
        t.notMatch(bare, /undefined|the gateway/, `${code} in ${language}`);
      }
    const alarm: AlarmView = {
      at: '',
      code: 'sip.foreign-address',
      detail: 'a-101 spoke from 192.0.2.7, outside its wing',
    };
    const about = { ...alarm, handset: 'a-101', address: '192.0.2.7' };
    t.same(alarmText(codesFr.alarmSaid, about, 'fr'), {
      sentence: 'a-101 a parlé depuis 192.0.2.7, hors de son aile.',
    });
    t.same(alarmText(codesEn.alarmSaid, about, 'en'), { sentence: alarm.detail });
    const locked = {
      ...alarm,
      code: 'provisioning.mismatch',
      handset: 'a-101',
      detail: 'a-101: registered from elsewhere',
    };
    t.match(alarmText(codesNl.alarmSaid, locked, 'nl'), { sentence: /De telefoon van a-101/, english: locked.detail });
    t.same(
      alarmText(codesNl.alarmSaid, { ...alarm, code: 'of.tomorrow' }, 'nl'),
      { sentence: alarm.detail },
      'a newer gateway',
    );
  },
);

/** An alarm as the gateway words it, a part of the template that it comes from, and what a French page says of it. */
const DETAILS: readonly (readonly [code: string, detail: string, template: string, inFrench: string | undefined])[] = [
  ['plane.crash-loop', 'media died 5 times in a row', ' times in a row`', 'media : mort 5 fois de suite.'],
  [
    'work.locked',
    '5 wrong codes or PINs at a-101: a code is locked',
    ' wrong codes or PINs at ${',
    '5 essais ; un code est verrouillé.',
  ],
  [
    'work.locked',
    '5 wrong codes or PINs at a-101: the handset is locked',
    ' wrong codes or PINs at ${',
    '5 essais ; le poste est verrouillé.',
  ],
  [
    'work.second-handset',
    'p-1 keyed code and PIN at a-102, signed on at another handset',
    ', signed on at another handset`',
    'p-1 est déjà en service à un autre poste.',
  ],
  [
    'work.distress',
    'p-1 reports distress in a call of survey, contact abc',
    ' reports distress in a call of ${',
    'p-1, campagne survey, contact abc.',
  ],
  [
    'work.number-keyed',
    'as many digits as a number has were keyed at a-101; keys dial nothing',
    '; keys dial nothing`',
    'Les touches n’y composent rien.',
  ],
  [
    'work.no-announcement',
    'what callees of survey are told in nl is not there: balise campaign speak survey',
    ' is not there: balise campaign speak ${',
    'survey (nl) ; à faire : balise campaign speak survey',
  ],
  [
    'work.fault',
    'a contact could not be called at a-101',
    'a contact could not be called at ${',
    'Un contact n’a pas pu être appelé.',
  ],
  ['work.fault', 'dispose failed at a-101', ' failed at ${', undefined],
  [
    'console.locked',
    '5 failed log-ins as duty: locked for 60 s',
    ' failed log-ins ${',
    '5 essais au nom de duty : verrouillé pour 60 s.',
  ],
  [
    'console.locked',
    '9 failed log-ins from 192.0.2.7: locked for 60 s',
    ' failed log-ins ${',
    '9 essais depuis 192.0.2.7 : verrouillé pour 60 s.',
  ],
  [
    'dnc.ageing',
    'do-not-call list be is good for 5 hours more',
    ' is good for ${',
    'Liste be : bonne pour 5 h encore.',
  ],
  [
    'dnc.stale',
    'do-not-call list be is too old: calls that rest on it are refused',
    ' is too old: calls that rest on it are refused`',
    'Liste be.',
  ],
  ['policy.expiring', 'the signed policy is good for 5 hours more', "'the signed policy'", 'Bonne pour 5 h encore.'],
  ['policy.expired', 'the signed policy is too old: calls that rest on it are refused', "'the signed policy'", ''],
  [
    'zones.old',
    'the time zone rules are of 2024a: run a newer Node',
    'the time zone rules ${',
    'Version en place : 2024a.',
  ],
  [
    'clock.untrusted',
    'chrony says that the clock is 3.1 s off',
    'chrony says that the clock is ${',
    'D’après chrony, elle est fausse de 3.1 s.',
  ],
  [
    'clock.untrusted',
    'chrony has no source that it believes',
    "'chrony has no source that it believes'",
    'Chrony n’a aucune source qu’il croie.',
  ],
  [
    'clock.untrusted',
    'the kernel counts the clock as not synchronised',
    "'the kernel counts the clock as not synchronised'",
    'Pour le noyau, elle n’est pas synchronisée.',
  ],
  ['line.controller-lost', 'it does not answer', "'it does not answer'", ''],
  ['line.controller-lost', 'its agent is not there', "'its agent is not there'", 'Son agent n’est pas là.'],
  ['line.tamper', 'its case is open', "'its case is open'", ''],
  ['line.panic', 'the panic button of b1 is pressed', 'the panic button of ${', ''],
  ['media.digits', 'a digit was keyed as an event that may not pass', "'as an event'", 'Par la touche (RFC 4733).'],
  [
    'media.digits',
    'a digit was keyed as a tone in the speech that may not pass',
    "'as a tone in the speech'",
    'Comme son dans la parole.',
  ],
  ['media.digits', 'a digit was keyed in an INFO that may not pass', "'in an INFO'", 'Dans un INFO.'],
  [
    'sip.second-registration',
    'a-101 is registered from 192.0.2.7; 192.0.2.8 wanted it too',
    ' wanted it too`',
    'Inscrit depuis 192.0.2.7.',
  ],
  [
    'sip.replayed-nonce',
    'a used credential of a-101 came again (4 more within a minute)',
    ' more within a minute)`',
    'Elle avait déjà servi. (encore 4 fois en une minute)',
  ],
  [
    'sip.replayed-nonce',
    'a credential of a-101 came from 192.0.2.7 instead',
    ' instead`',
    'Elle était pour une autre adresse.',
  ],
  [
    'provisioning.foreign-address',
    'HT814 c074ad000201: 192.0.2.7 asked for what 192.0.2.8 has fetched',
    ' asked for what ${',
    'HT814 c074ad000201 ; pris auparavant par 192.0.2.8.',
  ],
  ['trunk.up', 'carrier answers again', ' answers again`', 'Opérateur carrier.'],
  ['trunk.registered', 'carrier has registered us again', ' has registered us again`', 'Opérateur carrier.'],
  ['trunk.bye-refused', 'carrier does not believe our BYE', ' does not believe our BYE`', 'Opérateur carrier.'],
];

t.test(
  'what more the gateway says of an alarm is in the page’s language where its template is known, else as it was said',
  async (t) => {
    const root = join(projectRoot(), 'gateway');
    const sources = (readdirSync(root, { recursive: true }) as string[])
      .filter((file) => file.endsWith('.ts') && !file.startsWith(join('console', 'web')))
      .map((file) => readFileSync(join(root, file), 'utf8'))
      .join('\n');
    for (const [code, detail, template, inFrench] of DETAILS) {
      t.ok(sources.includes(template), `the gateway still says: ${template}`);
      t.equal(detailIn('fr', code, detail), inFrench, detail);
      t.equal(detailIn('nl', code, detail) === undefined, inFrench === undefined, `${detail}, in Dutch`);
      t.notMatch(detailIn('nl', code, detail) ?? '', /undefined|[{}]/);
      t.equal(detailIn('fr', code, `${detail} of another kind`), undefined, 'nothing is guessed');
    }
    const alarm: AlarmView = { at: '', code: 'trunk.up', detail: 'carrier answers again', address: '192.0.2.7' };
    t.same(alarmText(codesNl.alarmSaid, alarm, 'nl'), {
      sentence: '192.0.2.7 wordt weer gebruikt.',
      more: 'Operator carrier.',
    });
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
