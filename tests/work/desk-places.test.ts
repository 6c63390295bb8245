/** What the sessions are told of a contact's call, by what the call machine says of it. */
import t from 'tap';
import type { PhaseDetail } from '../../gateway/calls/ports.js';
import { callId, handsetId } from '../../gateway/policy/ids.js';
import { DeskPlaces } from '../../gateway/work/desk-places.js';
import type { EndWhy } from '../../gateway/work/session-state.js';

const CELL = handsetId('a-101');
const [DESK, CALL] = [callId('desk'), callId('contact')];

/** A handset that talks to a contact whose call ends so. */
function toldOf(detail: Omit<PhaseDetail, 'call'>): EndWhy | undefined {
  const told: (EndWhy | undefined)[] = [];
  const nothing = (): void => undefined;
  const places = new DeskPlaces(
    { say: nothing, hush: nothing, backAtDesk: nothing, lostHandset: nothing, replaced: nothing },
    () => ({
      ...{ opened: nothing, digit: nothing, hookOn: nothing, answered: nothing },
      ended: (_handset, _token, how, why) => {
        told.push(how === 'talked' ? why : undefined);
      },
    }),
  );
  places.asked(DESK, CELL);
  places.phase(CELL, 'talking', { call: DESK });
  places.joined(CELL, CALL, 'token');
  places.phase(CELL, 'talking', { call: CALL });
  places.phase(CELL, 'ended', { call: CALL, ...detail });
  if (told.length !== 1) throw new Error(`told ${told.length} times`);
  return told[0];
}

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
