import { parseArgs } from 'node:util';
import { Temporal } from 'temporal-polyfill';
import type { Campaign, Person } from '../../config/schema/types.generated.js';
import { systemClock } from '../../gateway/clock/system-clock.js';
import { isZone } from '../../gateway/config/formats.js';
import { loadSite } from '../../gateway/config/site.js';
import type { Decision } from '../../gateway/policy/decision.js';
import type { Explanation } from '../../gateway/policy/explain.js';
import { handsetId, personId } from '../../gateway/policy/ids.js';
import type { DialRequest, Facts } from '../../gateway/policy/request.js';
import { inWords, LANGUAGES, type TechnicianLanguage } from '../../gateway/policy/words/words.js';
import { SitePolicy } from '../../gateway/site-policy.js';
import { withinCampaign } from '../../gateway/work/contact-judge.js';
import { type Command, EXIT, needed, UsageFault } from './command.js';
import { EXPLAIN_WORDS, type ExplainWords } from './explain-words.js';
import { siteFolderOf } from './gateway-client.js';
import { knownOf, openBooks } from './site-books.js';

const HELP = `balise explain: why a call is refused or granted, rule by rule, and when it would pass

usage: balise explain [--site <folder>] --handset <id> --number <number> [options]

  --site      the site's folder; default $BALISE_SITE, or /etc/balise/site
  --handset   the asking handset's id
  --number    what it dials: a number in any form, or a code
  --at        an instant (2026-03-04T12:00Z), or a time of the site's zone (2026-03-04T12:00); default: now
  --person    who is signed on at it: that person's hours and limits are judged too
  --campaign  the campaign that a contact with this number is called for: its law, hours, limits and lists are judged too
  --zone      the contact's own zone, where it is known
  --language  en, fr or nl; default en
  --json      the same as JSON on stdout: {"at", "judged": [{rule, verdict, facts, words}, …], "decision",
              "binding": {fact, words} of the limit that bounds the talk, "notes"}

What has been used, and the cutoffs in force, are read from the site's data folder, beside a gateway that runs. The clock
and the wire are not looked at: they are taken to be as they should. Persons and campaigns are those of the data folder, as
balise person and balise campaign have them; how often one contact was tried in its campaign is not looked at.

Exit status 0 when the call is granted, 1 when it is refused.

example
  balise explain --site config/demo --handset a-101 --number +442079460001 --at 2026-03-04T12:00
  balise explain --site /etc/balise --handset b-201 --number +902122440001 --person p-17 --campaign trains
`;

const GOOD_WIRE = { fitted: true, hook: 'off', supervised: true, relay: 'connected' } as const;

/** `balise explain` */
export const explain: Command = {
  name: 'explain',
  summary: 'why a call is refused or granted, rule by rule, and when it would pass',
  help: HELP,
  async run(args, terminal) {
    const text = { type: 'string' } as const;
    const what = { site: text, handset: text, number: text, person: text, campaign: text };
    const options = { ...what, at: text, zone: text, language: text };
    const { values } = parseArgs({ args: [...args], options: { ...options, json: { type: 'boolean' } } });
    const folder = siteFolderOf(values.site);
    const handset = handsetId(needed(values.handset, '--handset'));
    const dialled = needed(values.number, '--number');
    const language = languageOf(values.language);
    if (values.zone !== undefined && !isZone(values.zone))
      throw new UsageFault(`--zone ${values.zone} is no IANA zone`);
    const site = await loadSite(folder);
    const at = instantOf(values.at, site.site.zone);
    const books = openBooks(site);
    try {
      const person = values.person === undefined ? undefined : knownOf('person', books.people, values.person);
      const campaign =
        values.campaign === undefined ? undefined : knownOf('campaign', books.campaigns, values.campaign);
      const request: DialRequest = {
        handset,
        dialled,
        ...(person !== undefined && { person: personId(person.id), personFacts: person }),
        ...(campaign !== undefined && { campaign, isContact: true }),
        ...(values.zone !== undefined && { calleeZone: values.zone }),
      };
      const lockdowns = books.lockdowns(at.epochMilliseconds);
      const facts: Facts = { clock: { trusted: true }, line: GOOD_WIRE, lockdowns };
      const words = EXPLAIN_WORDS[language];
      const notes = [
        ...(books.note === undefined ? [] : [words.books(books.note)]),
        ...notesOf(words, handset, person, campaign),
      ];
      const policy = new SitePolicy(site, (code, why) => notes.push(`${code}: ${why}`), undefined, books.doNotCall);
      await policy.load(at);
      const judged = policy.explain(request, facts, at, books.usage);
      const { decision } = judged;
      const said =
        campaign === undefined || decision.outcome === 'refusal'
          ? judged
          : { ...judged, decision: withinCampaign(decision, campaign) };
      terminal.stdout.write(
        values.json === true
          ? asJson(said, at, notes, language)
          : asText(said, at.toZonedDateTimeISO(site.site.zone), notes, language),
      );
      return said.decision.outcome === 'grant' ? EXIT.ok : EXIT.no;
    } finally {
      books.close();
    }
  },
};

