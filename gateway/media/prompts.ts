/**
 * What a caller is told in words: names of recorded pieces, in the order in which they are played. The pieces are files of
 * config/prompts/<language>/, one set a language; the relay holds them and plays them.
 */
import type { Temporal } from 'temporal-polyfill';
import type { RuleId } from '../policy/decision.js';

export const LANGUAGES = ['fr', 'nl', 'sq', 'ru', 'tr', 'de', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

/** The sentence for each rule; a rule that the compiler finds no sentence for does not compile. */
const SENTENCES: Readonly<Record<RuleId, string>> = {
  'clock.untrusted': 'refused.clock',
  'policy.missing': 'refused.policy',
  'policy.expired': 'refused.policy',
  'policy.unsigned': 'refused.policy',
  'lockdown.site': 'refused.lockdown',
  'lockdown.wing': 'refused.lockdown',
  'lockdown.handset': 'refused.lockdown',
  'lockdown.person': 'refused.lockdown',
  'handset.unknown': 'refused.handset',
  'handset.disabled': 'refused.handset',
  'line.not-off-hook': 'refused.line',
  'line.unsupervised': 'refused.line',
  'person.not-signed-on': 'refused.sign-on',
  'person.suspended': 'refused.person',
  'dial.malformed': 'refused.number',
  'dial.free-dialling': 'refused.codes',
  'number.class': 'refused.class',
  'number.blocked': 'refused.blocked',
  'number.not-sanctioned': 'refused.not-sanctioned',
  'dnc.listed': 'refused.do-not-call',
  'dnc.stale': 'refused.do-not-call',
  'contact.refused': 'refused.contact',
  'window.site': 'refused.window-site',
  'window.wing': 'refused.window-wing',
  'window.handset': 'refused.window-handset',
  'window.person': 'refused.window-person',
  'window.campaign': 'refused.window-campaign',
  'window.callee': 'refused.callee-hours',
  'holiday.callee': 'refused.callee-holiday',
  'limit.attempts': 'refused.attempts',
  'limit.gap': 'refused.gap',
  'limit.calls': 'refused.calls',
  'limit.talk': 'refused.talk',
  'limit.concurrent': 'refused.concurrent',
  'store.full': 'refused.fault',
  'fault.media': 'refused.fault',
  'fault.signalling': 'refused.fault',
  'fault.store': 'refused.fault',
};

/** Waits that have a piece of their own, minutes. */
const WAITS_MIN = [1, 2, 5, 10, 15, 30, 60] as const;
const MINUTE_STEP = 5;
const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const WEEK = 7;

/**
 * Why a call is refused and from when it may be, as pieces: the sentence of the rule; then, where waiting helps, in how many
 * minutes (rounded up, for waits of up to an hour) or on which day and at what time of `zone` (rounded up to five minutes:
 * what is said is never too early).
 */
export function refusalPieces(
  rule: RuleId,
  nextAllowed: Temporal.Instant | undefined,
  now: Temporal.Instant,
  zone: string,
): readonly string[] {
  const sentence = SENTENCES[rule];
  return nextAllowed === undefined ? [sentence] : [sentence, ...whenPieces(nextAllowed, now, zone)];
}

/** An instant that is to come, in pieces: in how many minutes, or on which day and at what time of `zone`, never too early. */
export function whenPieces(next: Temporal.Instant, now: Temporal.Instant, zone: string): readonly string[] {
  const waitMin = Math.max(1, Math.ceil((next.epochMilliseconds - now.epochMilliseconds) / 60_000));
  const said = WAITS_MIN.find((minutes) => minutes >= waitMin);
  if (said !== undefined) return ['next.in', `in.${said}`];
  const at = next
    .toZonedDateTimeISO(zone)
    .round({ smallestUnit: 'minute', roundingIncrement: MINUTE_STEP, roundingMode: 'ceil' });
  const days = now.toZonedDateTimeISO(zone).toPlainDate().until(at.toPlainDate()).days;
  if (days >= WEEK) return ['next', 'later'];
  const day = days <= 1 ? `day.${days}` : `day.${WEEKDAYS[at.dayOfWeek - 1]}`;
  const { hour, minute } = at;
  return ['next', day, `at.${hour}`, minute === 0 ? 'sharp' : `minute.${minute}`];
}

/** Which warnings have words, seconds before the end; the others are tones. */
export const SPOKEN_WARNINGS: Readonly<Record<number, string>> = {
  300: 'warning.300',
  60: 'warning.60',
  30: 'warning.30',
  10: 'warning.10',
};
/** The last words before a deadline. */
export const CLOSING = 'ended.deadline';
export const ANNOUNCEMENT = 'announcement.callee';
