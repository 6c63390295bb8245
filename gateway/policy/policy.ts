import type {
  CallingHours,
  Handset,
  Handsets,
  Limit,
  Lists,
  PolicyContent,
  Profile,
  Profiles,
  SiteConfig,
  Trunks,
  Wings,
} from '../../config/schema/types.generated.js';
import { AskingLevels } from './asking.js';
import { CalleeHours } from './callee-hours.js';
import type { OwnLevel } from './facts.js';
import { HoursBook, type HoursPart } from './hours-book.js';
import { type HandsetId, handsetId, type TrunkId, trunkId, type WingId, wingId } from './ids.js';
import { join, type Level, WIDEST } from './level.js';
import { limitSet } from './limits.js';
import { NumberReader } from './number.js';
import { NumberList } from './number-list.js';
import type { ZoneTables } from './number-zones.js';
import { limitsOf } from './profile-parts.js';
import { PublicHolidays } from './public-holidays.js';

/** Everything that policy is made of, as the configuration has it. */
export interface PolicyInput {
  readonly site: SiteConfig;
  readonly wings: Wings;
  readonly handsets: Handsets;
  readonly profiles: Profiles;
  readonly lists: Lists;
  readonly trunks: Trunks;
  readonly callingHours: readonly CallingHours[];
  /** Every IANA zone of each country, by its two letters. */
  readonly zonesOf: ZoneTables['countries'];
  /** What a signed bundle says; it takes the place of profiles and lists, and joins the levels. */
  readonly bundle?: PolicyContent;
  /** Where geographic numbers begin; absent: nothing is known but the country. */
  readonly prefixZones?: Omit<ZoneTables, 'countries'>;
}

/** A handset with all that was worked out about it beforehand. */
export interface CompiledHandset {
  readonly id: HandsetId;
  readonly wing: WingId;
  readonly enabled: boolean;
  readonly profile: Profile;
  /** The numbers of the codes that may be keyed. */
  readonly codes: ReadonlyMap<string, string>;
  /** What each level says, and all of them at once. */
  readonly levels: ReadonlyMap<OwnLevel, Level>;
  readonly own: Level;
  readonly trunks: readonly TrunkId[];
  readonly callerIdentity: string;
}

/** Policy made ready: decisions on it cost microseconds whatever its size. */
export interface CompiledPolicy {
  readonly zone: string;
  /** The site's zone as a list, for periods. */
  readonly zones: readonly string[];
  readonly numbers: NumberReader;
  readonly handsets: ReadonlyMap<string, CompiledHandset>;
  readonly callee: CalleeHours;
  /** What persons and campaigns say, who come with a request. */
  readonly asking: AskingLevels;
}

/** Compiles policy. The configuration has been checked: what does not resolve here is a bug. */
export function compilePolicy(input: PolicyInput): CompiledPolicy {
  const { site, wings, trunks, bundle } = input;
  const { profiles, lists } = bundle ?? input;
  const holidays = new PublicHolidays(site.country, site.holidayRegion === undefined ? [] : [site.holidayRegion]);
  const hours = new HoursBook(site.zone, (day) => holidays.has(day));
  const joined = (...levels: readonly Level[]) => levels.reduce((a, b) => join(a, b, (some) => hours.together(some)));
  const levelOf = (part: LevelPart): Level => ({
    hours: hours.of(part),
    limits: limitSet(part.limits ?? []),
    allow: new Set(),
    block: new Set(part.block === undefined || part.block.length === 0 ? [] : [new NumberList(part.block)]),
  });
  const ofSite = joined(levelOf(site), levelOf(bundle?.site ?? {}));
  const ofWing = new Map(
    wings.map((wing) => [wing.id, joined(levelOf(wing), levelOf(bundle?.wings?.[wing.id] ?? {}))]),
  );
  const compileProfile = (profile: Profile) => {
    const level = levelOf({
      ...profile,
      limits: limitsOf(profile),
      block: namedAnd(profile.block, profile.lists.block, lists),
    });
    const first = trunks.find(({ id }) => profile.trunks.includes(id));
    return {
      profile,
      codes: codesOf(profile),
      level: { ...level, allow: new Set([allowListOf(profile, lists)]) },
      trunks: profile.trunks.map(trunkId),
      callerIdentity: profile.callerIdentity ?? first?.callerIdentity ?? '',
    };
  };
  const ofProfile = new Map(profiles.map((profile) => [profile.id, compileProfile(profile)]));
  const compile = (handset: Handset): CompiledHandset => {
    const over = bundle?.handsets?.[handset.id] ?? {};
    const compiled = ofProfile.get(over.profile ?? handset.profile);
    if (compiled === undefined) throw new Error(`handset ${handset.id} names no profile`);
    const { level, ...more } = compiled;
    const levels = new Map<OwnLevel, Level>([
      ['site', ofSite],
      ['wing', ofWing.get(handset.wing) ?? WIDEST],
      ['handset', joined(level, levelOf(handset), levelOf(over))],
    ]);
    return {
      ...more,
      id: handsetId(handset.id),
      wing: wingId(handset.wing),
      enabled: handset.enabled && over.enabled !== false,
      levels,
      own: joined(...levels.values()),
    };
  };
  return {
    zone: site.zone,
    zones: [site.zone],
    numbers: new NumberReader(site.country),
    handsets: new Map(input.handsets.map((handset) => [handset.id, compile(handset)])),
    callee: new CalleeHours([...input.callingHours, ...(bundle?.callingHours ?? [])], {
      ...input.prefixZones,
      countries: input.zonesOf,
    }),
    asking: new AskingLevels(hours),
  };
}

/** The part of a file's entry that makes a level. */
interface LevelPart extends HoursPart {
  readonly limits?: readonly Limit[];
  readonly block?: readonly string[];
}

function namedAnd(patterns: readonly string[], names: readonly string[], lists: Lists): readonly string[] {
  return [...patterns, ...names.flatMap((name) => lists[name] ?? [])];
}

function codesOf({ tokens }: Profile): ReadonlyMap<string, string> {
  return new Map(Object.entries(tokens).flatMap(([code, number]) => (number === undefined ? [] : [[code, number]])));
}

/** A code is sanctioned by being one. */
function allowListOf(profile: Profile, lists: Lists): NumberList {
  const { allow, lists: named } = profile;
  return new NumberList([...namedAnd(allow, named.allow, lists), ...codesOf(profile).values()]);
}
