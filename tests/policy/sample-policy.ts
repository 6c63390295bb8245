import { Temporal } from 'temporal-polyfill';
import type { Profile, SiteConfig, Window } from '../../config/schema/types.generated.js';
import { decide } from '../../gateway/policy/decide.js';
import type { Decision } from '../../gateway/policy/decision.js';
import { explain } from '../../gateway/policy/explain.js';
import { handsetId } from '../../gateway/policy/ids.js';
import { type CompiledPolicy, compilePolicy, type PolicyInput } from '../../gateway/policy/policy.js';
import {
  type DialRequest,
  type Facts,
  NO_USAGE,
  type UsageBook,
  type UsageCount,
} from '../../gateway/policy/request.js';

export const EVERY = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export const WORKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri'] as const;
export const ALL_DAY: Window = { days: EVERY, from: '00:00', to: '24:00' };
export const NUMBER = '+442079460001';

export function window(from: string, to: string, days: Window['days'] = EVERY): Window {
  return { days, from, to };
}

/** An instant of a zone's wall clock; of one that exists twice, the first. */
export function at(wall: string, zone = 'Europe/London'): Temporal.Instant {
  return Temporal.PlainDateTime.from(wall).toZonedDateTime(zone, { disambiguation: 'earlier' }).toInstant();
}

export function profile(more: Partial<Profile> = {}): Profile {
  return {
    id: 'test',
    allow: ['+4420794600*'],
    block: [],
    lists: { allow: [], block: [] },
    maxTalkS: 600,
    ringS: 30,
    gapS: 0,
    concurrent: 1,
    warningsS: [60, 10],
    spokenWarnings: false,
    warnCallee: false,
    announcement: false,
    supervised: false,
    prompts: true,
    digitsInSpeech: 'mute',
    digitAlarm: false,
    hookRequired: false,
    controllerLost: 'end',
    earlyMedia: false,
    digitsAllowed: '',
    trunks: ['carrier'],
    tokens: {},
    tokenOnly: false,
    ...more,
  };
}

/** What a test's policy is made of; all the rest allows everything. */
export interface PolicyParts {
  readonly site?: Partial<SiteConfig>;
  readonly wing?: readonly Window[];
  readonly handset?: readonly Window[];
  readonly enabled?: boolean;
  readonly profile?: Partial<Profile>;
  readonly lists?: PolicyInput['lists'];
  readonly callingHours?: PolicyInput['callingHours'];
  readonly zonesOf?: PolicyInput['zonesOf'];
}

const listener = { address: '127.0.0.1', port: 0 };
/** A site's own settings; everything listens on loopback. */
export const SITE: SiteConfig = {
  site: 'test',
  gateway: 'gw-1',
  zone: 'Europe/London',
  country: 'GB',
  language: 'en',
  dataFolder: 'data',
  clock: { trust: 'assume' },
  sip: { realm: 'balise', engine: 'embedded', cell: listener, carrier: listener },
  media: {
    driver: 'relay',
    cellAddress: '127.0.0.1',
    carrierAddress: '127.0.0.1',
    codecs: ['pcma', 'pcmu'],
    privileged: [],
    ports: null,
  },
  bus: { ...listener, agents: [] },
  console: listener,
  log: { level: 'info' },
};

/** Hours of a country, open always unless told otherwise. */
export function hoursOf(country: string, windows: readonly Window[] = [ALL_DAY], closedOnHolidays = false) {
  return { country, status: 'for tests', source: 'none', windows, closedOnHolidays };
}

export const CARRIER = {
  id: 'carrier',
  host: '127.0.0.1',
  port: 5080,
  transport: 'udp',
  register: false,
  optionsS: 30,
  callerIdentity: '+442079460999',
  networks: ['127.0.0.0/8'],
} as const;

/** A site of one handset, a-101 in wing a, that may call numbers of fiction in the United Kingdom. */
export function inputOf(parts: PolicyParts = {}): PolicyInput {
  const { wing, handset } = parts;
  return {
    site: { ...SITE, ...parts.site },
    wings: [{ id: 'a', network: ['127.0.0.0/8'], ...(wing && { windows: wing }) }],
    handsets: [
      {
        id: 'a-101',
        wing: 'a',
        profile: 'test',
        user: 'a101',
        ha1: {},
        enabled: parts.enabled ?? true,
        ...(handset && { windows: handset }),
      },
    ],
    profiles: [profile(parts.profile)],
    lists: parts.lists ?? {},
    trunks: [CARRIER],
    callingHours: parts.callingHours ?? [hoursOf('GB')],
    zonesOf: parts.zonesOf ?? { GB: ['Europe/London'], US: ['America/New_York', 'America/Los_Angeles'] },
  };
}

export const policyOf = (parts: PolicyParts = {}): CompiledPolicy => compilePolicy(inputOf(parts));

export const GOOD_FACTS: Facts = {
  clock: { trusted: true },
  line: { fitted: true, hook: 'off', supervised: true, relay: 'connected' },
  lockdowns: [],
};

/** A ledger that says this of the handset for whatever period, and of numbers nothing. */
export const used = (handset: Partial<UsageCount>): UsageBook => ({
  used: ({ kind }) => (kind === 'handset' ? { ...NO_USAGE, ...handset } : NO_USAGE),
  callsSince: () => [],
});

export interface Asking extends Pick<DialRequest, 'personFacts' | 'campaign' | 'contact'> {
  readonly dialled?: string;
  readonly person?: DialRequest['person'];
  readonly usage?: UsageBook;
  readonly facts?: Partial<Facts>;
  readonly handset?: string;
  readonly calleeZone?: string;
}

export const NOON = at('2026-03-04T12:00');

/** What policy says to a-101, at noon on a Wednesday unless told otherwise. */
export function ask(policy: CompiledPolicy, when: Temporal.Instant = NOON, asking: Asking = {}): Decision {
  return decide(policy, ...askingOf(asking), when);
}

export function explained(policy: CompiledPolicy, when: Temporal.Instant = NOON, asking: Asking = {}) {
  return explain(policy, ...askingOf(asking), when);
}

function askingOf({
  dialled = NUMBER,
  person,
  usage,
  facts,
  handset = 'a-101',
  calleeZone,
  ...more
}: Asking): [UsageBook, Facts, DialRequest] {
  return [
    usage ?? used({}),
    { ...GOOD_FACTS, ...facts },
    {
      ...more,
      handset: handsetId(handset),
      dialled,
      ...(person !== undefined && { person }),
      ...(calleeZone !== undefined && { calleeZone }),
    },
  ];
}
