import type { CalleePlace } from './callee-hours.js';
import { type Case, hoursOfLevel, lockdownsOf, OWN_LEVELS, personOf, tokenOf } from './case.js';
import type { EndsBy, Grant } from './decision.js';
import { type E164, personId } from './ids.js';
import { instantAt } from './instant-at.js';
import { talkLeftMs } from './limit-rules.js';
import type { CompiledHandset } from './policy.js';
import { DAY_MS } from './zone-clock.js';

interface End {
  readonly by: EndsBy;
  readonly atMs: number;
}

/** The grant of a request that no rule refuses: until the first of every window's end and every lockdown to come. */
export function grantOf(c: Case, handset: CompiledHandset, number: E164, place: CalleePlace): Grant {
  const { profile } = handset;
  const { campaign } = c.request;
  const person = personOf(c.request);
  const first = firstEnd(c, place);
  const mostMs = Math.min(profile.maxTalkS, campaign?.maxTalkS ?? Number.POSITIVE_INFINITY) * 1000;
  const leftMs = talkLeftMs(c);
  const grant: Grant = {
    outcome: 'grant',
    handset: handset.id,
    wing: handset.wing,
    number,
    calleeZones: place.zones,
    notAfter: instantAt(first.atMs),
    maxTalkMs: Math.min(mostMs, leftMs),
    notAfterBy: first.by,
    maxTalkBy: leftMs < mostMs ? 'limit.talk' : 'max-talk',
    trunks: handset.trunks,
    callerIdentity: handset.callerIdentity,
    ringMs: Math.min(profile.ringS, campaign?.ringS ?? Number.POSITIVE_INFINITY) * 1000,
    warningsS: profile.warningsS,
    // A carrier's words before the answer may name the number, which who keyed a code is not to know.
    earlyMedia: profile.earlyMedia && tokenOf(handset, c.request.dialled) === undefined,
    digitsAllowed: profile.digitsAllowed,
    controllerLost: profile.controllerLost,
    hookRequired: profile.hookRequired,
  };
  return person === undefined ? grant : { ...grant, person: personId(person) };
}

/**
 * No call lasts a week: what ends later ends there, at the whole hour before, so that an end never depends on how far hours are
 * laid out, and the calls of hours that never close share their ends as all others do.
 */
const FURTHEST_MS = 7 * DAY_MS;
const HOUR_MS = 3_600_000;
const furthestFrom = (ms: number): number => Math.floor((ms + FURTHEST_MS) / HOUR_MS) * HOUR_MS;

function firstEnd(c: Case, place: CalleePlace): End {
  const { atMs: nowMs, facts, own, law } = c;
  let by: EndsBy = 'window.callee';
  let atMs = Math.min(furthestFrom(nowMs), place.hours.stretchAt(nowMs).to);
  if (law !== undefined) atMs = Math.min(atMs, law.hours.stretchAt(nowMs).to);
  // All levels at once end where the first of them does: which one that is, is looked for where it matters.
  if (own === undefined || own.hours.stretchAt(nowMs).to < atMs) {
    for (const level of OWN_LEVELS) {
      const { to } = hoursOfLevel(c, level).stretchAt(nowMs);
      if (to >= atMs) continue;
      by = `window.${level}`;
      atMs = to;
    }
  }
  if (facts.policy?.is === 'good' && facts.policy.expiresMs < atMs) {
    by = 'policy';
    atMs = facts.policy.expiresMs;
  }
  for (const { from } of lockdownsOf(c)) {
    const fromMs = from.epochMilliseconds;
    if (fromMs <= nowMs || fromMs >= atMs) continue;
    by = 'lockdown';
    atMs = fromMs;
  }
  return { by, atMs };
}
