import type { Disposition } from '../../config/schema/types.generated.js';

/** What a person keys for how a call went. */
export const DISPOSITION_KEYS: Readonly<Record<string, Disposition>> = {
  '1': 'completed',
  '2': 'refused',
  '3': 'do-not-call',
  '4': 'call-back',
  '5': 'wrong-language',
  '6': 'wrong-number',
  '7': 'answering-machine',
  '8': 'night-here',
  '9': 'distress',
};

/** How a contact has been treated so far, and how its campaign treats contacts. */
export interface FateFacts {
  readonly attempts: number;
  readonly mostAttempts: number;
  readonly spacingMs: number;
  /** Of a call-back: when, epoch milliseconds. */
  readonly callBackMs?: number;
  /** Of a call that policy refused, or that could not be tried. */
  readonly refusal?: CallRefusal;
  /** Of "it is night here": the zones that the contact may be in, of those in which it is night now; empty: none is known. */
  readonly nightZones?: readonly string[];
}

/** Why policy refused a contact's call, and when it would pass. */
export interface CallRefusal {
  readonly rule: string;
  readonly nextAllowedMs?: number;
}

/** What of a number never changes by waiting. */
const FOR_GOOD = /^(dnc\.listed|number\.)/;
/** Before a call that was not made is tried again, milliseconds: whatever was in its way may be gone. */
const NOT_CALLED_MS = 300_000;

/** What becomes of a contact. */
export type Fate =
  | { readonly is: 'over' }
  /** It may be tried again, in these zones where they are named. */
  | {
      readonly is: 'again';
      readonly notBeforeMs: number;
      readonly zones?: readonly string[];
      /** Nobody was called: it was no attempt. */
      readonly isUncounted?: true;
    }
  | { readonly is: 'call-back'; readonly dueMs: number };

/**
 * What becomes of a contact after an outcome. Whatever may have been a refusal ends it: a person who gave no disposition may
 * have heard one. Nothing goes beyond the campaign's most attempts, not even a call-back: headquarters hears of that one.
 */
export function fateOf(disposition: Disposition, facts: FateFacts, nowMs: number): Fate {
  const again = (notBeforeMs: number): Fate =>
    facts.attempts >= facts.mostAttempts ? { is: 'over' } : { is: 'again', notBeforeMs };
  switch (disposition) {
    case 'completed':
    case 'refused':
    case 'do-not-call':
    case 'wrong-number':
    case 'wrong-language':
    case 'distress':
    case 'undisposed':
      return { is: 'over' };
    case 'call-back':
      if (facts.attempts >= facts.mostAttempts || facts.callBackMs === undefined) return { is: 'over' };
      return { is: 'call-back', dueMs: Math.max(nowMs, facts.callBackMs) };
    case 'answering-machine':
    case 'no-answer':
    case 'busy':
    case 'not-connected':
      return again(nowMs + facts.spacingMs);
    case 'not-called': {
      const { rule, nextAllowedMs = 0 } = facts.refusal ?? {};
      if (rule !== undefined && FOR_GOOD.test(rule)) return { is: 'over' };
      return { is: 'again', notBeforeMs: Math.max(nowMs + NOT_CALLED_MS, nextAllowedMs), isUncounted: true };
    }
    case 'night-here': {
      const zones = facts.nightZones ?? [];
      // Where it may be is not known any more: nobody guesses, headquarters does.
      if (zones.length === 0 || facts.attempts >= facts.mostAttempts) return { is: 'over' };
      return { is: 'again', notBeforeMs: nowMs + facts.spacingMs, zones };
    }
  }
}

/** For how long nobody of this gateway calls the same callee again; 'for-good', or not at all. */
export function silenceAfter(disposition: Disposition, silenceDays: number): number | 'for-good' | undefined {
  if (disposition === 'do-not-call') return 'for-good';
  // Distress and silence about the outcome are treated as refusals until somebody has looked.
  return disposition === 'refused' || disposition === 'distress' || disposition === 'undisposed'
    ? silenceDays * 86_400_000
    : undefined;
}

/** Night, for "it is night here": before eight and from nine in the evening on, by the clocks of a zone. */
export function isNight(localMinutes: number): boolean {
  return localMinutes < 8 * 60 || localMinutes >= 21 * 60;
}
