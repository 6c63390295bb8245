import type { EndCause } from '../../../calls/record.js';
import type { EndsBy, RuleId } from '../../../policy/decision.js';
import type { ErrorCode } from '../../api/faults.js';
import { type AlarmCode, type AlarmParts, type AlarmSentences, alarmsEn } from './alarms.en.js';
import { type StepWords, stepsEn } from './steps.en.js';

/** The words of the codes that the gateway gives: each known code must have one, in each language. */
export interface CodeWords {
  readonly faults: Readonly<Record<ErrorCode | 'unreachable', string>>;
  readonly rules: Readonly<Record<RuleId, string>>;
  readonly causes: Readonly<Record<EndCause, string>>;
  readonly endsBy: Readonly<Record<EndsBy, string>>;
  readonly alarms: Readonly<Record<AlarmCode, string>>;
  /** What happened, in a sentence; absent where the gateway's own words are of this language. */
  readonly alarmSaid: { readonly sentences: AlarmSentences; readonly parts: AlarmParts } | undefined;
  readonly steps: StepWords;
  readonly boardStates: Readonly<Record<BoardState, string>>;
  /** What a board's state means, in a sentence; absent where the gateway's own words are of this language. */
  readonly boardSaid: Readonly<Record<BoardState, string>> | undefined;
  readonly errorKinds: Readonly<Record<'crc' | 'timeout' | 'exception' | 'answer' | 'port', string>>;
  readonly lineTests: Readonly<Record<LineTestOutcome, string>>;
  readonly planes: Readonly<Record<'signalling' | 'media' | 'line', string>>;
}

export type BoardState = 'starting' | 'ok' | 'lost' | 'watchdog-missing' | 'tamper' | 'refused';

export type LineTestOutcome =
  | 'well'
  | 'not-fitted'
  | 'in-call'
  | 'unsupervised'
  | 'busy'
  | 'did-not-open'
  | 'did-not-close';

