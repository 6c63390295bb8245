/**
 * What a new policy lets through that the old one did not: level by level, in words that a signer can check. Where it is
 * not certain that a change narrows, it counts as one that widens.
 */
import type {
  CallingHours,
  Exceptions,
  HoursOfDate,
  Limit,
  Profile,
  Window,
} from '../../config/schema/types.generated.js';
import { STRICTEST } from './callee-hours.js';
import { isNoLooser, limitSet } from './limits.js';
import type { PolicyInput } from './policy.js';
import { limitsOf } from './profile-parts.js';

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const DAY = 1_440;

interface Part {
  readonly windows?: readonly Window[];
  readonly exceptions?: Exceptions;
  readonly limits?: readonly Limit[];
  readonly block?: readonly string[];
}

/** Everything in which `to` is wider than `from`; empty when it only narrows. Both are of one site's folder. */
export function widenings(from: PolicyInput, to: PolicyInput): readonly string[] {
  const found: string[] = [];
  const level = (name: string, before: Part | undefined, after: Part | undefined): void => {
    for (const what of partWidens(before ?? {}, after ?? {})) found.push(`${name}: ${what}`);
  };
  // A thousand handsets have a few profiles between them.
  const known = new Map<Profile, Map<Profile, readonly string[]>>();
  const ofProfiles = (old: Profile, fresh: Profile): readonly string[] => {
    const ofOld = known.get(old) ?? new Map<Profile, readonly string[]>();
    const wider = ofOld.get(fresh) ?? profileWidens(from, old, to, fresh);
    known.set(old, ofOld.set(fresh, wider));
    return wider;
  };
  level('site', from.bundle?.site, to.bundle?.site);
  for (const { id } of to.wings) level(`wing ${id}`, from.bundle?.wings?.[id], to.bundle?.wings?.[id]);
  for (const handset of to.handsets) {
    const { id } = handset;
    const [before, after] = [from.bundle?.handsets?.[id], to.bundle?.handsets?.[id]];
    level(`handset ${id}`, before, after);
    if (handset.enabled && before?.enabled === false && after?.enabled !== false)
      found.push(`handset ${id}: is enabled`);
    const [old, fresh] = [
      profileOf(from, before?.profile ?? handset.profile),
      profileOf(to, after?.profile ?? handset.profile),
    ];
    if (fresh === undefined) continue;
    const wider = old === undefined ? ['has a profile that was not'] : ofProfiles(old, fresh);
    for (const what of wider) found.push(`handset ${id}: ${what}`);
  }
  for (const [country, before, after] of countries(from, to)) {
    for (const what of calleeWidens(before, after)) found.push(`callees in ${country}: ${what}`);
  }
  return found;
}

const filesOf = (input: PolicyInput) => input.bundle ?? input;
const profileOf = (input: PolicyInput, id: string): Profile | undefined =>
  filesOf(input).profiles.find((one) => one.id === id);

/** In what a level's hours, limits and blocked numbers let more through. */
export function partWidens(before: Part, after: Part): string[] {
  const found: string[] = [];
  if (!isWithin(after.windows, before.windows)) found.push('hours open that were closed');
  if (!keepsExceptions(before.exceptions, after.exceptions)) found.push('a date has more hours than it had');
  if (!isNoLooser(limitSet(after.limits ?? []), limitSet(before.limits ?? []))) found.push('a limit is looser or gone');
  const lifted = (before.block ?? []).filter((pattern) => !covers(after.block ?? [], pattern));
  if (lifted.length > 0) found.push(`${lifted.length} blocked patterns are blocked no longer`);
  return found;
}

function profileWidens(from: PolicyInput, old: Profile, to: PolicyInput, fresh: Profile): string[] {
  const found = partWidens(
    { ...old, limits: limitsOf(old), block: patternsOf(from, old, 'block') },
    { ...fresh, limits: limitsOf(fresh), block: patternsOf(to, fresh, 'block') },
  );
  const before = patternsOf(from, old, 'allow');
  const known = new Set(before);
  const more = patternsOf(to, fresh, 'allow').filter((pattern) => !known.has(pattern) && !covers(before, pattern));
  if (more.length > 0) found.push(`${more.length} patterns are sanctioned that were not`);
  const wider: readonly (readonly [boolean, string])[] = [
    [fresh.maxTalkS > old.maxTalkS, 'a call may last longer'],
    [(fresh.silenceDays ?? 0) < (old.silenceDays ?? 0), 'a refusal is silence for fewer days'],
    [fresh.ringS > old.ringS, 'a call may ring longer'],
    [old.hookRequired && !fresh.hookRequired, 'the hook need no longer be off'],
    [old.controllerLost === 'end' && fresh.controllerLost === 'alarm', 'a lost controller no longer ends a call'],
    [!old.earlyMedia && fresh.earlyMedia, 'sound comes before the answer'],
    [[...fresh.digitsAllowed].some((digit) => !old.digitsAllowed.includes(digit)), 'more digits reach the callee'],
    [old.personRequired === true && fresh.personRequired !== true, 'nobody need be signed on'],
    [fresh.signOnCode !== undefined && fresh.signOnCode !== old.signOnCode, 'people may sign on to work'],
    [old.tokenOnly && !fresh.tokenOnly, 'numbers may be keyed and not codes alone'],
    [fresh.trunks.some((trunk) => !old.trunks.includes(trunk)), 'another trunk is used'],
    [fresh.callerIdentity !== old.callerIdentity, 'another calling identity is shown'],
    [!keepsLists(old.doNotCall ?? [], fresh.doNotCall ?? []), 'a do-not-call list is asked less, or may be older'],
  ];
  return [...found, ...wider.filter(([isWider]) => isWider).map(([, what]) => what)];
}

