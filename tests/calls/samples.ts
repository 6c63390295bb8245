import { Temporal } from 'temporal-polyfill';
import type { Now } from '../../gateway/calls/call-state.js';
import type { CallRequest, CutoffOrder } from '../../gateway/calls/ports.js';
import type { LegDialog, LegName } from '../../gateway/calls/record.js';
import type { Grant, Refusal, RuleId } from '../../gateway/policy/decision.js';
import { callId, type E164, handsetId } from '../../gateway/policy/ids.js';
import { aDialog, aGrant } from '../../scripts/peers/call.js';

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
  return aGrant(NOON, { handset: HANDSET, number: NUMBER, ...more });
}

export function refusal(rule: RuleId = 'number.not-sanctioned'): Refusal {
  return { outcome: 'refusal', rule, fact: 'the number is on no list', sipStatus: 403 };
}

export function dialog(leg: LegName, state: LegDialog['state'] = 'confirmed', id = '1'): LegDialog {
  return aDialog(leg, `${leg}-${id}`, { state });
}

export function cutoff(more: Partial<CutoffOrder> = {}): CutoffOrder {
  return { id: 'order-1', target: { kind: 'site' }, reason: 'drill', by: 'console', hold: 30_000, ...more };
}
