import type { Limit, PolicyContent, Profile, SiteConfig, Window } from '../../config/schema/types.generated.js';
import type { RuleId } from '../../gateway/policy/decision.js';
import { type BoardId, boardId, type HandsetId, handsetId, type WingId, wingId } from '../../gateway/policy/ids.js';
import { type CompiledPolicy, compilePolicy, type PolicyInput } from '../../gateway/policy/policy.js';
import { profile as aProfile, CARRIER, EVERY, SITE, WORKDAYS } from '../policy/sample-policy.js';
import { limitsWritten } from './limit-watch.js';
import { NATIONAL, SILENCE_DAYS } from './sim-lists.js';
import type { WindowRule } from './window-oracle.js';
import { CONTACT_NUMBERS, SIGN_ON } from './work-site.js';

/** A handset with the person at it and the wire behind it. */
export interface SimHandset {
  readonly id: HandsetId;
  readonly wing: WingId;
  readonly profile: string;
  /** The board that its pair is wired to; absent: none is fitted. */
  readonly board?: BoardId;
  /** Numbers are keyed on a line card. */
  readonly isCard: boolean;
  hook: 'on' | 'off';
  /** Since when, virtual time. */
  hookSinceUs: number;
}

/** A relay board, and the device agent that speaks to it. */
export interface SimBoard {
  readonly id: BoardId;
  readonly agent: string;
}

export const SITE_ZONE = 'Europe/Brussels';
export const AGENTS = ['modbus-1', 'modbus-2', 'modbus-3'] as const;
export const BOARDS: readonly SimBoard[] = AGENTS.flatMap((agent, index) => [
  { id: boardId(`board-${2 * index + 1}`), agent },
  { id: boardId(`board-${2 * index + 2}`), agent },
]);
export const WINGS = ['a', 'b', 'c', 'd'] as const;

const SITE_HOURS: readonly Window[] = [{ days: EVERY, from: '05:30', to: '04:30' }];
/** Christmas Eve and New Year's Eve are short. */
const SHORT = { from: '05:30', to: '18:30' } as const;
const SITE_DATES = { '12-24': SHORT, '12-31': SHORT } as const;
const WING_WINDOWS: Readonly<Record<string, readonly Window[] | undefined>> = {
  a: undefined,
  b: [{ days: EVERY, from: '07:00', to: '21:00' }],
  c: undefined,
  d: [
    { days: WORKDAYS, from: '08:00', to: '11:50' },
    { days: EVERY, from: '12:35', to: '02:25' },
  ],
};

/** Countries that are called, their hours, and every zone that one of their numbers may be in. */
export const COUNTRIES = {
  GB: {
    zones: ['Europe/London'],
    windows: [
      { days: WORKDAYS, from: '08:00', to: '21:00' },
      { days: ['sat', 'sun'], from: '09:00', to: '21:00' },
    ],
    numbers: Array.from({ length: 60 }, (_, i) => `+4420794600${String(i + 10)}`),
  },
  US: {
    zones: ['America/New_York', 'America/Chicago', 'America/Denver', 'America/Los_Angeles'],
    windows: [{ days: EVERY, from: '08:00', to: '21:00' }],
    numbers: Array.from({ length: 90 }, (_, i) => `+121255501${String(i + 10)}`),
  },
  AU: {
    zones: ['Australia/Sydney', 'Australia/Perth'],
    windows: [
      { days: WORKDAYS, from: '09:00', to: '20:00' },
      { days: ['sat'], from: '09:00', to: '17:00' },
    ],
    numbers: Array.from({ length: 90 }, (_, i) => `+612555010${String(i + 10)}`),
  },
} as const satisfies Record<
  string,
  { readonly zones: readonly string[]; readonly windows: readonly Window[]; readonly numbers: readonly string[] }
>;
export type Country = keyof typeof COUNTRIES;

/** How often one number may be tried, whoever does it, and how far apart. */
export const MOST_TRIED = 3;
export const APART_S = 5_400;

const profile = (id: string, more: Partial<Profile>): Profile =>
  aProfile({ id, allow: [], hookRequired: true, ...more });

const PROFILES: readonly Profile[] = [
  profile('survey', {
    allow: ['+4420794600*'],
    block: ['+442079460013', '+442079460014'],
    talkPerDayS: 1_200,
    callsPerDay: 5,
    gapS: 30,
    doNotCall: [NATIONAL],
    limits: [{ per: 'number', of: 'attempts', most: MOST_TRIED, in: '24-hours' }],
  }),
  profile('night', {
    allow: ['+12125550*', '+4420794600*'],
    windows: [{ days: EVERY, from: '14:00', to: '02:40' }],
    maxTalkS: 1_200,
    controllerLost: 'alarm',
    earlyMedia: true,
    limits: [
      { per: 'number', of: 'gap', leastS: APART_S },
      { per: 'handset', of: 'calls', most: 9, in: 'week' },
    ],
  }),
  // Opens in the hour that comes twice on one night, and not at all on another.
  profile('early', {
    windows: [{ days: EVERY, from: '02:15', to: '13:00' }],
    allow: ['+61255501*'],
    maxTalkS: 300,
    attemptsPerDay: 6,
    limits: [{ per: 'handset', of: 'attempts', most: 40, in: 'month' }],
  }),
  // Where people sign on to work.
  profile('work', {
    allow: ['+442079460*', '+1*'],
    maxTalkS: 900,
    tokenOnly: true,
    signOnCode: SIGN_ON,
    doNotCall: [NATIONAL],
  }),
  // A handset with no controller on its wire, and two lines.
  profile('desk', {
    allow: ['+4420794600*', '+12125550*'],
    hookRequired: false,
    concurrent: 2,
    maxTalkS: 900,
    doNotCall: [NATIONAL],
    limits: [{ per: 'number', of: 'attempts', most: 45, in: '30-days' }],
  }),
];

