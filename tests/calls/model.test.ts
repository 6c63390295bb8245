/** Random orders of events, well-behaved and mad, through the machine; the promises are in watched-call.ts. */
import fc from 'fast-check';
import t from 'tap';
import type { MachineEvent } from '../../gateway/calls/call-effect.js';
import type { StateName } from '../../gateway/calls/call-state.js';
import type { PlaneName } from '../../gateway/calls/ports.js';
import { trunkId } from '../../gateway/policy/ids.js';
import { cutoff, dialog, grant, NOON, refusal } from './samples.js';
import { WatchedCall } from './watched-call.js';

const plane = fc.constantFrom<PlaneName>('signalling', 'media', 'line');
const noon = (s: number) => NOON.add({ seconds: s });

const events: fc.Arbitrary<MachineEvent> = fc.oneof(
  fc.constantFrom<MachineEvent>(
    { type: 'judged', decision: refusal() },
    { type: 'judged', decision: refusal('line.not-off-hook') },
    { type: 'judged', decision: refusal(), announcement: { language: 'nl', pieces: ['refused.blocked'] } },
    { type: 'judged', decision: grant() },
    { type: 'announcing', answer: 'h' },
    { type: 'announced' },
    { type: 'handset-called', dialog: dialog('handset', 'early', '2') },
    { type: 'handset-answered', offer: 'h', dialog: dialog('handset', 'confirmed', '2') },
    { type: 'handset-failed', status: 480, why: 'busy' },
    { type: 'media-opened', trunkOffer: 'o' },
    { type: 'media-failed', code: 'media.lost' },
    { type: 'dialling', trunk: trunkId('other'), dialog: dialog('trunk', 'early', '2') },
    { type: 'trunk-ringing' },
    { type: 'trunk-early-media', sdp: 's' },
    { type: 'trunk-answered', answer: 'a', dialogs: [dialog('trunk', 'confirmed', '2')] },
    { type: 'trunk-failed', status: 486, cause: 'busy' },
    { type: 'media-connected', handsetAnswer: 'h' },
    { type: 'commit-failed', why: 'w' },
    { type: 'accepted' },
    { type: 'handset-cancelled' },
    { type: 'handset-hung-up' },
    { type: 'trunk-hung-up' },
    { type: 'cutoff', order: cutoff() },
    { type: 'hook-on' },
    { type: 'controller-lost' },
    { type: 'callee-redirected' },
    { type: 'ring-timeout' },
    { type: 'stop' },
    { type: 'byes-sent' },
    { type: 'journal-failed', why: 'w' },
    { type: 'judge-again' },
    { type: 'hook-grace-over' },
    { type: 'hook-checked', stillOn: true },
    { type: 'hook-checked', stillOn: false },
    { type: 'record-again' },
    { type: 'record-failed', why: 'w' },
    { type: 'released', plane: 'media' },
    { type: 'released', plane: 'line', relayOpen: false },
    { type: 'released', plane: 'signalling', legs: [] },
  ),
  plane.map((lost): MachineEvent => ({ type: 'plane-lost', plane: lost, why: 'w' })),
  plane.map((armed): MachineEvent => ({ type: 'armed', plane: armed })),
  plane.map((failed): MachineEvent => ({ type: 'arm-failed', plane: failed, why: 'w' })),
  plane.map((late): MachineEvent => ({ type: 'release-timeout', plane: late })),
  fc
    .constantFrom<PlaneName | 'calls'>('signalling', 'media', 'line', 'calls')
    .map((by): MachineEvent => ({ type: 'deadline-passed', by })),
  fc
    .constantFrom<StateName>('opening-media', 'calling-handset', 'ringing', 'arming', 'talking', 'ending', 'announcing')
    .map((state): MachineEvent => ({ type: 'overdue', state })),
  fc.record({ s: fc.integer({ min: -60, max: 900 }), talkS: fc.option(fc.integer({ min: 0, max: 900 })) }).map(
    ({ s, talkS }): MachineEvent => ({
      type: 'narrowed',
      notAfter: noon(s),
      ...(talkS === null ? {} : { maxTalkMs: talkS * 1_000 }),
    }),
  ),
);

type Deed =
  | { readonly do: 'answer'; readonly well: boolean }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'event'; readonly event: MachineEvent };

const deeds: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('answer' as const), well: fc.constant(true) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('answer' as const), well: fc.constant(false) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 40_000 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('event' as const), event: events }) },
);

const grants = fc.record({
  notAfter: fc.integer({ min: -5, max: 900 }).map(noon),
  maxTalkMs: fc.integer({ min: 0, max: 600_000 }),
  hookRequired: fc.boolean(),
  controllerLost: fc.constantFrom('end' as const, 'alarm' as const),
  earlyMedia: fc.boolean(),
});

const walks = fc.array(deeds, { maxLength: 80, size: 'max' });

t.test('whatever happens in whatever order, the promises of a call hold', async (t) => {
  const reached = new Map<StateName, number>();
  fc.assert(
    fc.property(fc.boolean(), grants, walks, fc.nat(9), fc.boolean(), (fitted, more, script, luck, keyed) => {
      const call = new WatchedCall(fitted, grant(more), luck === 0 && !keyed, keyed, luck % 3 === 1);
      // Chance alone seldom leads as far as a talk: some walks begin near one.
      for (let answers = 0; luck > 6 && answers < 14; answers += 1) call.answer(true);
      for (const deed of script) {
        if (deed.do === 'answer') call.answer(deed.well);
        else if (deed.do === 'wait') call.wait(deed.ms);
        // The disk's own words belong to the disk; these two are promises of the driver.
        else call.event(deed.event);
        reached.set(call.state.at, (reached.get(call.state.at) ?? 0) + 1);
      }
      call.abandon();
    }),
    { numRuns: 4_000 },
  );
  for (const state of [
    'announcing',
    'calling-handset',
    'talking',
    'arming',
    'ending',
    'refusing',
    'recording',
    'ended',
  ] as const) {
    t.ok((reached.get(state) ?? 0) > 20, `the walks have been in ${state}`);
  }
});

t.test('a call whose planes all answer talks until its deadline, and not a moment longer', async () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      grants,
      fc.integer({ min: 0, max: 5_000 }),
      fc.boolean(),
      fc.boolean(),
      (fitted, more, ringMs, keyed, desk) => {
        const call = new WatchedCall(fitted, grant({ ...more, controllerLost: 'end' }), false, keyed, desk);
        for (let i = 0; i < 60 && call.isLiving && call.state.at !== 'talking'; i += 1) {
          call.answer(true);
          call.wait(Math.floor(ringMs / 60));
        }
        call.wait(901_000);
        if (call.isLiving) throw new Error('still up after its window has closed');
        call.abandon();
      },
    ),
    { numRuns: 500 },
  );
});
