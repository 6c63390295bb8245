/**
 * What the gateway says of an alarm beside its sentence, in the page's language: the values are taken out of its English, which is
 * made by templates. What no template fits stays English; nothing is guessed.
 */
import type { ConsoleLanguage } from '../../api/people.js';
import type { AlarmCode } from './alarms.en.js';

type Values = Readonly<Record<string, string>>;
type Said = (values: Values) => string;

interface Detail {
  readonly codes: readonly AlarmCode[];
  /** Its named groups are the values. */
  readonly english: RegExp;
  readonly fr: Said;
  readonly nl: Said;
}

/** An empty sentence: the alarm's own says it already. */
const NOTHING: Said = () => '';

const DETAILS: readonly Detail[] = [
  {
    codes: ['plane.crash-loop'],
    english: /^(?<name>\S+) died (?<times>\d+) times in a row$/,
    fr: ({ name, times }) => `${name} : mort ${times} fois de suite.`,
    nl: ({ name, times }) => `${name}: ${times} keer na elkaar gestorven.`,
  },
  {
    codes: ['work.locked'],
    english: /^(?<times>\d+) wrong codes or PINs at (?<handset>\S+): a code is locked$/,
    fr: ({ times }) => `${times} essais ; un code est verrouillé.`,
    nl: ({ times }) => `${times} pogingen; een code is vergrendeld.`,
  },
  {
    codes: ['work.locked'],
    english: /^(?<times>\d+) wrong codes or PINs at (?<handset>\S+): the handset is locked$/,
    fr: ({ times }) => `${times} essais ; le poste est verrouillé.`,
    nl: ({ times }) => `${times} pogingen; het toestel is vergrendeld.`,
  },
  {
    codes: ['work.second-handset'],
    english: /^(?<person>\S+) keyed code and PIN at (?<handset>\S+), signed on at another handset$/,
    fr: ({ person }) => `${person} est déjà en service à un autre poste.`,
    nl: ({ person }) => `${person} is al aangemeld op een ander toestel.`,
  },
  {
    codes: ['work.distress'],
    english: /^(?<person>\S+) reports distress in a call of (?<campaign>\S+), contact (?<contact>\S+)$/,
    fr: ({ person, campaign, contact }) => `${person}, campagne ${campaign}, contact ${contact}.`,
    nl: ({ person, campaign, contact }) => `${person}, campagne ${campaign}, contact ${contact}.`,
  },
  {
    codes: ['work.number-keyed'],
    english: /^as many digits as a number has were keyed at (?<handset>\S+); keys dial nothing$/,
    fr: () => 'Les touches n’y composent rien.',
    nl: () => 'Toetsen kiezen daar niets.',
  },
  {
    codes: ['work.no-announcement'],
    english:
      /^what callees of (?<campaign>\S+) are told in (?<language>\S+) is not there: (?<command>balise campaign speak \S+)$/,
    fr: ({ campaign, language, command }) => `${campaign} (${language}) ; à faire : ${command}`,
    nl: ({ campaign, language, command }) => `${campaign} (${language}); te doen: ${command}`,
  },
  {
    codes: ['work.fault'],
    english: /^a contact could not be called at (?<handset>\S+)$/,
    fr: () => 'Un contact n’a pas pu être appelé.',
    nl: () => 'Een contact kon niet worden gebeld.',
  },
  {
    codes: ['console.locked'],
    english: /^(?<times>\d+) failed log-ins as (?<whom>.+): locked for (?<seconds>\d+) s$/,
    fr: ({ times, whom, seconds }) => `${times} essais au nom de ${whom} : verrouillé pour ${seconds} s.`,
    nl: ({ times, whom, seconds }) => `${times} pogingen als ${whom}: vergrendeld voor ${seconds} s.`,
  },
  {
    codes: ['console.locked'],
    english: /^(?<times>\d+) failed log-ins from (?<whom>\S+): locked for (?<seconds>\d+) s$/,
    fr: ({ times, whom, seconds }) => `${times} essais depuis ${whom} : verrouillé pour ${seconds} s.`,
    nl: ({ times, whom, seconds }) => `${times} pogingen vanaf ${whom}: vergrendeld voor ${seconds} s.`,
  },
  {
    codes: ['dnc.ageing'],
    english: /^do-not-call list (?<list>\S+) is good for (?<hours>\d+) hours more$/,
    fr: ({ list, hours }) => `Liste ${list} : bonne pour ${hours} h encore.`,
    nl: ({ list, hours }) => `Lijst ${list}: nog ${hours} uur goed.`,
  },
  {
    codes: ['dnc.stale'],
    english: /^do-not-call list (?<list>\S+) is too old: calls that rest on it are refused$/,
    fr: ({ list }) => `Liste ${list}.`,
    nl: ({ list }) => `Lijst ${list}.`,
  },
  {
    codes: ['policy.expiring'],
    english: /^the signed policy is good for (?<hours>\d+) hours more$/,
    fr: ({ hours }) => `Bonne pour ${hours} h encore.`,
    nl: ({ hours }) => `Nog ${hours} uur goed.`,
  },
  {
    codes: ['policy.expired'],
    english: /^the signed policy is too old: calls that rest on it are refused$/,
    fr: NOTHING,
    nl: NOTHING,
  },
  {
    codes: ['zones.old'],
    english: /^the time zone rules are of (?<version>\S+): run a newer Node$/,
    fr: ({ version }) => `Version en place : ${version}.`,
    nl: ({ version }) => `Versie nu: ${version}.`,
  },
  {
    codes: ['clock.untrusted'],
    english: /^chrony says that the clock is (?<seconds>\S+) s off$/,
    fr: ({ seconds }) => `D’après chrony, elle est fausse de ${seconds} s.`,
    nl: ({ seconds }) => `Volgens chrony loopt hij ${seconds} s verkeerd.`,
  },
  {
    codes: ['clock.untrusted'],
    english: /^chrony has no source that it believes$/,
    fr: () => 'Chrony n’a aucune source qu’il croie.',
    nl: () => 'Chrony heeft geen bron die het gelooft.',
  },
  {
    codes: ['clock.untrusted'],
    english: /^the kernel counts the clock as not synchronised$/,
    fr: () => 'Pour le noyau, elle n’est pas synchronisée.',
    nl: () => 'Voor de kernel is hij niet gesynchroniseerd.',
  },
  {
    codes: ['line.controller-lost'],
    english: /^it does not answer$/,
    fr: NOTHING,
    nl: NOTHING,
  },
  {
    codes: ['line.controller-lost'],
    english: /^its agent is not there$/,
    fr: () => 'Son agent n’est pas là.',
    nl: () => 'De agent ervan is er niet.',
  },
  { codes: ['line.tamper'], english: /^its case is open$/, fr: NOTHING, nl: NOTHING },
  { codes: ['line.panic'], english: /^the panic button of \S+ is pressed$/, fr: NOTHING, nl: NOTHING },
  {
    codes: ['media.digits'],
    english: /^a digit was keyed as an event that may not pass$/,
    fr: () => 'Par la touche (RFC 4733).',
    nl: () => 'Met de toets (RFC 4733).',
  },
  {
    codes: ['media.digits'],
    english: /^a digit was keyed as a tone in the speech that may not pass$/,
    fr: () => 'Comme son dans la parole.',
    nl: () => 'Als toon in de spraak.',
  },
  {
    codes: ['media.digits'],
    english: /^a digit was keyed in an INFO that may not pass$/,
    fr: () => 'Dans un INFO.',
    nl: () => 'In een INFO.',
  },
  {
    codes: ['sip.second-registration'],
    english: /^(?<handset>\S+) is registered from (?<first>\S+); (?<address>\S+) wanted it too$/,
    fr: ({ first }) => `Inscrit depuis ${first}.`,
    nl: ({ first }) => `Aangemeld vanaf ${first}.`,
  },
  {
    codes: ['sip.replayed-nonce'],
    english: /^a used credential of (?<handset>\S+) came again$/,
    fr: () => 'Elle avait déjà servi.',
    nl: () => 'Het was al gebruikt.',
  },
  {
    codes: ['sip.replayed-nonce'],
    english: /^a credential of (?<handset>\S+) came from (?<address>\S+) instead$/,
    fr: () => 'Elle était pour une autre adresse.',
    nl: () => 'Het was voor een ander adres.',
  },
  {
    codes: ['provisioning.foreign-address'],
    english: /^(?<model>.+) (?<mac>[0-9a-f]{12}): (?<address>\S+) asked for what (?<first>\S+) has fetched$/,
    fr: ({ model, mac, first }) => `${model} ${mac} ; pris auparavant par ${first}.`,
    nl: ({ model, mac, first }) => `${model} ${mac}; eerder opgehaald door ${first}.`,
  },
  {
    codes: ['trunk.up'],
    english: /^(?<trunk>\S+) answers again$/,
    fr: ({ trunk }) => `Opérateur ${trunk}.`,
    nl: ({ trunk }) => `Operator ${trunk}.`,
  },
  {
    codes: ['trunk.registered'],
    english: /^(?<trunk>\S+) has registered us again$/,
    fr: ({ trunk }) => `Opérateur ${trunk}.`,
    nl: ({ trunk }) => `Operator ${trunk}.`,
  },
  {
    codes: ['trunk.bye-refused'],
    english: /^(?<trunk>\S+) does not believe our BYE$/,
    fr: ({ trunk }) => `Opérateur ${trunk}.`,
    nl: ({ trunk }) => `Operator ${trunk}.`,
  },
];

/** How often it came again since, which may stand behind any of them. */
const AGAIN = / \((?<more>\d+) more within a minute\)$/;
const MORE: Readonly<Record<'fr' | 'nl', (more: string) => string>> = {
  fr: (more) => `encore ${more} fois en une minute`,
  nl: (more) => `nog ${more} keer in een minuut`,
};

/** The detail of an alarm in a language; empty where the alarm's sentence says it all; undefined: there is only English. */
export function detailIn(language: Exclude<ConsoleLanguage, 'en'>, code: string, detail: string): string | undefined {
  const more = AGAIN.exec(detail)?.groups?.more;
  const plain = detail.replace(AGAIN, '');
  for (const { codes, english, [language]: say } of DETAILS) {
    if (!(codes as readonly string[]).includes(code)) continue;
    const found = english.exec(plain);
    if (found === null) continue;
    const said = say(found.groups ?? {});
    if (more === undefined) return said;
    return said === '' ? `(${MORE[language](more)})` : `${said} (${MORE[language](more)})`;
  }
  return undefined;
}
