import { Temporal } from 'temporal-polyfill';
import type { Judgement } from './console/api/calls.js';
import type { DayView, Interval, WeekView, WhenView } from './console/api/hours.js';
import type { ConsoleLanguage } from './console/api/people.js';
import type { WhenQuestion } from './console/source.js';
import type { Explanation } from './policy/explain.js';
import { type Hours, NEVER, opensFrom, together } from './policy/hours.js';
import type { HandsetId } from './policy/ids.js';
import { type Facts, UNUSED, type UsageBook } from './policy/request.js';
import { inWords } from './policy/words/words.js';
import type { SitePolicy } from './site-policy.js';

const WEEK_DAYS = 7;
/** More windows than this in a day are no windows that a person can read. */
const MOST_INTERVALS = 200;
const LEVELS = ['site', 'wing', 'handset'] as const;

/** The wire as it should be: whoever asks in advance asks for a handset that will be lifted. */
const GOOD_WIRE = { fitted: true, hook: 'off', supervised: true, relay: 'connected' } as const;

const instantOf = (ms: number): string => Temporal.Instant.fromEpochMilliseconds(ms).toString();

/** The open stretches of hours in [fromMs, toMs), as instants; those that touch are one. */
export function openIn(hours: Hours, fromMs: number, toMs: number): readonly Interval[] {
  const found: { from: number; until: number }[] = [];
  for (let at = fromMs; at < toMs && found.length < MOST_INTERVALS; ) {
    const { isOpen, to } = hours.stretchAt(at);
    const until = Math.min(to, toMs);
    const last = found.at(-1);
    if (isOpen && last?.until === at) last.until = until;
    else if (isOpen) found.push({ from: at, until });
    at = until;
  }
  return found.map(({ from, until }) => ({ from: instantOf(from), until: instantOf(until) }));
}

/**
 * The week of a handset in the site's zone, beside the hours in which somebody in another zone may be called by what is on file
 * for its country. Undefined for an unknown handset. A handset that is disabled, or a policy that does not hold, has no hours.
 * @param from the first date, YYYY-MM-DD; default: today at the site. Throws a RangeError for a date that does not exist.
 */
export function weekOf(
  policy: SitePolicy,
  handset: HandsetId,
  siteCountry: string,
  at: Temporal.Instant,
  zone: string | undefined,
  from: string | undefined,
): WeekView | undefined {
  const { handsets, callee, zone: siteZone } = policy.compiled;
  const known = handsets.get(handset);
  if (known === undefined) return undefined;
  const own = known.enabled && policy.isInForce(at) ? known.own.hours : NEVER;
  const otherZone = zone ?? siteZone;
  const country = zone === undefined ? siteCountry : policy.countryOf(zone);
  const theirs = (country === undefined ? undefined : callee.placeIn(country, otherZone)?.hours) ?? NEVER;
  const first = from === undefined ? at.toZonedDateTimeISO(siteZone).toPlainDate() : Temporal.PlainDate.from(from);
  const startOf = (date: Temporal.PlainDate, of: string): number => date.toZonedDateTime(of).epochMilliseconds;
  const days = Array.from({ length: WEEK_DAYS }, (_, index): DayView => {
    const date = first.add({ days: index });
    const next = date.add({ days: 1 });
    return {
      date: date.toString(),
      siteWindows: openIn(own, startOf(date, siteZone), startOf(next, siteZone)),
      zoneWindows: openIn(theirs, startOf(date, otherZone), startOf(next, otherZone)),
    };
  });
  return { zone: otherZone, siteZone, days };
}

/** An explanation's rules in the words of a language. */
export function judgementsOf(judged: Explanation['judged'], language: ConsoleLanguage): readonly Judgement[] {
  return judged.map(({ rule, verdict, facts }) => ({
    rule,
    verdict,
    words: facts.map((fact) => inWords(fact, language)),
  }));
}

