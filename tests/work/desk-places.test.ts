/** What the sessions are told of a contact's call, by what the call machine says of it. */
import t from 'tap';
import type { PhaseDetail } from '../../gateway/calls/ports.js';
import { callId, handsetId } from '../../gateway/policy/ids.js';
import { DeskPlaces } from '../../gateway/work/desk-places.js';
import type { ContactCallEnd, EndWhy } from '../../gateway/work/session-state.js';

const CELL = handsetId('a-101');
const [DESK, CALL] = [callId('desk'), callId('contact')];

type Told = { readonly token: string; readonly how: ContactCallEnd; readonly why: EndWhy | undefined };

/** A handset at the desk, and what its session is told of the ends of contacts' calls. */
function world() {
  const told: Told[] = [];
  const nothing = (): void => undefined;
  const places = new DeskPlaces(
    { say: nothing, hush: nothing, backAtDesk: nothing, lostHandset: nothing, replaced: nothing },
    () => ({
      ...{ opened: nothing, digit: nothing, hookOn: nothing, answered: nothing },
      ended: (_handset, token, how, why) => {
        told.push({ token, how, why });
      },
    }),
  );
  places.asked(DESK, CELL);
  places.phase(CELL, 'talking', { call: DESK });
  return { places, told };
}

/** The same, in a contact's call that has been answered and is over for the session, and of which the trunk has not had the last word. */
function afterTalk(detail: Omit<PhaseDetail, 'call'> = { cause: 'handset-hung-up' }) {
  const w = world();
  w.places.joined(CELL, CALL, 'token');
  w.places.phase(CELL, 'talking', { call: CALL });
  w.places.phase(CELL, 'ended', { call: CALL, ...detail });
  return w;
}

function toldOf(detail: Omit<PhaseDetail, 'call'>): EndWhy | undefined {
  const { told } = afterTalk(detail);
  if (told.length !== 1) throw new Error(`told ${told.length} times`);
  return told[0]?.how === 'talked' ? told[0].why : undefined;
}

const RECORD = { call: CALL, handset: CELL, cause: 'handset-hung-up' } as const;

t.test('a call that the gateway ended is told with why; one that a side ended with nothing', async (t) => {
  const rows = [
    [{ cause: 'deadline', endsBy: 'max-talk' }, { cut: 'limit' }],
    [{ cause: 'deadline', endsBy: 'limit.talk' }, { cut: 'limit' }],
    [{ cause: 'deadline', endsBy: 'window.callee' }, { cut: 'window' }],
    [{ cause: 'deadline', endsBy: 'window.person' }, { cut: 'window' }],
    [{ cause: 'deadline', endsBy: 'policy' }, { cut: 'order' }],
    [{ cause: 'deadline', endsBy: 'lockdown' }, { cut: 'order' }],
    [{ cause: 'cutoff', endsBy: 'max-talk' }, { cut: 'order' }],
    [{ cause: 'fault.media', endsBy: 'max-talk' }, { cut: 'fault' }],
    [{ cause: 'handset-hung-up', endsBy: 'max-talk' }, {}],
    [{ cause: 'trunk-hung-up', endsBy: 'max-talk' }, {}],
  ] as const;
  for (const [detail, why] of rows) t.same(toldOf(detail), why, `${detail.cause} ${detail.endsBy}`);
});

t.test(
  'the next contact is called once the call before has its record, which until then counts as one in progress, and the leg is back',
  async (t) => {
    const { places, told } = afterTalk();
    let dialled = 0;
    places.whenOver(CELL, 'next', () => {
      dialled += 1;
    });
    t.equal(dialled, 0, 'the trunk has not had the last word');
    places.ended(RECORD);
    t.equal(dialled, 0, 'there is no leg to join yet');
    places.back(CELL, CALL, true);
    t.equal(dialled, 1);
    t.equal(told.length, 1, 'and the record tells the session nothing new');
    places.whenOver(CELL, 'one more', () => {
      dialled += 1;
    });
    t.equal(dialled, 2, 'nothing is waited for any more');
  },
);

t.test('it does not matter which of the two comes first', async (t) => {
  const { places } = afterTalk();
  let dialled = 0;
  places.back(CELL, CALL, true);
  places.whenOver(CELL, 'next', () => {
    dialled += 1;
  });
  t.equal(dialled, 0);
  places.ended(RECORD);
  t.equal(dialled, 1);
});

t.test('a record of another call lets nobody dial', async (t) => {
  const { places } = afterTalk();
  places.back(CELL, CALL, true);
  places.whenOver(CELL, 'next', () => t.fail('too soon'));
  places.ended({ ...RECORD, call: callId('of somebody else') });
});

t.test(
  'whoever hangs up, or ends it, while the next contact waits for its call is told that nobody was called',
  async (t) => {
    const ended = afterTalk();
    ended.places.whenOver(CELL, 'next', () => t.fail('it was ended'));
    t.equal(ended.places.forget(CELL), true);
    t.match(ended.told.at(-1), { token: 'next', how: 'not-called' });
    t.equal(ended.places.forget(CELL), false, 'none waits any more');
    ended.places.ended(RECORD);
    t.equal(ended.told.length, 2);

    const left = afterTalk();
    left.places.whenOver(CELL, 'next', () => t.fail('nobody is there'));
    left.places.phase(CELL, 'ended', { call: DESK, cause: 'handset-hung-up' });
    t.match(left.told.at(-1), { token: 'next', how: 'not-called' });
    left.places.ended(RECORD);
    t.equal(left.told.length, 2);
  },
);
