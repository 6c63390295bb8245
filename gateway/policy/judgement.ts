import type { Profile } from '../../config/schema/types.generated.js';
import type { CalleePlace } from './callee-hours.js';
import { type Case, hoursOfLevel, isInForce, lockdownsOf, OWN_LEVELS, personOf, placesOf, tokenOf } from './case.js';
import type { RuleId } from './decision.js';
import type { Objection, OwnLevel } from './facts.js';
import { opensFrom } from './hours.js';
import { isAllowed, isBlocked } from './level.js';
import { judgeLimits } from './limit-rules.js';
import { cityOf, localTime } from './local-time.js';
import type { Facts, Lockdown } from './request.js';
import { DAY_MS } from './zone-clock.js';

/** A rule has no objection, or it refuses and says why. */
export interface Rule {
  readonly id: RuleId;
  readonly judge: (c: Case) => Objection | undefined;
}

const FORBIDDEN = 403;
const INCOMPLETE = 484;
const UNAVAILABLE = 480;
const FAILING = 503;

/** Rules that stand together, and when none of them can object, so that none need be asked. */
export interface RuleGroup {
  readonly rules: readonly Rule[];
  readonly isMoot?: (c: Case) => boolean;
}

/**
 * Every rule, in the order of judgement. What the wire says of the hook is worth nothing without its controller, so
 * `line.unsupervised` stands before `line.not-off-hook`.
 */
export const RULE_GROUPS: readonly RuleGroup[] = [
  {
    rules: [
      {
        id: 'clock.untrusted',
        judge: ({ facts: { clock } }) => (clock.trusted ? undefined : refuse({ is: 'clock', why: clock.why }, FAILING)),
      },
    ],
  },
  {
    isMoot: ({ facts: { policy }, atMs }) => policy === undefined || (policy.is === 'good' && atMs < policy.expiresMs),
    rules: [
      { id: 'policy.missing', judge: ({ facts }) => noPolicy(facts, 'missing') },
      { id: 'policy.expired', judge: policyExpired },
      { id: 'policy.unsigned', judge: ({ facts }) => noPolicy(facts, 'unsigned') },
    ],
  },
  {
    isMoot: ({ facts }) => facts.lockdowns.length === 0,
    rules: (['site', 'wing', 'handset', 'person'] as const).map(
      (kind): Rule => ({ id: `lockdown.${kind}`, judge: (c) => lockdown(c, kind) }),
    ),
  },
  {
    isMoot: ({ handset }) => handset?.enabled === true,
    rules: [
      {
        id: 'handset.unknown',
        judge: ({ handset, request }) =>
          handset === undefined ? refuse({ is: 'handset-unknown', handset: request.handset }, FORBIDDEN) : undefined,
      },
      {
        id: 'handset.disabled',
        judge: ({ handset }) =>
          handset?.enabled === false ? refuse({ is: 'handset-disabled', handset: handset.id }, FORBIDDEN) : undefined,
      },
    ],
  },
  {
    isMoot: ({ handset }) => handset?.profile.hookRequired !== true,
    rules: [
      { id: 'line.unsupervised', judge: lineUnsupervised },
      { id: 'line.not-off-hook', judge: lineNotOffHook },
    ],
  },
  {
    isMoot: ({ handset, request: { person, personFacts } }) =>
      handset?.profile.personRequired !== true && person === undefined && personFacts === undefined,
    rules: [
      { id: 'person.not-signed-on', judge: notSignedOn },
      {
        id: 'person.suspended',
        judge: ({ request: { personFacts } }) =>
          personFacts?.suspended === true ? refuse({ is: 'suspended' }, FORBIDDEN) : undefined,
      },
    ],
  },
  {
    rules: [
      {
        id: 'dial.malformed',
        judge: ({ asked }) =>
          !asked.ok && asked.class === 'malformed' ? refuse({ is: 'number', why: asked.why }, INCOMPLETE) : undefined,
      },
      {
        id: 'dial.free-dialling',
        judge: ({ handset, request }) =>
          handset?.profile.tokenOnly === true &&
          request.isContact !== true &&
          tokenOf(handset, request.dialled) === undefined
            ? refuse({ is: 'codes-only' }, FORBIDDEN)
            : undefined,
      },
      {
        id: 'number.class',
        judge: ({ asked }) =>
          !asked.ok && asked.class !== 'malformed' ? refuse({ is: 'number', why: asked.why }, FORBIDDEN) : undefined,
      },
      {
        id: 'number.blocked',
        judge: ({ asked, own }) =>
          asked.ok && own !== undefined && isBlocked(own, asked.number)
            ? refuse({ is: 'blocked' }, FORBIDDEN)
            : undefined,
      },
      {
        id: 'number.not-sanctioned',
        judge: ({ asked, own }) =>
          asked.ok && (own === undefined || !isAllowed(own, asked.number))
            ? refuse({ is: 'not-sanctioned' }, FORBIDDEN)
            : undefined,
      },
    ],
  },
  {
    rules: [
      { id: 'dnc.listed', judge: listed },
      { id: 'dnc.stale', judge: stale },
      { id: 'contact.refused', judge: silence },
    ],
  },
  {
    // The hours of all levels at once are open where each of them is.
    isMoot: ({ own, atMs }) => own?.hours.stretchAt(atMs).isOpen === true,
    rules: OWN_LEVELS.map((level): Rule => ({ id: `window.${level}`, judge: (c) => ownWindow(c, level) })),
  },
  { rules: [{ id: 'window.callee', judge: calleeWindow }] },
  {
    rules: (['attempts', 'gap', 'calls', 'talk', 'concurrent'] as const).map(
      (of): Rule => ({ id: `limit.${of}`, judge: (c) => judgeLimits(c, of) }),
    ),
  },
];

