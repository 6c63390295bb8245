import t from 'tap';
import type { HandsetMessage } from '../../config/schema/types.generated.js';
import { callId, handsetId } from '../../gateway/policy/ids.js';
import { HandsetStates } from '../../gateway/uplink/handset-states.js';
import { VirtualClock } from '../lines/virtual-clock.js';
import { aRecord, callNumber, instant } from '../store/samples.js';

const CELL = handsetId('a-101');
const [DESK, CONTACT] = [callId('desk'), callId('contact')];

function states() {
  const said: HandsetMessage[] = [];
  const clock = new VirtualClock();
  const made = new HandsetStates(clock, (_handset, message) => said.push(message));
  const last = (): Omit<HandsetMessage, 'at'> | undefined => {
    clock.go(50);
    const { at: _at, ...rest } = said.at(-1) ?? { at: '' };
    return rest as Omit<HandsetMessage, 'at'>;
  };
  return { said, clock, made, last, observer: made.observer };
}

t.test(
  'at the work desk a handset is in two calls for a while, and in one again when the contact has gone',
  async (t) => {
    const { made, last, observer } = states();
    observer.handset(CELL, 'talking', { call: DESK });
    made.work(CELL, { person: 'p-1', activity: 'signed-on' });
    t.same(last(), { state: 'talking', call: DESK, work: 'signed-on', person: 'p-1' });
    made.work(CELL, { person: 'p-1', activity: 'ringing' });
    observer.handset(CELL, 'ringing', { call: CONTACT });
    t.same(last(), { state: 'ringing', call: CONTACT, work: 'ringing', person: 'p-1' });
    observer.handset(CELL, 'ended', { call: CONTACT });
    made.work(CELL, { person: 'p-1', activity: 'wrap-up' });
    t.same(last(), { state: 'talking', call: DESK, work: 'wrap-up', person: 'p-1' });
    observer.ended(
      aRecord(callNumber(1), instant('2026-03-02T10:00:00Z'), { call: CONTACT, handset: CELL, cause: 'refused' }),
    );
    t.same(
      last(),
      { state: 'talking', call: DESK, work: 'wrap-up', person: 'p-1' },
      'a refused contact is no refused handset',
    );
  },
);

t.test('what happens within a twentieth of a second is told as what it came to, and once', async (t) => {
  const { said, clock, made, last, observer } = states();
  for (const phase of ['calling', 'ringing', 'talking'] as const) observer.handset(CELL, phase, { call: DESK });
  clock.go(49);
  t.same(said, []);
  t.same(last(), { state: 'talking', call: DESK });
  clock.go(1_000);
  t.equal(said.length, 1);
  observer.handset(CELL, 'ended', { call: DESK });
  made.tell();
  t.match(said.at(-1), { state: 'idle' }, 'or at once, for whoever leaves');
  clock.go(1_000);
  t.equal(said.length, 2);
  for (const activity of ['ringing', 'wrap-up', 'no-work'] as const) made.work(CELL, { person: 'p-1', activity });
  t.same(
    said.slice(2).map(({ work }) => work),
    ['ringing', 'wrap-up', 'no-work'],
    'but each step of a shift is seen',
  );
});

t.test('nobody is told of a contact, and after the sign-off of nobody', async (t) => {
  const { said, made, last, observer } = states();
  observer.handset(CELL, 'talking', { call: DESK });
  made.work(CELL, { person: 'p-1', activity: 'away' });
  t.same(last(), { state: 'talking', call: DESK, work: 'away', person: 'p-1' });
  made.work(CELL, undefined);
  observer.handset(CELL, 'ended', { call: DESK });
  made.hook(CELL, 'on');
  t.same(last(), { state: 'on-hook' });
  t.same([...new Set(said.flatMap((message) => Object.keys(message)))].sort(), [
    'at',
    'call',
    'person',
    'state',
    'work',
  ]);
});
