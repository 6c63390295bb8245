import type { CalleePlace } from './callee-hours.js';
import type { OwnLevel } from './facts.js';
import { ALWAYS, type Hours } from './hours.js';
import type { Level } from './level.js';
import { type LimitsOn, limitsOn } from './limits.js';
import type { Normal } from './number.js';
import type { CompiledHandset, CompiledPolicy } from './policy.js';
import type { DialRequest, Facts, Lockdown, UsageBook } from './request.js';
import { UsageOnce } from './usage-once.js';

/** One request with all that it is judged by. */
export interface Case {
  readonly policy: CompiledPolicy;
  /** Whatever is asked of it is counted once in a decision. */
  readonly usage: UsageBook;
  readonly facts: Facts;
  readonly request: DialRequest;
  readonly atMs: number;
  readonly handset: CompiledHandset | undefined;
  readonly asked: Normal;
  /** Where the callee may be; undefined when that is not known. */
  readonly place: CalleePlace | undefined;
  /** Where the campaign's law, beside the callee's own country, lets the same callee be called. */
  readonly law: CalleePlace | undefined;
  readonly person: Level | undefined;
  readonly campaign: Level | undefined;
  /** Everything that the levels of the handset, the person and the campaign say. */
  readonly own: Level | undefined;
  /** The limits of those levels, of the callee's country, and of the campaign's law. */
  readonly limits: LimitsOn;
}

export function caseOf(
  policy: CompiledPolicy,
  usage: UsageBook,
  facts: Facts,
  request: DialRequest,
  atMs: number,
): Case {
  const handset = policy.handsets.get(request.handset);
  const asked = readDialled(policy, handset, request.dialled);
  const place = asked.ok ? policy.callee.placeOf(asked, request.calleeZone) : undefined;
  const { asking } = policy;
  const law = place && request.campaign?.law ? policy.callee.under(request.campaign.law, place) : undefined;
  const person = asking.person(request);
  const campaign = asking.campaign(request);
  const own = handset && asking.joined(asking.joined(handset.own, person), campaign);
  const limits = limitsOn(own?.limits, place?.limits, law?.limits);
  const once = new UsageOnce(usage);
  return { policy, usage: once, facts, request, atMs, handset, asked, place, law, person, campaign, own, limits };
}

/** The digits of a dial string as a handset would key them. */
export function keyed(dialled: string): string {
  return /^sips?:([^@;]*)@/i.exec(dialled)?.[1] ?? dialled;
}

/** The number that is asked for: a code of the handset's profile, or what was dialled. */
export function readDialled(policy: CompiledPolicy, handset: CompiledHandset | undefined, dialled: string): Normal {
  return policy.numbers.read(tokenOf(handset, dialled) ?? dialled);
}

export function tokenOf(handset: CompiledHandset | undefined, dialled: string): string | undefined {
  return handset === undefined || handset.codes.size === 0 ? undefined : handset.codes.get(keyed(dialled));
}

/** The cutoff orders that speak of this request, those that are to come included. */
export function lockdownsOf(c: Case): readonly Lockdown[] {
  const { lockdowns } = c.facts;
  return lockdowns.length === 0 ? lockdowns : lockdowns.filter(({ target }) => isTarget(c, target));
}

function isTarget({ handset, request }: Case, target: Lockdown['target']): boolean {
  switch (target.kind) {
    case 'site':
      return true;
    case 'wing':
      return target.wing === handset?.wing;
    case 'handset':
      return target.handset === request.handset;
    case 'person':
      return target.person === personOf(request);
  }
}

/** Who asks; nobody where nobody is signed on. */
export const personOf = ({ person, personFacts }: DialRequest): string | undefined => person ?? personFacts?.id;

/** The levels that have hours of their own in the site's zone. */
export const OWN_LEVELS = ['site', 'wing', 'handset', 'person', 'campaign'] as const;

/** The hours of one of a request's levels. */
export function hoursOfLevel({ handset, person, campaign }: Case, level: OwnLevel): Hours {
  const one = level === 'person' ? person : level === 'campaign' ? campaign : handset?.levels.get(level);
  return one?.hours ?? ALWAYS;
}

/** Where the callee may be, by the callee's own country and by the campaign's law. */
export const placesOf = ({ place, law }: Case): readonly CalleePlace[] =>
  place === undefined ? [] : law === undefined ? [place] : [place, law];

export const isInForce = ({ from, until }: Lockdown, atMs: number): boolean =>
  from.epochMilliseconds <= atMs && (until === undefined || until.epochMilliseconds > atMs);
