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
import type { OwnLevel } from './facts.js';
import { ALWAYS, type Hours, together } from './hours.js';
import { type HandsetId, handsetId, type TrunkId, trunkId, type WingId, wingId } from './ids.js';
import { NumberReader } from './number.js';
import { NumberList } from './number-list.js';
import { PublicHolidays } from './public-holidays.js';
import { type Calendar, PLAIN_CALENDAR, Schedule } from './schedule.js';

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

/** A handset with all that was worked out about it beforehand. */
export interface CompiledHandset {
  readonly id: HandsetId;
  readonly wing: WingId;
  readonly enabled: boolean;
  readonly profile: Profile;
  readonly allow: NumberList;
  readonly block: NumberList;
  /** The hours of each level that has any. */
  readonly hours: ReadonlyMap<OwnLevel, Hours>;
  /** The hours of every level together. */
  readonly own: Hours;
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
  const holidays = new PublicHolidays(site.country, site.holidayRegion);
  const hours = new HoursBook(site.zone, { ...PLAIN_CALENDAR, isHoliday: (day) => holidays.has(day) });
  const ofSite = hours.of(site.windows);
  const ofWing = new Map(wings.map((wing) => [wing.id, hours.of(wing.windows)]));
  const ofProfile = new Map(profiles.map((profile) => [profile.id, compileProfile(profile, lists, trunks)]));
  const compile = (handset: Handset): CompiledHandset => {
    const compiled = ofProfile.get(handset.profile);
    if (compiled === undefined) throw new Error(`handset ${handset.id} names no profile`);
    const levels = new Map<OwnLevel, Hours>([
      ['site', ofSite],
      ['wing', ofWing.get(handset.wing) ?? ALWAYS],
      ['handset', hours.together([hours.of(compiled.profile.windows), hours.of(handset.windows)])],
    ]);
    return {
      ...compiled,
      id: handsetId(handset.id),
      wing: wingId(handset.wing),
      enabled: handset.enabled,
      hours: levels,
      own: hours.together([...levels.values()]),
    };
  };
  return {
    zone: site.zone,
    numbers: new NumberReader(site.country),
    handsets: new Map(input.handsets.map((handset) => [handset.id, compile(handset)])),
    callee: new CalleeHours(input.callingHours, input.zonesOf),
  };
}

/** Hours that are written alike are one: a thousand handsets of one profile share what was worked out. */
class HoursBook {
  readonly #schedules = new Map<string, Schedule>();
  readonly #ids = new Map<Hours, number>();
  readonly #joined = new Map<string, Hours>();

  constructor(
    private readonly zone: string,
    private readonly calendar: Calendar,
  ) {}

  of(windows: readonly Window[] | undefined): Hours {
    if (windows === undefined) return ALWAYS;
    const key = JSON.stringify(windows);
    const known = this.#schedules.get(key) ?? new Schedule(this.zone, windows, this.calendar);
    this.#schedules.set(key, known);
    return known;
  }

  together(hours: readonly Hours[]): Hours {
    const key = hours.map((one) => this.#idOf(one)).join(' ');
    const known = this.#joined.get(key) ?? together(hours);
    this.#joined.set(key, known);
    return known;
  }

  #idOf(hours: Hours): number {
    const known = this.#ids.get(hours) ?? this.#ids.size;
    this.#ids.set(hours, known);
    return known;
  }
}

function compileProfile(profile: Profile, lists: Lists, trunks: Trunks) {
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
    trunks: profile.trunks.map(trunkId),
    callerIdentity: profile.callerIdentity ?? first?.callerIdentity ?? '',
  };
}