/** Whether a handset may call a number or a country now, or when next. Nothing of the question is kept. */
export function whenMay(
  policy: SitePolicy,
  handset: HandsetId,
  question: WhenQuestion,
  facts: Omit<Facts, 'line'>,
  usage: UsageBook,
  at: Temporal.Instant,
  language: ConsoleLanguage,
): WhenView | undefined {
  if (!policy.compiled.handsets.has(handset)) return undefined;
  if ('country' in question) return whenCountry(policy, handset, question.country, facts, at, language);
  const request = { handset, dialled: question.number };
  const said = policy.explain(request, { ...facts, line: GOOD_WIRE }, at, usage);
  const why = judgementsOf(said.judged, language);
  const { decision } = said;
  if (decision.outcome === 'grant') {
    const { notAfter, notAfterBy, calleeZones } = decision;
    return { allowedNow: true, notAfter: notAfter.toString(), endsBy: notAfterBy, zones: calleeZones, why };
  }
  const refused = said.judged.find(({ verdict }) => verdict === 'refuses');
  const fact = refused?.facts[0];
  return {
    allowedNow: false,
    rule: decision.rule,
    fact: fact === undefined ? decision.fact : inWords(fact, language),
    ...(decision.nextAllowed === undefined ? {} : { nextAllowed: decision.nextAllowed.toString() }),
    why,
  };
}

/** Of a country no number is known, so its lists and limits are not judged: the hours, the lockdowns and the handset are. */
function whenCountry(
  policy: SitePolicy,
  handset: HandsetId,
  country: string,
  facts: Omit<Facts, 'line'>,
  at: Temporal.Instant,
  language: ConsoleLanguage,
): WhenView {
  const known = policy.compiled.handsets.get(handset);
  const place = policy.compiled.callee.placeIn(country);
  const ms = at.epochMilliseconds;
  const general = policy.explain({ handset, dialled: '' }, { ...facts, line: GOOD_WIRE }, at, UNUSED);
  // What is asked of every call, whomever it is for.
  const isGeneral = (rule: string): boolean =>
    /^(clock|policy|lockdown|handset|window\.(site|wing|handset))/.test(rule);
  const judged = general.judged.filter(({ rule }) => isGeneral(rule));
  const isCalleeOpen = place?.hours.stretchAt(ms).isOpen === true;
  const callee: Judgement = { rule: 'window.callee', verdict: isCalleeOpen ? 'passes' : 'refuses', words: [] };
  const why = [...judgementsOf(judged, language), callee];
  const refusing = judged.find(({ verdict }) => verdict === 'refuses');
  const hours = together([known?.own.hours ?? NEVER, place?.hours ?? NEVER]);
  const isHopeless = refusing !== undefined && !/^(window|lockdown)/.test(refusing.rule);
  const locks = facts.lockdowns.filter(({ target }) => {
    if (target.kind === 'wing') return target.wing === known?.wing;
    return target.kind === 'site' || (target.kind === 'handset' && target.handset === handset);
  });
  const unlockedMs = Math.max(ms, ...locks.map(({ until }) => until?.epochMilliseconds ?? Number.POSITIVE_INFINITY));
  if (refusing === undefined && isCalleeOpen) {
    const { to } = hours.stretchAt(ms);
    const bound = LEVELS.find((level) => (known?.levels.get(level)?.hours.stretchAt(ms).to ?? Infinity) <= to);
    return {
      allowedNow: true,
      ...(Number.isFinite(to)
        ? { notAfter: instantOf(to), endsBy: bound === undefined ? 'window.callee' : `window.${bound}` }
        : {}),
      zones: place?.zones ?? [],
      why,
    };
  }
  const next = isHopeless || !Number.isFinite(unlockedMs) ? undefined : opensFrom(hours, unlockedMs);
  const fact = refusing?.facts[0];
  return {
    allowedNow: false,
    rule: refusing?.rule ?? 'window.callee',
    ...(fact === undefined ? {} : { fact: inWords(fact, language) }),
    ...(next === undefined ? {} : { nextAllowed: instantOf(next) }),
    zones: place?.zones ?? [],
    why,
  };
}
