import { Temporal } from 'temporal-polyfill';
import type { CallRequest, EventDraft } from '../../gateway/calls/ports.js';
import type { CallRecord, LegDialog } from '../../gateway/calls/record.js';
import type { Clock, ClockTrust } from '../../gateway/clock/clock.js';
import type { Deadline } from '../../gateway/clock/deadline.js';
import type { Grant } from '../../gateway/policy/decision.js';
import {
  type CallId,
  callId,
  type E164,
  type HandsetId,
  handsetId,
  trunkId,
  wingId,
} from '../../gateway/policy/ids.js';
import type { Store } from '../../gateway/store/store.js';

export const instant = (text: string): Temporal.Instant => Temporal.Instant.from(text);
export const number = (text: string): E164 => text as E164;

/** A clock that stands still until it is moved. Timers never run. */
export class StillClock implements Clock {
  trusted: ClockTrust = { trusted: true };
  constructor(private now = instant('2026-03-02T10:00:00Z')) {}
  wall(): Temporal.Instant {
    return this.now;
  }
  monotonicNs(): bigint {
    return BigInt(this.now.epochNanoseconds);
  }
  trust(): ClockTrust {
    return this.trusted;
  }
  after() {
    return { cancel: () => undefined };
  }
  set(text: string): void {
    this.now = instant(text);
  }
  add(ms: number): void {
    this.now = this.now.add({ milliseconds: ms });
  }
}

export const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

export const A101 = handsetId('a-101');
export const CALLEE = number('+442079460001');

export function aRequest(call: CallId, at: Temporal.Instant, handset: HandsetId = A101): CallRequest {
  return { call, handset, dialled: '02079460001', at, offer: 'v=0\r\n', source: '127.0.0.1' };
}

export function aGrant(at: Temporal.Instant, handset: HandsetId = A101, callee: E164 = CALLEE): Grant {
  return {
    outcome: 'grant',
    handset,
    wing: wingId('a'),
    number: callee,
    calleeZones: ['Europe/London'],
    notAfter: at.add({ hours: 2 }),
    maxTalkMs: 1_800_000,
    notAfterBy: 'window.callee',
    maxTalkBy: 'max-talk',
    trunks: [trunkId('carrier')],
    callerIdentity: '+442079460000',
    ringMs: 40_000,
    warningsS: [60, 10],
    earlyMedia: false,
    digitsAllowed: '',
    controllerLost: 'end',
    hookRequired: true,
  };
}

export function aDialog(leg: LegDialog['leg'], name: string): LegDialog {
  return {
    leg,
    state: 'confirmed',
    dialogId: `${name};from-tag=${leg}`,
    callId: name,
    localUri: 'sip:balise@127.0.0.1',
    localTag: 'l',
    remoteUri: 'sip:peer@127.0.0.1',
    remoteTag: 'r',
    remoteTarget: 'sip:peer@127.0.0.1:5080',
    routeSet: ['<sip:edge.example;lr>'],
    cseq: 1,
    branch: 'z9hG4bK1',
    transport: 'udp',
    address: '127.0.0.1',
    port: 5080,
  };
}

export function aDeadline(wall: Temporal.Instant): Deadline {
  return { wall, monotonicNs: 9_007_199_254_740_993n, bootId: 'boot-1' };
}

export function aRecord(call: CallId, at: Temporal.Instant, part: Partial<CallRecord> = {}): CallRecord {
  return {
    call,
    handset: A101,
    wing: wingId('a'),
    number: CALLEE,
    trunk: trunkId('carrier'),
    requestedAt: at,
    answeredAt: at.add({ seconds: 5 }),
    endedAt: at.add({ seconds: 65 }),
    talkMs: 60_000,
    cause: 'handset-hung-up',
    planes: {},
    ...part,
  };
}

export function ended(call: CallId | string): EventDraft {
  return { kind: 'event', type: 'balise.call.ended', data: { call } };
}

/** For a test that has no use for the answer. */
export const ignore = (): void => undefined;

/** Commits a deadline; settles when it is durable. */
export function committed(
  store: Store,
  ...order: Parameters<Store['calls']['commitDeadline']> extends readonly [...infer Order, unknown] ? Order : never
): Promise<void> {
  return new Promise((resolve, reject) => {
    store.calls.commitDeadline(...order, (fault) => (fault === undefined ? resolve() : reject(fault)));
  });
}

export const callNumber = (n: number): CallId => callId(`00000000-0000-7000-8000-${String(n).padStart(12, '0')}`);
