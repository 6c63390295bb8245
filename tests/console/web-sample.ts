import type { CallView, EndedView, Judgement } from '../../gateway/console/api/calls.js';
import type { ArmedView } from '../../gateway/console/api/handset-edits.js';
import type { HandsetPage, HandsetView } from '../../gateway/console/api/handsets.js';
import type { WeekView } from '../../gateway/console/api/hours.js';
import type { BoardView, TrunkView } from '../../gateway/console/api/parts.js';
import type { AuditView, SiteView, StatusView } from '../../gateway/console/api/site.js';
import type { SheetView, WorkView } from '../../gateway/console/api/work.js';
import { RULES } from '../../gateway/policy/decision.js';

/** Monday 23 November 2026, 10:14 in Brussels. */
export const NOW_MS = Date.parse('2026-11-23T09:14:09Z');
const at = (secondsAgo: number): string => new Date(NOW_MS - secondsAgo * 1000).toISOString();

const IDLE = { phase: 'idle', hook: 'on', relay: 'connected', registered: true, disabled: false } as const;
const talking = (leftS: number, grantS: number, call: string): Partial<HandsetView> => ({
  phase: 'talking',
  hook: 'off',
  call,
  leftS,
  grantS,
  until: at(-leftS),
});

/** Every state that a tile can have; whatever is not named here is on hook. */
const SPECIAL: Readonly<Record<string, Partial<HandsetView>>> = {
  'a-102': talking(1105, 1800, 'call-1'),
  'a-103': talking(47, 900, 'call-2'),
  'a-105': {
    refusedAt: at(20),
    rule: 'window.callee',
    fact: 'in Ankara it is 21:14; calls from 10:00',
    refusedCall: 'refused-1',
  },
  'a-106': { phase: 'ringing', hook: 'off', call: 'call-3' },
  'a-108': { hook: 'off' },
  'a-110': { phase: 'calling', hook: 'off', call: 'call-4' },
  'b-201': { relay: 'open', cut: { kind: 'handset', since: at(300), reason: 'Misuse of the line' } },
  'b-203': { hook: 'unknown', relay: 'unknown', fault: 'board b2 does not answer' },
  'b-204': { registered: false },
  'b-205': { disabled: true },
  'b-206': talking(3725, 5400, 'call-5'),
  'b-207': {
    refusedAt: at(90),
    rule: 'number.not-sanctioned',
    fact: 'the number is on no list',
    refusedCall: 'refused-2',
  },
};

const cells = (wing: string, first: number, count: number): HandsetView[] =>
  Array.from({ length: count }, (_, n) => {
    const handset = `${wing}-${first + n}`;
    return { handset, wing, ...IDLE, ...SPECIAL[handset] };
  });

export const HANDSETS: readonly HandsetView[] = [...cells('a', 101, 14), ...cells('b', 201, 12)];

export const ENDED: readonly EndedView[] = [
  {
    call: 'refused-1',
    handset: 'a-105',
    at: at(20),
    cause: 'refused',
    rule: 'window.callee',
    fact: 'in Ankara it is 21:14; calls from 10:00',
    talkS: 0,
  },
  {
    call: 'refused-2',
    handset: 'b-207',
    at: at(90),
    cause: 'refused',
    rule: 'number.not-sanctioned',
    fact: 'the number is on no list of this handset',
    talkS: 0,
  },
  { call: 'cut-1', handset: 'b-201', at: at(300), cause: 'cutoff', talkS: 412 },
  { call: 'ended-1', handset: 'a-101', at: at(640), cause: 'handset-hung-up', talkS: 95 },
  { call: 'ended-2', handset: 'a-104', at: at(900), cause: 'deadline', talkS: 1800 },
  { call: 'ended-3', handset: 'a-107', at: at(1300), cause: 'no-answer', talkS: 0 },
  { call: 'ended-4', handset: 'b-203', at: at(1500), cause: 'line.controller-lost', talkS: 33 },
  {
    call: 'refused-3',
    handset: 'a-103',
    at: at(90_000),
    cause: 'refused',
    rule: 'limit.calls',
    fact: '80 of 80 calls of this handset today are used',
    talkS: 0,
  },
];

const BOARDS: readonly BoardView[] = [
  {
    board: 'b1',
    device: 'generic-8r8i',
    state: 'ok',
    detail: '',
    port: 'tcp 127.0.0.1:5020',
    handsets: HANDSETS.slice(0, 14).map(({ handset }) => handset),
    rttMs: 4.2,
    polls: 12_000,
    errors: { crc: 2, timeout: 0 },
    watchdog: 'armed',
    at: at(2),
  },
  {
    board: 'b2',
    device: 'generic-8r8i',
    state: 'lost',
    detail: 'it does not answer',
    port: '/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0',
    handsets: ['b-203'],
    errors: { timeout: 1432 },
    watchdog: 'unknown',
    at: at(95),
  },
];
const PLANES = ['signalling', 'media', 'line'].map((name) => ({ name, state: 'up' as const, detail: '' }));
const UPLINK = {
  configured: true,
  connected: true,
  broker: 'mqtts://hq.example:8883',
  waiting: 0,
  lastSequence: 18_422,
};

