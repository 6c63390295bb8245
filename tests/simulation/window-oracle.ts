import Holidays from 'date-holidays';
import { Temporal } from 'temporal-polyfill';

/** Weekly hours as a person would write them. */
export interface WindowRule {
  readonly zone: string;
  readonly windows: readonly { readonly days: readonly string[]; readonly from: string; readonly to: string }[];
  /** Closed on the public holidays of this country. */
  readonly closedIn?: string;
  /** The hours of some dates of every year, in place of the others: "12-24". */
  readonly dates?: Readonly<Record<string, { readonly from: string; readonly to: string }>>;
}

const dates = new Map<number, string>();
/** The date of a day since 1970. */
function dateOf(day: number): string {
  const date = dates.get(day) ?? new Date(day * 86_400_000).toISOString().slice(0, 10);
  dates.set(day, date);
  return date;
}

const holidays = new Map<string, ReadonlySet<string>>();

/** Whether a date is a public holiday, by the library's own table. */
export function isHoliday(country: string, day: number): boolean {
  const date = dateOf(day);
  const key = `${country} ${date.slice(0, 4)}`;
  let known = holidays.get(key);
  if (known === undefined) {
    const all = new Holidays(country).getHolidays(Number(date.slice(0, 4)));
    known = new Set(all.filter(({ type }) => type === 'public').map((one) => one.date.slice(0, 10)));
    holidays.set(key, known);
  }
  return known.has(date);
}

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const HOUR_MS = 3_600_000;
/** A stretch between two changes of a zone's clocks. */
interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
  readonly offsetMs: number;
}

/** The stretches looked at so far, by zone; the one looked at last comes first. */
const stretches = new Map<string, Stretch[]>();

/** Offset of a zone, milliseconds. */
function offsetMs(zone: string, atMs: number): number {
  let known = stretches.get(zone);
  if (known === undefined) {
    known = [];
    stretches.set(zone, known);
  }
  for (const stretch of known) if (atMs >= stretch.fromMs && atMs < stretch.toMs) return stretch.offsetMs;
  const at = Temporal.Instant.fromEpochMilliseconds(Math.floor(atMs)).toZonedDateTimeISO(zone);
  const next = at.getTimeZoneTransition('next');
  // A nanosecond on, because an instant at which the clocks change belongs to what comes after it.
  const previous = at.add({ nanoseconds: 1 }).getTimeZoneTransition('previous');
  const found: Stretch = {
    fromMs: previous?.epochMilliseconds ?? Number.NEGATIVE_INFINITY,
    toMs: next?.epochMilliseconds ?? Number.POSITIVE_INFINITY,
    offsetMs: at.offsetNanoseconds / 1e6,
  };
  known.unshift(found);
  return found.offsetMs;
}

/** Whether the clocks of a zone change within three hours of an instant. */
export function changesAbout(zone: string, atMs: number): boolean {
  return offsetMs(zone, atMs - 3 * HOUR_MS) !== offsetMs(zone, atMs + 3 * HOUR_MS);
}

/** The date that people's calendars show in the zone, days since 1970. */
export function localDay(zone: string, atMs: number): number {
  return Math.floor((atMs + offsetMs(zone, atMs)) / 86_400_000);
}

const minutes = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));

/**
 * Whether people's clocks in the zone show a time inside the windows: a few lines that know nothing of how policy does it. In
 * the hour that comes twice, a window whose edge lies in it opens the second time and closes the first.
 */
export function isOpen({ zone, windows, closedIn, dates }: WindowRule, atMs: number): boolean {
  const offset = offsetMs(zone, atMs);
  const localMs = atMs + offset;
  const day = Math.floor(localMs / 86_400_000);
  const minute = (localMs - day * 86_400_000) / 60_000;
  if (closedIn !== undefined && isHoliday(closedIn, day)) return false;
  const only = dates?.[dateOf(day).slice(5)];
  if (only !== undefined && !(minute >= minutes(only.from) && minute < minutes(only.to))) return false;
  const name = (n: number): string => DAYS[(((n + 3) % 7) + 7) % 7] ?? '';
  const isOfThisHour = (edge: number): boolean => Math.floor(edge / 60) === Math.floor(minute / 60);
  const comesAgain = offsetMs(zone, atMs + HOUR_MS) < offset;
  const cameBefore = offsetMs(zone, atMs - HOUR_MS) > offset;
  return windows.some(({ days, from, to }) => {
    const [open, close] = [minutes(from), minutes(to)];
    const isPastOpening = minute >= open && !(comesAgain && isOfThisHour(open));
    const isBeforeClosing = minute < close && !(cameBefore && isOfThisHour(close));
    if (close > open) return days.includes(name(day)) && isPastOpening && isBeforeClosing;
    return (days.includes(name(day)) && isPastOpening) || (days.includes(name(day - 1)) && isBeforeClosing);
  });
}

/** The first look, of one every five minutes and one just before the end, at which a rule is closed; undefined when none is. */
export function closedWithin(rules: readonly WindowRule[], fromMs: number, toMs: number): string | undefined {
  for (const rule of rules) {
    for (let at = fromMs; at < toMs; at += 300_000) if (!isOpen(rule, at)) return closed(rule, at);
    if (toMs > fromMs && !isOpen(rule, toMs - 1)) return closed(rule, toMs - 1);
  }
  return undefined;
}

/** The first whole minute at which a rule is closed, within a stretch; never (infinity) when none is. */
export function closedFrom(rules: readonly WindowRule[], fromMs: number, toMs: number): number {
  for (let at = fromMs; at < toMs; at += 60_000 - (at % 60_000))
    if (!rules.every((rule) => isOpen(rule, at))) return at;
  return Number.POSITIVE_INFINITY;
}

function closed({ zone }: WindowRule, atMs: number): string {
  const at = Temporal.Instant.fromEpochMilliseconds(Math.floor(atMs)).toZonedDateTimeISO(zone);
  return `${at.toPlainDateTime().toString()} in ${zone}`;
}