function patternsOf(input: PolicyInput, profile: Profile, which: 'allow' | 'block'): readonly string[] {
  const { lists } = filesOf(input);
  const named = profile.lists[which].flatMap((name) => lists[name] ?? []);
  const coded = which === 'allow' ? Object.values(profile.tokens).filter((number) => number !== undefined) : [];
  return [...profile[which], ...named, ...coded];
}

/** Whether everything that a pattern stands for is in the patterns. */
function covers(patterns: readonly string[], pattern: string): boolean {
  const begins = pattern.endsWith('*') ? pattern.slice(0, -1) : pattern;
  return patterns.some((one) => (one.endsWith('*') ? begins.startsWith(one.slice(0, -1)) : one === pattern));
}

/** Whether every do-not-call list is asked at least as it was. */
export function keepsLists(
  before: NonNullable<Profile['doNotCall']>,
  after: NonNullable<Profile['doNotCall']>,
): boolean {
  return before.every(({ list, mostAgeH, countries }) =>
    after.some(
      (one) =>
        one.list === list &&
        one.mostAgeH <= mostAgeH &&
        (one.countries === undefined || (countries?.every((country) => one.countries?.includes(country)) ?? false)),
    ),
  );
}

/** Whether hours are within other hours, minute by minute of a week, with no holiday in it and with nothing else. */
function isWithin(inner: readonly Window[] | undefined, outer: readonly Window[] | undefined): boolean {
  if (outer === undefined) return true;
  if (inner === undefined) return false;
  return [false, true].every((isHoliday) => {
    const [small, large] = [weekOf(inner, isHoliday), weekOf(outer, isHoliday)];
    return small.every((isOpen, minute) => isOpen === 0 || large[minute] === 1);
  });
}

function weekOf(windows: readonly Window[], isHoliday: boolean): Uint8Array {
  const week = new Uint8Array(7 * DAY);
  const minute = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
  for (const { days, from, to, holidays } of windows) {
    if (isHoliday && holidays === 'never') continue;
    for (const [index, day] of DAYS.entries()) {
      if (!(isHoliday && holidays === 'always') && !days.includes(day)) continue;
      const opens = index * DAY + minute(from);
      const length = minute(to) > minute(from) ? minute(to) - minute(from) : DAY - minute(from) + minute(to);
      for (let at = opens; at < opens + length; at += 1) week[at % week.length] = 1;
    }
  }
  return week;
}

/** Every date that had hours of its own still has, and none beyond them. */
function keepsExceptions(before: Exceptions | undefined, after: Exceptions | undefined): boolean {
  return Object.entries(before ?? {}).every(([date, hours]) => {
    // A date of one year takes the place of the same date of each year.
    const isYearly = date.length === 5;
    const now = Object.entries(after ?? {}).filter(([other]) => other === date || (isYearly && other.endsWith(date)));
    return now.some(([other]) => other === date) && now.every(([, own]) => isInside(own ?? [], hours ?? []));
  });
}

const isInside = (inner: readonly HoursOfDate[], outer: readonly HoursOfDate[]): boolean =>
  inner.every(({ from, to }) => outer.some((one) => one.from <= from && one.to >= to));

type Rule = Omit<CallingHours, 'country'>;

function countries(from: PolicyInput, to: PolicyInput): readonly (readonly [string, Rule, Rule])[] {
  const ruleOf = (input: PolicyInput, country: string): Rule =>
    [...(input.bundle?.callingHours ?? []), ...input.callingHours].find((one) => one.country === country) ?? STRICTEST;
  const all = [from, to].flatMap((input) => [...input.callingHours, ...(input.bundle?.callingHours ?? [])]);
  return [...new Set(all.map(({ country }) => country))].map((country) => [
    country,
    ruleOf(from, country),
    ruleOf(to, country),
  ]);
}

function calleeWidens(before: Rule, after: Rule): string[] {
  const closed = (rule: Rule): Part => ({
    ...rule,
    windows: rule.closedOnHolidays
      ? rule.windows.map((window): Window => ({ ...window, holidays: 'never' }))
      : rule.windows,
  });
  const regions = new Set(after.holidayRegions ?? []);
  const lost = before.closedOnHolidays && (before.holidayRegions ?? []).some((region) => !regions.has(region));
  const sooner = (after.silenceDays ?? 0) < (before.silenceDays ?? 0);
  return [
    ...partWidens(closed(before), closed(after)),
    ...(lost ? ['holidays of a region are open'] : []),
    ...(sooner ? ['a refusal is silence for fewer days'] : []),
  ];
}
