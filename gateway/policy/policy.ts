import type {
  Handset,
  Handsets,
  Lists,
  Profile,
  Profiles,
  SiteConfig,
  Trunks,
  Window,
  Wings,
} from '../../config/schema/types.generated.js';
import { CalleeHours, type CallingHours } from './callee-hours.js';
import { type HandsetId, handsetId, type TrunkId, trunkId, type WingId, wingId } from './ids.js';
import { NumberReader } from './number.js';
import { NumberList } from './number-list.js';
import { Schedule } from './schedule.js';

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
  readonly zonesOf: Readonly<Record<string, readonly string[]>>;
}

export type WindowLevel = 'site' | 'wing' | 'handset';

/** A handset with all that was worked out about it beforehand. */
export interface CompiledHandset {
  readonly id: HandsetId;
  readonly wing: WingId;
  readonly enabled: boolean;
  readonly profile: Profile;
  readonly allow: NumberList;
  readonly block: NumberList;
  readonly schedules: readonly { readonly level: WindowLevel; readonly schedule: Schedule }[];
  readonly trunks: readonly TrunkId[];
  readonly callerIdentity: string;
}

/** Policy made ready: decisions on it cost microseconds whatever its size. */
export interface CompiledPolicy {
  readonly zone: string;
  readonly numbers: NumberReader;
  readonly handsets: ReadonlyMap<string, CompiledHandset>;
  readonly callee: CalleeHours;
}

/** Compiles policy. The configuration has been checked: what does not resolve here is a bug. */
export function compilePolicy(input: PolicyInput): CompiledPolicy {
  const { site, wings, profiles, lists, trunks } = input;
  const schedule = (level: WindowLevel, windows: readonly Window[] | undefined) =>
    windows === undefined ? [] : [{ level, schedule: new Schedule(site.zone, windows) }];
  const ofSite = schedule('site', site.windows);
  const ofWing = new Map(wings.map((wing) => [wing.id, schedule('wing', wing.windows)]));
  const ofProfile = new Map(
    profiles.map((profile) => [
      profile.id,
      compileProfile(profile, lists, trunks, schedule('handset', profile.windows)),
    ]),
  );
  const compile = (handset: Handset): CompiledHandset => {
    const profile = ofProfile.get(handset.profile);
    if (profile === undefined) throw new Error(`handset ${handset.id} names no profile`);
    return {
      ...profile,
      id: handsetId(handset.id),
      wing: wingId(handset.wing),
      enabled: handset.enabled,
      schedules: [
        ...ofSite,
        ...(ofWing.get(handset.wing) ?? []),
        ...profile.schedules,
        ...schedule('handset', handset.windows),
      ],
    };
  };
  return {
    zone: site.zone,
    numbers: new NumberReader(site.country),
    handsets: new Map(input.handsets.map((handset) => [handset.id, compile(handset)])),
    callee: new CalleeHours(input.callingHours, input.zonesOf),
  };
}

function compileProfile(profile: Profile, lists: Lists, trunks: Trunks, schedules: CompiledHandset['schedules']) {
  const named = (names: readonly string[] | undefined) => (names ?? []).flatMap((name) => lists[name] ?? []);
  const first = trunks.find(({ id }) => profile.trunks.includes(id));
  return {
    profile,
    allow: new NumberList([
      ...profile.allow,
      ...named(profile.lists.allow),
      ...Object.values(profile.tokens).filter((number) => number !== undefined),
    ]),
    block: new NumberList([...profile.block, ...named(profile.lists.block)]),
    schedules,
    trunks: profile.trunks.map(trunkId),
    callerIdentity: profile.callerIdentity ?? first?.callerIdentity ?? '',
  };
}