/** What is true of these three and is no rule of a call. */
function notesOf(
  words: ExplainWords,
  handset: string,
  person: Person | undefined,
  campaign: Campaign | undefined,
): readonly string[] {
  const notes: string[] = [];
  if (person !== undefined && !person.handsets.includes(handset)) notes.push(words.notSignsOn(person.id, handset));
  if (person !== undefined && campaign !== undefined && !person.campaigns.includes(campaign.id))
    notes.push(words.notWorks(person.id, campaign.id));
  return notes;
}

/** The language of a technician, by its option. Throws a `UsageFault` for any other. */
export function languageOf(asked = 'en'): TechnicianLanguage {
  const found = LANGUAGES.find((language) => language === asked);
  if (found === undefined) throw new UsageFault(`--language is one of ${LANGUAGES.join(', ')}`);
  return found;
}

/** An instant as a person writes it: with its offset or Z, or as a wall time of the zone; now when nothing is written. */
export function instantOf(text: string | undefined, zone: string): Temporal.Instant {
  if (text === undefined) return systemClock(() => ({ trusted: true })).wall();
  try {
    return /(Z|[+-]\d\d:?\d\d)$/i.test(text)
      ? Temporal.Instant.from(text)
      : Temporal.PlainDateTime.from(text).toZonedDateTime(zone).toInstant();
  } catch (fault) {
    if (fault instanceof RangeError)
      throw new UsageFault(`${text} is no instant: write 2026-03-04T12:00 or 2026-03-04T12:00Z`);
    throw fault;
  }
}

function asJson(
  said: Explanation,
  at: Temporal.Instant,
  notes: readonly string[],
  language: TechnicianLanguage,
): string {
  const judged = said.judged.map((one) => ({ ...one, words: one.facts.map((fact) => inWords(fact, language)) }));
  const { decision, binding: fact } = said;
  const binding = fact !== undefined && { binding: { fact, words: inWords(fact, language) } };
  return `${JSON.stringify({ at, judged, decision, ...binding, notes }, null, 2)}\n`;
}

function asText(
  { judged, decision, binding }: Explanation,
  at: Temporal.ZonedDateTime,
  notes: readonly string[],
  language: TechnicianLanguage,
): string {
  const rows = judged.map(({ rule, verdict, facts }) => {
    const sign = verdict === 'passes' ? '  ' : '✗ ';
    return `${sign}${rule.padEnd(22)} ${facts.map((fact) => inWords(fact, language)).join('; ')}`.trimEnd();
  });
  const when = (instant: Temporal.Instant) =>
    instant.toZonedDateTimeISO(at.timeZoneId).toString({ offset: 'never', fractionalSecondDigits: 0 });
  const head = at.toString({ offset: 'never', fractionalSecondDigits: 0 });
  const words = EXPLAIN_WORDS[language];
  const verdict = verdictOf(decision, when, words, binding === undefined ? undefined : inWords(binding, language));
  return `${head}\n${rows.join('\n')}\n${verdict}\n${notes.map((note) => `${words.note}: ${note}\n`).join('')}`;
}

function verdictOf(
  decision: Decision,
  when: (at: Temporal.Instant) => string,
  words: ExplainWords,
  binding: string | undefined,
): string {
  if (decision.outcome === 'grant') {
    const { notAfter, notAfterBy, maxTalkMs, maxTalkBy } = decision;
    const by = maxTalkBy === 'limit.talk' && binding !== undefined ? `${maxTalkBy}: ${binding}` : maxTalkBy;
    const most = `${words.talk} ${Math.floor(maxTalkMs / 1000)} s (${by})`;
    return `${words.grant} ${words.until} ${when(notAfter)} (${notAfterBy}), ${most}`;
  }
  const { rule, sipStatus, nextAllowed } = decision;
  const next = nextAllowed === undefined ? words.never : `${words.next} ${when(nextAllowed)}`;
  // What refuses and is no rule of policy's stands in no row above.
  const why = rule.startsWith('fault.') ? `: ${decision.fact}` : '';
  return `${words.refusal} ${words.by} ${rule}${why} (SIP ${sipStatus}); ${next}`;
}
