import { Temporal } from 'temporal-polyfill';
import type { Now } from '../../gateway/calls/call-state.js';
import type { CallRequest, CutoffOrder } from '../../gateway/calls/ports.js';
import type { LegDialog, LegName } from '../../gateway/calls/record.js';
import type { Grant, Refusal, RuleId } from '../../gateway/policy/decision.js';
import { callId, type E164, handsetId, trunkId, wingId } from '../../gateway/policy/ids.js';

export const NOON = Temporal.Instant.from('2026-03-02T12:00:00Z');
export const CALL = callId('01900000-0000-7000-8000-000000000001');
export const HANDSET = handsetId('a-101');
export const NUMBER = '+442079460000' as E164;

/** Both clocks, `ms` after noon; `setBackMs` is how far the wall clock has been set back since. */
export function now(ms = 0, setBackMs = 0): Now {
  return {
    wall: NOON.add({ milliseconds: ms - setBackMs }),
    monotonicNs: 1_000_000_000n + BigInt(ms) * 1_000_000n,
    bootId: 'boot-1',
  };
}

export function request(more: Partial<CallRequest> = {}): CallRequest {
  return {
    call: CALL,
    handset: HANDSET,
    dialled: '02079460000',
    at: NOON,
    offer: 'offer',
    source: '127.0.0.1',
    ...more,
  };
}

export function grant(more: Partial<Grant> = {}): Grant {
  return {
    outcome: 'grant',
    handset: HANDSET,
    wing: wingId('a'),
    number: NUMBER,
    calleeZones: ['Europe/London'],
    notAfter: NOON.add({ hours: 1 }),
    maxTalkMs: 600_000,
    notAfterBy: 'window.callee',
    maxTalkBy: 'max-talk',
    trunks: [trunkId('carrier')],
    callerIdentity: '+442079460999',
    ringMs: 40_000,
    warningsS: [60, 10],
    earlyMedia: false,
    digitsAllowed: '',
    controllerLost: 'end',
    hookRequired: true,
    ...more,
  };
}

export function refusal(rule: RuleId = 'number.not-sanctioned'): Refusal {
  return { outcome: 'refusal', rule, fact: 'the number is on no list', sipStatus: 403 };
}

export function dialog(leg: LegName, state: LegDialog['state'] = 'confirmed', id = '1'): LegDialog {
  return {
    leg,
    state,
    dialogId: `${leg}-${id};from-tag=x`,
    callId: `${leg}-${id}`,
    localUri: 'sip:us@127.0.0.1',
    localTag: 'x',
    remoteUri: 'sip:them@127.0.0.1',
    remoteTag: 'y',
    remoteTarget: 'sip:them@127.0.0.1:5080',
    routeSet: [],
    cseq: 1,
    branch: 'z9hG4bK1',
    transport: 'udp',
    address: '127.0.0.1',
    port: 5080,
  };
}

export function cutoff(more: Partial<CutoffOrder> = {}): CutoffOrder {
  return { id: 'order-1', target: { kind: 'site' }, reason: 'drill', by: 'console', hold: 30_000, ...more };
}
