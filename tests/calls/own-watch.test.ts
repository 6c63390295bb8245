/** What the calls hold by themselves, whoever else has forgotten: both clocks, and a policy that changes under them. */
import t from 'tap';
import { Calls } from '../../gateway/calls/calls.js';
import type { CallStore, LinePlane, MediaPlane, SignallingPlane } from '../../gateway/calls/ports.js';
import type { Decision } from '../../gateway/policy/decision.js';
import { callId } from '../../gateway/policy/ids.js';
import type { DialRequest } from '../../gateway/policy/request.js';
import { VirtualClock } from '../lines/virtual-clock.js';
import { silent } from '../store/samples.js';
import { grant, request } from './samples.js';

const [FIRST, SECOND] = [callId('c-1'), callId('c-2')];

/** Calls that ring, and whatever ends them; `judge` is asked as policy is. */
function ringing(judge: (request: DialRequest, clock: VirtualClock) => Decision) {
  const clock = new VirtualClock();
  const released: string[] = [];
  const nothing = (): void => undefined;
  const store: Partial<CallStore> = {
    ...{ open: nothing, record: nothing, append: nothing, hasRoom: () => true },
    ...{ lockdowns: () => [], openCalls: () => [] },
  };
  const media: Partial<MediaPlane> = {
    open: (call) => calls.event(call, { type: 'media-opened', trunkOffer: 'offer' }),
    close: nothing,
  };
  const signalling: Partial<SignallingPlane> = {
    dial: (call) => calls.event(call, { type: 'trunk-ringing' }),
    ring: nothing,
    release: (call, cause) => released.push(`${call} ${cause}`),
  };
  const line: Partial<LinePlane> = {
    facts: () => ({ fitted: false, hook: 'unknown', supervised: false, relay: 'unknown' }),
  };
  const calls = new Calls({
    ...{ clock, bootId: 'boot-1', log: silent, numberToken: () => 'token' },
    ...{ store: store as CallStore, media: media as MediaPlane, line: line as LinePlane },
    signalling: signalling as SignallingPlane,
    judge: { judge: (asked) => judge(asked, clock) },
    observer: { handset: nothing, ended: nothing, cutoff: nothing },
  });
  return { clock, calls, released };
}

const forAMinute = (_: DialRequest, clock: VirtualClock): Decision =>
  grant({ notAfter: clock.wall().add({ seconds: 60 }), ringMs: 600_000 });

t.test('a wall clock that is put forward little by little brings the end nearer all the same', (t) => {
  const { clock, calls, released } = ringing(forAMinute);
  calls.request(request({ call: FIRST }));
  for (let second = 1; second <= 57; second++) {
    clock.step(45);
    clock.go(1_000);
  }
  t.same(released, []);
  clock.step(45);
  clock.go(1_000);
  t.same(released, [`${FIRST} deadline`], '60.6 s by the wall, and 58 by the other clock');
  t.end();
});

t.test('a call that a new policy cannot judge ends, and the others are judged by it', (t) => {
  let isBroken = false;
  const { clock, calls, released } = ringing((asked, at) => {
    if (!isBroken) return forAMinute(asked, at);
    if (asked.dialled === 'broken') throw new Error('a fault of ours');
    return grant({ notAfter: at.wall().add({ seconds: 10 }) });
  });
  calls.request(request({ call: FIRST, dialled: 'broken' }));
  calls.request(request({ call: SECOND }));
  isBroken = true;
  calls.policyChanged();
  t.same(released, [`${FIRST} deadline`]);
  clock.go(10_000);
  t.same(released, [`${FIRST} deadline`, `${SECOND} deadline`]);
  t.end();
});