/** The same people under a stricter order: shorter calls, shorter days. */
const NARROW: readonly Profile[] = PROFILES.map((one) => ({
  ...one,
  maxTalkS: Math.round(one.maxTalkS / 3),
  windows: [...(one.windows ?? [{ days: EVERY, from: '09:00', to: '01:00' }])],
  block: [
    ...one.block,
    ...one.allow.slice(1, 2).map((allow) => (allow.endsWith('*') ? `${allow.slice(0, -1)}1*` : allow)),
  ],
}));

/** A morning's order: nobody calls late, and half of the numbers are no longer sanctioned. */
const MORNING: readonly Profile[] = PROFILES.map((one) => ({
  ...one,
  windows: [{ days: WORKDAYS, from: '07:30', to: '12:15' }, ...(one.id === 'night' ? (one.windows ?? []) : [])],
  block: [...one.block, '+44207946003*', '+121255502*', '+61255501012*'],
}));

/** What handsets are for: a few for work, the others for calls. */
export const WORK = 'work';
const CALLING = PROFILES.map(({ id }) => id).filter((id) => id !== WORK);

/** The bundles that headquarters sends, one after the other. */
const BOOKS = [PROFILES, NARROW, MORNING];

const CONTENTS: readonly PolicyContent[] = BOOKS.map((profiles) => ({ profiles, lists: {} }));

interface Compiled {
  readonly base: PolicyInput;
  readonly policies: readonly CompiledPolicy[];
}

/** By the number of handsets: policy is pure, and worlds of a process that are alike share it. */
const compiled = new Map<number, Compiled>();

const compiledFrom = (base: PolicyInput, contents: readonly PolicyContent[]): Compiled => ({
  base,
  policies: contents.map((bundle) => compilePolicy({ ...base, bundle })),
});

interface Called {
  readonly zones: readonly string[];
  readonly windows: readonly Window[];
  readonly closedIn: string;
}
export const countryOf = (number: string): Country | undefined =>
  BY_NUMBER.get(number)?.closedIn as Country | undefined;

const CONTACTS: Readonly<Record<string, readonly string[]>> = CONTACT_NUMBERS;

const BY_NUMBER: ReadonlyMap<string, Called> = new Map(
  Object.entries(COUNTRIES).flatMap(([closedIn, { zones, windows, numbers }]) =>
    [...numbers, ...(CONTACTS[closedIn] ?? [])].map((number): [string, Called] => [
      number,
      { zones, windows, closedIn },
    ]),
  ),
);

export class SimSite {
  readonly zone = SITE_ZONE;
  readonly handsets: ReadonlyMap<HandsetId, SimHandset>;
  /** The site's folder, and what each of the bundles says; the policies that they make of it. */
  readonly base: PolicyInput;
  readonly contents = CONTENTS;
  readonly policies: readonly CompiledPolicy[];
  private readonly profiles: ReadonlyMap<string, Profile>;

  constructor(count: number) {
    const handsets = Array.from({ length: count }, (_, index): SimHandset => {
      const profile = index % 20 === 9 ? WORK : (CALLING[index % CALLING.length] ?? '');
      const wing = WINGS[(index >> 2) % WINGS.length] ?? 'a';
      const board = profile === 'desk' ? undefined : BOARDS[index % BOARDS.length];
      return {
        id: handsetId(`${wing}-${index + 101}`),
        wing: wingId(wing),
        profile,
        isCard: board !== undefined && index % 7 === 3,
        hook: 'on',
        hookSinceUs: 0,
        ...(board === undefined ? {} : { board: board.id }),
      };
    });
    this.handsets = new Map(handsets.map((handset) => [handset.id, handset]));
    this.profiles = new Map(PROFILES.map((one) => [one.id, one]));
    const known = compiled.get(count) ?? compiledFrom(folderOf(handsets), this.contents);
    compiled.set(count, known);
    this.base = known.base;
    this.policies = known.policies;
  }

  readonly allNumbers: readonly string[] = [...BY_NUMBER.keys()];

  /** What a person at this handset keys: mostly what is sanctioned. */
  numbersFor(handset: SimHandset): readonly string[] {
    switch (handset.profile) {
      case 'night':
        return COUNTRIES.US.numbers;
      case 'early':
        return COUNTRIES.AU.numbers;
      default:
        return COUNTRIES.GB.numbers;
    }
  }