/** A site with a handset in every state. */
export const SITE: SiteView = {
  site: 'north',
  profiles: ['survey', 'family'],
  gateway: 'gw-1',
  zone: 'Europe/Brussels',
  at: at(0),
  clock: 'clock trusted',
  clockTrusted: true,
  planes: PLANES,
  wings: [
    { wing: 'a', handsets: 14 },
    { wing: 'b', handsets: 12 },
  ],
  handsets: HANDSETS,
  boards: BOARDS,
  uplink: UPLINK,
  ended: ENDED,
  alarms: [
    { at: at(95), code: 'line.controller-lost', detail: 'board b2 does not answer', board: 'b2' },
    {
      ...{ at: at(300), code: 'cutoff', detail: 'Misuse of the line: 1 call cut, by duty' },
      cut: { calls: 1, reason: 'Misuse of the line', by: 'duty' },
    },
    {
      ...{ at: at(4000), code: 'sip.foreign-address', detail: 'a-103 spoke from 192.0.2.7, outside its wing' },
      ...{ handset: 'a-103', address: '192.0.2.7' },
    },
    { at: at(90_000), code: 'dnc.ageing', detail: 'the list be-dncm is 20 hours old' },
  ],
};

/** The judgement of a call, refused by one rule, or by none. */
export function judged(refusing?: string, words = ''): readonly Judgement[] {
  return RULES.filter((rule) => !rule.startsWith('fault.') && rule !== 'store.full').map((rule) => {
    if (rule === refusing) return { rule, verdict: 'refuses', words: [words] };
    const notes = rule === 'limit.calls' ? ['12 of 80 calls of this handset today'] : [];
    return { rule, verdict: 'passes', words: notes };
  });
}

export function handsetPage(id: string): HandsetPage {
  const view = HANDSETS.find(({ handset }) => handset === id) ?? { handset: id, wing: 'a', ...IDLE };
  return {
    view,
    user: id.replace('-', ''),
    wing: view.wing,
    profile: 'survey',
    language: 'sq',
    line: { board: 'b1', channel: 1, hook: 1 },
    phone: { model: 'HT814', mac: 'c074ad000201', port: 1, state: 'enrolled', detail: 'signed on' },
    ...(view.registered && {
      registration: {
        address: '198.51.100.21:5060',
        userAgent: 'Grandstream HT802 1.0.43.9',
        since: at(86_000),
        expiresAt: at(-210),
      },
    }),
    lastCalls: ENDED.map((one) => ({ ...one, call: `${one.call}-of-it`, handset: id })),
  };
}

/** A device that was just armed. */
export function armed(mac: string): ArmedView {
  return {
    mac,
    model: 'HT814',
    maker: 'Grandstream',
    armedUntil: at(-86_400),
    url: 'https://192.0.2.10:8443/p/sampletoken23456/',
    file: `cfg${mac}.xml`,
    where: 'Advanced Settings, Config Server Path',
    token: 'sampletoken23456',
  };
}

/** Hours of the site 07:00–11:50 and 12:35–16:25, evenings for the west; hours of the other zone 10–13 and 14–20 on weekdays. */
export function week(zone: string, from: string): WeekView {
  const siteOffset = '+01:00';
  const zoneOffset = zone === 'Europe/Istanbul' ? '+03:00' : '+01:00';
  const days = Array.from({ length: 7 }, (_, n) => {
    const date = new Date(Date.parse(`${from}T00:00:00Z`) + n * 86_400_000).toISOString().slice(0, 10);
    const isWorkday = ![0, 6].includes(new Date(`${date}T00:00:00Z`).getUTCDay());
    const span = (a: string, b: string, offset: string) => ({
      from: new Date(`${date}T${a}:00${offset}`).toISOString(),
      until: new Date(`${date}T${b}:00${offset}`).toISOString(),
    });
    return {
      date,
      siteWindows: isWorkday
        ? [span('07:00', '11:50', siteOffset), span('12:35', '16:25', siteOffset), span('18:00', '21:00', siteOffset)]
        : [span('09:00', '12:00', siteOffset)],
      zoneWindows: isWorkday ? [span('10:00', '13:00', zoneOffset), span('14:00', '20:00', zoneOffset)] : [],
    };
  });
  return { zone, siteZone: 'Europe/Brussels', days };
}

