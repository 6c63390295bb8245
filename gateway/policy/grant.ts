import { Temporal } from 'temporal-polyfill';
import type { CalleePlace } from './callee-hours.js';
import { type Case, hoursOfLevel, lockdownsOf, OWN_LEVELS, personOf, tokenOf } from './case.js';
import type { EndsBy, Grant } from './decision.js';
import { type E164, personId } from './ids.js';
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
  return {
    outcome: 'grant',
    handset: handset.id,
    wing: handset.wing,
    ...(person !== undefined && { person: personId(person) }),
    number,
    calleeZones: place.zones,
    notAfter: Temporal.Instant.fromEpochMilliseconds(first.atMs),
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
}

/** No call lasts a week: what ends later ends there, so that an end never depends on how far hours are laid out. */
const FURTHEST_MS = 7 * DAY_MS;

function firstEnd(c: Case, place: CalleePlace): End {
  let first: End = { by: 'window.callee', atMs: Math.min(c.atMs + FURTHEST_MS, place.hours.stretchAt(c.atMs).to) };
  const earlier = (by: EndsBy, atMs: number): void => {
    if (atMs < first.atMs) first = { by, atMs };
  };
  if (c.law !== undefined) earlier('window.callee', c.law.hours.stretchAt(c.atMs).to);
  for (const level of OWN_LEVELS) earlier(`window.${level}`, hoursOfLevel(c, level).stretchAt(c.atMs).to);
  const expires = c.facts.policy?.is === 'good' ? c.facts.policy.expiresMs : Number.POSITIVE_INFINITY;
  earlier('policy', expires);
  for (const { from } of lockdownsOf(c)) {
    if (from.epochMilliseconds > c.atMs) earlier('lockdown', from.epochMilliseconds);
  }
  return first;
}