  /** All hours that a call to this number from this handset must be inside of, under one of the bundles. */
  windowsOf(handset: SimHandset, number: string, policyIndex: number): readonly WindowRule[] {
    const country = BY_NUMBER.get(number);
    if (country === undefined) return [{ zone: SITE_ZONE, windows: [] }];
    return [
      ...this.ownWindowsOf(handset, policyIndex),
      ...country.zones.map((zone) => ({ zone, windows: country.windows, closedIn: country.closedIn })),
    ];
  }

  /** The hours of the handset alone: those of a call to the desk. */
  ownWindowsOf(handset: SimHandset, policyIndex: number): readonly WindowRule[] {
    const own = [WING_WINDOWS[handset.wing], this.profileOf(handset, policyIndex)?.windows];
    return [
      { zone: SITE_ZONE, windows: SITE_HOURS, dates: SITE_DATES },
      ...own.flatMap((windows) => (windows === undefined ? [] : [{ zone: SITE_ZONE, windows }])),
    ];
  }

  /** Whether one of the bundles sanctions the number, read off its lists. */
  sanctions(handset: SimHandset, number: string, policyIndex: number): boolean {
    const { allow = [], block = [] } = this.profileOf(handset, policyIndex) ?? {};
    const fits = (pattern: string) =>
      pattern.endsWith('*') ? number.startsWith(pattern.slice(0, -1)) : number === pattern;
    return allow.some(fits) && !block.some(fits);
  }

  /** Whether this handset's calls are looked up in the national list. */
  asksNational(handset: SimHandset): boolean {
    return handset.profile === 'survey' || handset.profile === 'desk' || handset.profile === WORK;
  }

  /** Every zone that a number may be in, and its country. */
  calledAt(dialled: string): Called | undefined {
    return BY_NUMBER.get(dialled.startsWith('00') ? `+${dialled.slice(2)}` : dialled);
  }

  private profileOf({ profile }: SimHandset, policyIndex: number): Profile | undefined {
    return BOOKS[policyIndex]?.find(({ id }) => id === profile);
  }

  /** The hours of one rule under the policy in force, for a number as it was dialled; none when it knows no such rule. */
  rulesOf(rule: RuleId, handset: SimHandset, dialled: string, policyIndex: number): readonly WindowRule[] {
    const here = (windows: readonly Window[] | undefined): readonly WindowRule[] =>
      windows === undefined ? [] : [{ zone: SITE_ZONE, windows }];
    switch (rule) {
      case 'window.site':
        return [{ zone: SITE_ZONE, windows: SITE_HOURS, dates: SITE_DATES }];
      case 'window.wing':
        return here(WING_WINDOWS[handset.wing]);
      case 'window.handset':
        return here(this.profileOf(handset, policyIndex)?.windows);
      default: {
        const country = this.calledAt(dialled);
        if (country === undefined) return [];
        const { zones, ...hours } = country;
        return zones.map((zone) => ({ zone, ...hours }));
      }
    }
  }

  quotaOf(handset: HandsetId): { readonly callsPerDay?: number; readonly talkPerDayS?: number } {
    return this.profiles.get(this.handsets.get(handset)?.profile ?? '') ?? {};
  }

  /** What limits a handset's calls, whichever bundle is in force. */
  limitsOf({ profile }: SimHandset): readonly Limit[] {
    return limitsWritten(this.profiles.get(profile) ?? {});
  }

  mostTalkMs(handset: SimHandset): number {
    return (this.profiles.get(handset.profile)?.maxTalkS ?? 0) * 1_000;
  }
}

/** The site's folder, as its files would have it. */
function folderOf(handsets: readonly SimHandset[]): PolicyInput {
  const site: SiteConfig = {
    ...SITE,
    site: 'simulated',
    zone: SITE_ZONE,
    country: 'BE',
    language: 'fr',
    clock: { trust: 'system' },
    windows: SITE_HOURS,
    exceptions: Object.fromEntries(Object.entries(SITE_DATES).map(([date, hours]) => [date, [hours]])),
  };
  return {
    site,
    wings: WINGS.map((id) => {
      const windows = WING_WINDOWS[id];
      return { id, network: ['127.0.0.0/8'], ...(windows === undefined ? {} : { windows }) };
    }),
    handsets: handsets.map(({ id, wing, profile }) => ({ id, wing, profile, user: id, ha1: {}, enabled: true })),
    profiles: PROFILES,
    lists: {},
    trunks: [CARRIER],
    callingHours: Object.entries(COUNTRIES).map(([country, { windows }]) => ({
      country,
      status: 'simulated',
      source: 'simulated',
      windows,
      closedOnHolidays: true,
      ...(SILENCE_DAYS[country] !== undefined && { silenceDays: SILENCE_DAYS[country] }),
    })),
    zonesOf: Object.fromEntries(Object.entries(COUNTRIES).map(([country, { zones }]) => [country, zones])),
  };
}