export const codesEn: CodeWords = {
  faults: {
    unreachable: 'The gateway does not answer.',
    'session.none': 'You are not logged in.',
    'session.wrong': 'The name or the password is wrong.',
    'session.locked': 'Too many wrong attempts: this name is locked for a while.',
    'people.none': 'Nobody has an account here yet.',
    'people.unknown': 'There is nobody of this name.',
    'people.taken': 'This name is taken.',
    'people.not-yourself': 'You cannot do this to your own account.',
    'people.last-administrator': 'This is the last administrator: there must be one.',
    'password.weak': 'This password is too weak: see the rules beside the field.',
    'password.wrong': 'The present password is wrong.',
    'first.wrong':
      'This link is not valid any more: used, more than 24 hours old, or from before a restart. Restart the gateway for a new one.',
    csrf: 'The page is out of date. Reload it.',
    host: 'The gateway is not reached by this name. Use the address that it printed.',
    right: 'Your role may not do this.',
    form: 'Something in the form is not as it should be.',
    'not-found': 'There is no such thing here.',
    'too-many': 'Too many requests.',
    'too-large': 'That is too long.',
    'handset.unknown': 'There is no such handset on this site.',
    'handset.taken': 'There is a handset of this name already.',
    'handset.no-phone': 'This handset has no phone: give it one first.',
    'site.busy': 'Somebody else is changing the site at this moment: try again.',
    'site.read-only': 'The gateway may not write the site’s files.',
    'site.faults': 'The site would be at fault; nothing was changed.',
    'site.refused': 'The running gateway did not take it, and goes on as it was.',
    'scan.busy': 'A scan goes on already: let it end.',
    'scan.held':
      'An agent of this site holds this port, and a line takes no second master. Its boards are shown above.',
    'scan.port': 'This is no serial port of the gateway’s machine, or it is not plugged in.',
    'board.taken': 'There is a board of this name already.',
    'wing.unknown': 'There is no such wing on this site.',
    'call.unknown': 'There is no such call, or it is no longer kept.',
    'handset.busy': 'An audio test of this handset goes on. Let it end first.',
    'handset.held': 'The handset is cut off or disabled: release or enable it first.',
    'test.none': 'The media plane of this site (rtpengine) has no audio test.',
    'listen.refused': 'Nobody may listen to this call now.',
    'listen.not-yours': 'Listen to the call first: only who hears it may end it here.',
    disk: 'The disk cannot take it: nothing was changed.',
    fault: 'The gateway met a fault of its own. Its log says more.',
  },
  rules: {
    'clock.untrusted': 'The clock is not trusted',
    'policy.missing': 'No policy yet',
    'policy.expired': 'The policy has expired',
    'policy.unsigned': 'The policy is not signed',
    'lockdown.site': 'The site is cut off',
    'lockdown.wing': 'The wing is cut off',
    'lockdown.handset': 'The handset is cut off',
    'lockdown.person': 'The person is cut off',
    'handset.unknown': 'Unknown handset',
    'handset.disabled': 'Handset disabled',
    'line.unsupervised': 'Line not supervised',
    'line.not-off-hook': 'The wire says on hook',
    'person.not-signed-on': 'Nobody is signed on',
    'person.suspended': 'Person suspended',
    'dial.malformed': 'Not a number',
    'dial.free-dialling': 'Codes only on this handset',
    'number.class': 'This kind of number is closed',
    'number.blocked': 'Number blocked',
    'number.not-sanctioned': 'Number not sanctioned',
    'dnc.listed': 'On a do-not-call list',
    'dnc.stale': 'Do-not-call list too old',
    'contact.refused': 'Asked not to be called',
    'window.site': 'Outside the site’s hours',
    'window.wing': 'Outside the wing’s hours',
    'window.handset': 'Outside the handset’s hours',
    'window.person': 'Outside the person’s hours',
    'window.campaign': 'Outside the campaign’s hours',
    'window.callee': 'Outside the callee’s hours',
    'holiday.callee': 'Holiday where the callee is',
    'limit.attempts': 'Attempts used up',
    'limit.gap': 'Too soon after the last call',
    'limit.calls': 'Calls used up',
    'limit.talk': 'Talk time used up',
    'limit.concurrent': 'Already in a call',
    'store.full': 'The disk is full',
    'fault.media': 'Fault: media',
    'fault.signalling': 'Fault: signalling',
    'fault.store': 'Fault: disk',
  },
  causes: {
    refused: 'Refused',
    'handset-cancelled': 'Cancelled at the handset',
    busy: 'Busy',
    'no-answer': 'No answer',
    'trunk-failed': 'Trunk failed',
    'handset-hung-up': 'Handset hung up',
    'trunk-hung-up': 'Callee hung up',
    deadline: 'Time was up',
    cutoff: 'Cut off',
    'hook.on': 'The wire said on hook',
    'line.controller-lost': 'Line controller lost',
    'callee.redirected': 'Callee’s side redirected',
    'fault.media': 'Fault: media',
    'fault.signalling': 'Fault: signalling',
    'fault.line': 'Fault: line',
    'fault.store': 'Fault: disk',
    'gateway-restarted': 'Gateway restarted',
    'gateway-stopped': 'Gateway stopped',
  },
  endsBy: {
    'max-talk': 'the longest call of its profile',
    'limit.talk': 'the talk time left',
    'window.site': 'the site’s hours',
    'window.wing': 'the wing’s hours',
    'window.handset': 'the handset’s hours',
    'window.person': 'the person’s hours',
    'window.campaign': 'the campaign’s hours',
    'window.callee': 'the callee’s hours',
    lockdown: 'a cutoff already ordered',
    policy: 'the policy’s own end',
  },
  alarms: alarmsEn,
  alarmSaid: undefined,
  steps: stepsEn,
  boardStates: {
    starting: 'starting',
    ok: 'up',
    lost: 'lost',
    'watchdog-missing': 'no watchdog',
    tamper: 'case open',
    refused: 'refused',
  },
  boardSaid: undefined,
  errorKinds: {
    crc: 'wrong check sum',
    timeout: 'no answer in time',
    exception: 'refused by the board',
    answer: 'answer to something else',
    port: 'port gone',
  },
  lineTests: {
    well: 'The line is well.',
    'not-fitted': 'This handset has no supervised line.',
    'in-call': 'A call is up: the line is not tested.',
    unsupervised: 'The board does not answer: the line cannot be tested.',
    busy: 'This line is being tested already.',
    'did-not-open': 'The relay did NOT open. Do not use this line.',
    'did-not-close': 'The relay opened and did not close again.',
  },
  planes: { signalling: 'Signalling', media: 'Media', line: 'Line' },
};
