import type { Temporal } from 'temporal-polyfill';
import type { CallRecord, LegDialog } from '../../gateway/calls/record.js';
import type { Grant } from '../../gateway/policy/decision.js';
import { type CallId, type E164, handsetId, trunkId, wingId } from '../../gateway/policy/ids.js';

export const A101 = handsetId('a-101');
export const CALLEE = '+442079460001' as E164;

/** What policy grants a-101 at an instant of tests and measurements: ten minutes of talk at the most, within the hour. */
export function aGrant(at: Temporal.Instant, more: Partial<Grant> = {}): Grant {
  return {
    outcome: 'grant',
    handset: A101,
    wing: wingId('a'),
    number: CALLEE,
    calleeZones: ['Europe/London'],
    notAfter: at.add({ hours: 1 }),
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

/** A leg that is up; `name` is its Call-ID. */
export function aDialog(leg: LegDialog['leg'], name: string, more: Partial<LegDialog> = {}): LegDialog {
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
    routeSet: [],
    cseq: 1,
    branch: 'z9hG4bK1',
    transport: 'udp',
    address: '127.0.0.1',
    port: 5080,
    ...more,
  };
}

/** What became of a call that was asked for at an instant: a minute of talk, until the handset hung up. */
export function aRecord(call: CallId, at: Temporal.Instant, more: Partial<CallRecord> = {}): CallRecord {
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
    ...more,
  };
}