export const JUDGEMENT: readonly Rule[] = RULE_GROUPS.flatMap(({ rules }) => rules);

const refuse = (fact: Objection['fact'], status: number): Objection => ({ fact, status });

function noPolicy({ policy }: Facts, why: 'missing' | 'unsigned'): Objection | undefined {
  return policy?.is === why ? refuse({ is: 'policy', why }, FAILING) : undefined;
}

function policyExpired({ facts, policy, atMs }: Case): Objection | undefined {
  if (facts.policy?.is !== 'good' || atMs < facts.policy.expiresMs) return undefined;
  return refuse({ is: 'policy-expired', since: localTime(policy.zone, facts.policy.expiresMs, atMs) }, FAILING);
}

function lockdown(c: Case, kind: Lockdown['target']['kind']): Objection | undefined {
  const inForce = lockdownsOf(c).filter((one) => one.target.kind === kind && isInForce(one, c.atMs));
  // The one that lasts longest decides: an order without an end outlasts every other.
  const order = inForce.reduce<Lockdown | undefined>(
    (a, b) => (a === undefined || endOf(b) > endOf(a) ? b : a),
    undefined,
  );
  if (order === undefined) return undefined;
  const end = endOf(order);
  const until = Number.isFinite(end) ? { until: localTime(c.policy.zone, end, c.atMs) } : {};
  return {
    fact: { is: 'lockdown', reason: order.reason, ...until },
    status: UNAVAILABLE,
    ...(Number.isFinite(end) && { passesFrom: end }),
  };
}

const endOf = ({ until }: Lockdown): number => until?.epochMilliseconds ?? Number.POSITIVE_INFINITY;

function lineUnsupervised({ handset, facts: { line } }: Case): Objection | undefined {
  if (handset?.profile.hookRequired !== true || (line.fitted && line.supervised)) return undefined;
  return refuse({ is: line.fitted ? 'line-lost' : 'line-missing' }, FAILING);
}

function lineNotOffHook({ handset, facts: { line } }: Case): Objection | undefined {
  if (handset?.profile.hookRequired !== true || line.hook === 'off') return undefined;
  return refuse({ is: 'hook', hook: line.hook }, FORBIDDEN);
}

/** Nobody, where the profile asks for somebody; or two persons at once. */
function notSignedOn({ handset, request }: Case): Objection | undefined {
  const { person, personFacts } = request;
  const isMissing = handset?.profile.personRequired === true && personOf(request) === undefined;
  const isAnother = person !== undefined && personFacts !== undefined && personFacts.id !== person;
  return isMissing || isAnother ? refuse({ is: 'not-signed-on' }, FORBIDDEN) : undefined;
}

const NO_LISTS: NonNullable<Profile['doNotCall']> = [];

