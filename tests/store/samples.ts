import { Temporal } from 'temporal-polyfill';
import type { CallRequest, EventDraft } from '../../gateway/calls/ports.js';
import type { LegDialog } from '../../gateway/calls/record.js';
import type { Clock, ClockTrust } from '../../gateway/clock/clock.js';
import type { Deadline } from '../../gateway/clock/deadline.js';
import type { Grant } from '../../gateway/policy/decision.js';
import { type CallId, callId, type E164, type HandsetId } from '../../gateway/policy/ids.js';
import type { Store } from '../../gateway/store/store.js';
import { A101, CALLEE, aDialog as dialogOf, aGrant as grantTo } from '../../scripts/peers/call.js';

export { A101, aRecord, CALLEE } from '../../scripts/peers/call.js';

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

export function aRequest(call: CallId, at: Temporal.Instant, handset: HandsetId = A101): CallRequest {
  return { call, handset, dialled: '02079460001', at, offer: 'v=0\r\n', source: '127.0.0.1' };
}

export function aGrant(at: Temporal.Instant, handset: HandsetId = A101, number: E164 = CALLEE): Grant {
  return grantTo(at, { handset, number, notAfter: at.add({ hours: 2 }), maxTalkMs: 1_800_000 });
}

/** A leg that is up, by way of a proxy. */
export function aDialog(leg: LegDialog['leg'], name: string): LegDialog {
  return dialogOf(leg, name, { routeSet: ['<sip:edge.example;lr>'] });
}

export function aDeadline(wall: Temporal.Instant): Deadline {
  return { wall, monotonicNs: 9_007_199_254_740_993n, bootId: 'boot-1' };
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