export function call(id: string): CallView {
  const ended = ENDED.find((one) => id.startsWith(one.call));
  const asked = at(700);
  const granted = {
    notAfter: at(-12_000),
    notAfterBy: 'window.callee',
    maxTalkS: 1800,
    maxTalkBy: 'max-talk',
    calleeZones: ['Europe/Istanbul'],
  };
  const steps = [
    { atMs: 0, what: 'journalled', state: 'judging' },
    { atMs: 1.4, what: 'judged', state: 'opening-media' },
    { atMs: 6.2, what: 'media-opened', state: 'dialling' },
    { atMs: 240, what: 'trunk-ringing', state: 'ringing' },
    { atMs: 4210, what: 'trunk-answered', state: 'committing' },
    { atMs: 4228, what: 'armed', state: 'talking' },
  ];
  if (ended?.rule !== undefined) {
    return {
      call: id,
      handset: ended.handset,
      wing: 'a',
      state: 'ended',
      requestedAt: asked,
      endedAt: ended.at,
      cause: 'refused',
      rule: ended.rule,
      fact: ended.fact ?? '',
      nextAllowed: at(-51_951),
      sipStatus: 480,
      why: judged(ended.rule, ended.fact),
      steps: steps.slice(0, 1),
    };
  }
  const stream = { packets: 20_611, lost: 12, jitterMs: 2.4, longestSilenceMs: 60, mos: 4.3 };
  return {
    call: '01JD9Z0QK4X4S7X6V1T2M3N4P5',
    handset: ended?.handset ?? 'a-102',
    wing: 'a',
    state: ended === undefined ? 'talking' : 'ended',
    trunk: 'carrier',
    requestedAt: asked,
    answeredAt: at(695),
    ...(ended && { endedAt: ended.at, cause: ended.cause, talkS: ended.talkS, cutoffErrorMs: 3.1 }),
    deadline: at(-1105),
    granted,
    planes: {
      signalling: { confirmed: true, afterMs: 12.6 },
      media: { confirmed: true, afterMs: 3.1 },
      line: { confirmed: false, afterMs: 2000 },
    },
    quality: {
      handsetPackets: 20_611,
      trunkPackets: 20_590,
      dropped: 4,
      droppedAfterDeadline: 31,
      lost: 12,
      jitterMs: 2.4,
      handset: stream,
      trunk: { ...stream, mos: 4.1 },
    },
    why: judged(),
    steps,
    ...(ended?.cause === 'cutoff' && { cutBy: { by: 'duty', reason: 'Misuse of the line', at: at(300) } }),
  };
}

export const STATUS: StatusView = {
  site: 'north',
  gateway: 'gw-1',
  version: '0.1.0',
  startedAt: at(400_000),
  at: at(0),
  clock: { trusted: true },
  planes: PLANES,
  calls: 5,
  handsets: { all: 26, registered: 25, offHook: 7 },
  work: { signedOn: 0, doing: {} },
  boards: { all: 2, up: 1 },
  uplink: UPLINK,
  disk: { usedBytes: 41_000_000, limitBytes: 2_000_000_000, freeBytes: 21_000_000_000, hasRoom: true },
  policy: { source: 'bundle', version: 41, state: 'good' },
  troubles: [],
};

export const TRUNKS: readonly TrunkView[] = [
  {
    trunk: 'carrier',
    address: '198.51.100.9:5060',
    transport: 'tls',
    attempts: 412,
    answered: 250,
    failed: 9,
    lastFailure: { at: at(3000), sipStatus: 503 },
  },
];

export const AUDIT: AuditView = {
  events: [3, 2, 1].map((sequence) => ({
    sequence,
    at: at(300 * (4 - sequence)),
    type: 'balise.lockdown.set',
    data: { by: 'duty', reason: 'Misuse of the line', target: { kind: 'handset', handset: 'b-201' }, calls: 1 },
    hash: 'b7'.repeat(32),
  })),
};

const OF_SURVEY = { campaign: 'survey', isMystery: false };

/** What came of the work: a day's hours, two languages, contacts that try it, and scores. */
export const WORK: WorkView = {
  zone: 'Europe/Brussels',
  outcomes: [
    ...[9, 10, 11, 14, 15].map((hour) => ({ ...OF_SURVEY, language: 'nl', outcome: 'completed', hour, calls: hour })),
    { ...OF_SURVEY, language: 'fr', outcome: 'no-answer', hour: 10, calls: 12 },
    { ...OF_SURVEY, language: 'nl', outcome: 'refused', hour: 11, calls: 4 },
    { ...OF_SURVEY, language: 'nl', outcome: 'completed', hour: 11, calls: 2, isMystery: true },
  ],
  scores: [{ campaign: 'survey', criterion: 'script', calls: 6, mean: 4.2 }],
};

const CRITERIA = [
  { id: 'script', text: 'Keeps to the script' },
  { id: 'tone', text: 'Is friendly, and lets the other speak' },
];

/** Calls that can be scored: one that was, one that was not. */
export const SHEETS: readonly SheetView[] = [
  {
    ...{ call: 'talked-1', campaign: 'survey', person: 'p-1', endedAt: at(900), talkS: 412, criteria: CRITERIA },
    points: {},
  },
  {
    ...{ call: 'talked-2', campaign: 'survey', person: 'p-2', endedAt: at(4_100), talkS: 95, criteria: CRITERIA },
    points: { script: 4, tone: 5 },
  },
];