/** The do-not-call lists that this number is to be looked up in, each with what is at hand of it. */
function listsOf({ handset, asked, facts, request }: Case) {
  const own = handset?.profile.doNotCall ?? NO_LISTS;
  const doNotCall = request.campaign?.doNotCall === undefined ? own : [...own, ...request.campaign.doNotCall];
  if (!asked.ok || doNotCall.length === 0) return [];
  const country = asked.country ?? '';
  return doNotCall
    .filter(({ countries }) => countries === undefined || countries.includes(country))
    .map(({ list: name, mostAgeH }) => {
      const list = facts.doNotCall?.list(name) ?? { isThere: false as const, why: 'no list is at hand' };
      return { name, mostAgeH, list, number: asked.number };
    });
}

/** The list by which numbers are taken off the gateway's own: it lifts what was asked before it was made. */
export const LIFTED = 'lifted';

function hasAskedNot({ asked, facts: { doNotCall } }: Case): boolean {
  if (!asked.ok) return false;
  const since = doNotCall?.word?.(asked.number)?.neverSinceMs;
  if (since === undefined) return false;
  const lifted = doNotCall?.list(LIFTED);
  return !(lifted?.isThere === true && lifted.madeMs >= since && lifted.has(asked.number));
}

function silence(c: Case): Objection | undefined {
  const { asked, facts, handset, place, law, request } = c;
  const days = Math.max(
    handset?.profile.silenceDays ?? 0,
    place?.silenceDays ?? 0,
    law?.silenceDays ?? 0,
    request.campaign?.silenceDays ?? 0,
  );
  if (!asked.ok || days === 0) return undefined;
  const refusedMs = facts.doNotCall?.word?.(asked.number)?.refusedMs;
  if (refusedMs === undefined) return undefined;
  const passesFrom = refusedMs + days * DAY_MS;
  if (c.atMs >= passesFrom) return undefined;
  return {
    fact: { is: 'silence', days, until: localTime(c.policy.zone, passesFrom, c.atMs) },
    status: FORBIDDEN,
    passesFrom,
  };
}

function listed(c: Case): Objection | undefined {
  if (hasAskedNot(c)) return refuse({ is: 'asked-not' }, FORBIDDEN);
  const found = listsOf(c).find(({ list, number }) => list.isThere && list.has(number));
  return found === undefined ? undefined : refuse({ is: 'listed', list: found.name }, FORBIDDEN);
}

function stale(c: Case): Objection | undefined {
  for (const { name, mostAgeH, list } of listsOf(c)) {
    if (!list.isThere) return refuse({ is: 'list-missing', list: name, why: list.why }, FAILING);
    if (c.atMs - list.madeMs <= mostAgeH * 3_600_000) continue;
    const made = localTime(c.policy.zone, list.madeMs, c.atMs);
    return refuse({ is: 'list-stale', list: name, made, mostAgeH }, FAILING);
  }
  return undefined;
}

function ownWindow(c: Case, level: OwnLevel): Objection | undefined {
  const hours = hoursOfLevel(c, level);
  if (hours.stretchAt(c.atMs).isOpen) return undefined;
  const { zone } = c.policy;
  const opens = opensFrom(hours, c.atMs);
  return {
    fact: {
      is: 'own-hours',
      level,
      now: localTime(zone, c.atMs, c.atMs),
      ...(opens !== undefined && { opens: localTime(zone, opens, c.atMs) }),
    },
    status: UNAVAILABLE,
    ...(opens !== undefined && { passesFrom: opens }),
  };
}

function calleeWindow(c: Case): Objection | undefined {
  if (!c.asked.ok) return undefined;
  const places = placesOf(c);
  if (places.length === 0) return refuse({ is: 'callee-unknown' }, FORBIDDEN);
  for (const place of places) if (!place.hours.stretchAt(c.atMs).isOpen) return closedAt(c, place);
  return undefined;
}

function closedAt(c: Case, place: CalleePlace): Objection {
  const zone = place.closedZone(c.atMs) ?? place.zones[0] ?? 'UTC';
  const opens = opensFrom(place.hours, c.atMs);
  const isHoliday = place.isHoliday(zone, c.atMs);
  return {
    ...(isHoliday && { rule: 'holiday.callee' as const }),
    fact: {
      is: 'callee-hours',
      city: cityOf(zone),
      now: localTime(zone, c.atMs, c.atMs),
      isHoliday,
      ...(opens !== undefined && { opens: localTime(zone, opens, c.atMs) }),
    },
    status: UNAVAILABLE,
    ...(opens !== undefined && { passesFrom: opens }),
  };
}
