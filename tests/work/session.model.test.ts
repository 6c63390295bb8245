/** Random orders of events through a work session; the promises are in session-walk.ts. */
import fc from 'fast-check';
import t from 'tap';
import type { SessionEvent } from '../../gateway/work/session-state.js';
import { aChosen } from './samples.js';
import { WatchedSession } from './session-walk.js';

const events: fc.Arbitrary<SessionEvent> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...'0123456789*#').map((digit): SessionEvent => ({ type: 'digit', digit })) },
  {
    weight: 4,
    arbitrary: fc.constantFrom<SessionEvent>(
      { type: 'opened' },
      { type: 'hook-on' },
      { type: 'timer', timer: 'entry' },
      { type: 'timer', timer: 'wrap-up' },
      { type: 'timer', timer: 'away' },
      { type: 'nothing' },
      { type: 'work-available' },
      { type: 'leave', why: 'window-ended' },
      { type: 'leave', why: 'suspended' },
      { type: 'leave', why: 'handset-withdrawn' },
      { type: 'checked', check: -1n, verdict: { ok: false, why: 'wrong' } },
      { type: 'answered', token: 'token-of-nobody' },
      { type: 'ended', token: 'token-of-nobody', how: 'talked' },
    ),
  },
);

type Deed =
  | { readonly do: 'event'; readonly event: SessionEvent }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'sign-on' | 'knock' | 'work' | 'accept' | 'choose' | 'answer' | 'end' };

const deeds: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 6, arbitrary: events.map((event): Deed => ({ do: 'event', event })) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 400_000 }).map((ms): Deed => ({ do: 'wait', ms })) },
  {
    weight: 9,
    arbitrary: fc.constantFrom<Deed>(
      { do: 'sign-on' },
      { do: 'knock' },
      { do: 'work' },
      { do: 'accept' },
      { do: 'choose' },
      { do: 'answer' },
      { do: 'end' },
    ),
  },
);

function run(session: WatchedSession, deed: Deed): void {
  const token = session.contact?.token ?? aChosen(0).token;
  if (deed.do === 'event') session.event(deed.event);
  else if (deed.do === 'wait') session.wait(deed.ms);
  else if (deed.do === 'knock' || deed.do === 'sign-on') {
    session.event({ type: 'opened' });
    if (session.state.at === 'code') session.digits('1234#');
    if (session.state.at === 'pin') session.digits('9876#');
    if (deed.do === 'sign-on') session.accept();
  } else if (deed.do === 'work' && session.state.at === 'menu') session.digits('1');
  else if (deed.do === 'accept') session.accept();
  else if (deed.do === 'choose') session.choose();
  else if (deed.do === 'answer') session.event({ type: 'answered', token });
  else if (deed.do === 'end')
    session.event({ type: 'ended', token, how: session.state.at === 'talking' ? 'talked' : 'busy' });
}

t.test(
  'whatever is keyed and whatever happens, only the chosen contact is dialled, once, and time has no gap',
  async (t) => {
    const reached = new Map<string, number>();
    let dials = 0;
    fc.assert(
      fc.property(fc.array(deeds, { minLength: 10, maxLength: 120, size: 'max' }), (script) => {
        const session = new WatchedSession();
        for (const deed of script) {
          run(session, deed);
          reached.set(session.state.at, (reached.get(session.state.at) ?? 0) + 1);
        }
        dials += session.done.filter((effect) => effect.do === 'dial').length;
      }),
      { numRuns: 2_000 },
    );
    t.ok(dials > 1_000, `${dials} contacts were dialled`);
    for (const state of ['code', 'pin', 'checking', 'barred', 'menu', 'pause-reason', 'paused', 'choosing', 'no-work'])
      t.ok((reached.get(state) ?? 0) > 20, `the walks have been in ${state}`);
    for (const state of ['dialling', 'talking', 'wrap-up', 'owing', 'time-entry', 'away'])
      t.ok((reached.get(state) ?? 0) > 20, `the walks have been in ${state}`);
  },
);

t.test('keys alone, in any order and number, dial nothing and reach no number', async () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...'0123456789*#'), { maxLength: 200, size: 'max' }), (keys) => {
      const session = new WatchedSession();
      session.event({ type: 'opened' });
      session.digits(keys.join(''));
      for (const effect of session.done)
        if (!['play', 'hush', 'set-timer', 'cancel-timer', 'check'].includes(effect.do)) throw new Error(effect.do);
    }),
    { numRuns: 500 },
  );
});
