/** The call machine on the way out of a call: what ends it on every plane, and what its record says. */
import t from 'tap';
import { Temporal } from 'temporal-polyfill';
import { cutoff, dialog, NOON, now } from './samples.js';
import { recordOf, Walk } from './walk.js';

t.test('a keyed call ends when the wire is put down, whether the profile asks for the wire or not', async (t) => {
  for (const hookRequired of [true, false]) {
    const walk = new Walk(true, { keyed: true, offer: '' }).to('talking', { hookRequired });
    walk.on({ type: 'hook-on' }).on({ type: 'hook-grace-over' }, 2_000);
    t.match(walk.on({ type: 'hook-checked', stillOn: true }).state, { at: 'ending', cause: 'hook.on' });
  }
});

t.test('the window that closes while the telephone rings ends the call', async (t) => {
  const walk = new Walk().to('ringing', { notAfter: NOON.add({ seconds: 30 }) });
  walk.on({ type: 'deadline-passed', by: 'calls' }, 30_000).release();
  t.match(recordOf(walk), { cause: 'deadline', talkMs: 0 });
});

t.test(
  'at the deadline silence is ordered first, then the legs, then the relay, and none waits for another',
  async (t) => {
    const walk = new Walk().to('talking', { maxTalkMs: 60_000 });
    walk.on({ type: 'deadline-passed', by: 'calls' }, 60_000);
    t.strictSame(walk.orders, ['media-close', 'signalling-release', 'line-cut']);
  },
);

t.test('a deadline that any one plane reports ends the call on the other two', async (t) => {
  for (const by of ['media', 'signalling', 'line'] as const) {
    const walk = new Walk().to('talking', { maxTalkMs: 60_000 }).on({ type: 'deadline-passed', by }, 60_000);
    t.strictSame(walk.orders, ['media-close', 'signalling-release', 'line-cut'], by);
    t.match(recordOf(walk.release()), { cause: 'deadline', talkMs: 60_000 });
  }
});

t.test('a timer of ours that fires early is set again and ends nothing', async (t) => {
  const walk = new Walk().to('talking').on({ type: 'deadline-passed', by: 'calls' }, 1_000);
  t.equal(walk.at, 'talking');
  t.equal(walk.ordered('watch-deadline').length, 1);
});

t.test('a plane that ends a call long before its deadline raises an alarm', async (t) => {
  const walk = new Walk().to('talking').on({ type: 'deadline-passed', by: 'media' }, 1_000).release();
  t.match(walk.ordered('record', walk.all), [{ alarms: [{ code: 'early-end', plane: 'media' }] }]);
});

t.test('a hang-up gives the line back and does not cut it', async (t) => {
  for (const type of ['handset-hung-up', 'trunk-hung-up'] as const) {
    const walk = new Walk().to('talking').on({ type }, 5_000);
    t.strictSame(walk.orders, ['media-close', 'signalling-release', 'line-release'], type);
    t.match(recordOf(walk.release()), { cause: type, talkMs: 5_000 });
  }
});

t.test('a cutoff ends the call in every living state, and holds the relay for as long as it says', async (t) => {
  const states = [
    'journalling',
    'opening-media',
    'dialling',
    'ringing',
    'connecting',
    'committing',
    'arming',
    'talking',
  ] as const;
  for (const state of states) {
    const walk = new Walk().to(state).on({ type: 'cutoff', order: cutoff({ hold: 30_000 }) });
    t.equal(walk.at, 'ending', state);
    t.strictSame(walk.ordered('line-cut'), [{ do: 'line-cut', holdMs: 10_000 }], state);
    t.equal(walk.ordered('media-close').length, state === 'journalling' ? 0 : 1, state);
    t.match(recordOf(walk.release()), { cause: 'cutoff' }, state);
  }
});

t.test(
  'a cutoff that comes while a hang-up is being carried out still opens the relay, and is waited for',
  async (t) => {
    const walk = new Walk().to('talking').on({ type: 'handset-hung-up' });
    walk.on({ type: 'released', plane: 'line', relayOpen: false });
    walk.on({ type: 'cutoff', order: cutoff() });
    t.strictSame(walk.orders, ['line-cut']);
    walk.on({ type: 'released', plane: 'media' }).on({ type: 'released', plane: 'signalling', legs: [] });
    t.equal(walk.at, 'ending');
    t.equal(walk.on({ type: 'released', plane: 'line', relayOpen: true }).at, 'recording');
    t.equal(recordOf(walk).cause, 'handset-hung-up');
  },
);

t.test('a trunk that answers after the handset gave up is released', async (t) => {
  const walk = new Walk().to('ringing').on({ type: 'handset-cancelled' });
  t.strictSame(walk.orders, ['media-close', 'signalling-release']);
  walk.on({ type: 'trunk-answered', answer: 'a', dialogs: [dialog('trunk')] });
  t.strictSame(walk.orders, ['save-dialogs', 'signalling-release']);
  walk.release();
  t.strictSame(walk.on({ type: 'trunk-answered', answer: 'a', dialogs: [dialog('trunk')] }).orders, ['end-legs']);
  t.strictSame(walk.ordered('accept', walk.all), []);
});

t.test('a wire that goes on-hook ends the call two seconds later, unless SIP has ended it by then', async (t) => {
  const rogue = new Walk().to('talking').on({ type: 'hook-on' });
  t.match(rogue.ordered('set-timer'), [{ timer: 'hook', afterMs: 2_000 }]);
  t.strictSame(rogue.on({ type: 'hook-grace-over' }, 2_000).orders, ['look-at-hook']);
  t.strictSame(rogue.on({ type: 'hook-checked', stillOn: true }).orders, [
    'media-close',
    'signalling-release',
    'line-cut',
  ]);
  t.match(recordOf(rogue.release()), { cause: 'hook.on' });
  const bounced = new Walk().to('talking').on({ type: 'hook-on' }).on({ type: 'hook-checked', stillOn: false }, 2_000);
  t.equal(bounced.at, 'talking');
  const hungUp = new Walk().to('talking').on({ type: 'hook-on' }).on({ type: 'handset-hung-up' }, 400);
  t.match(recordOf(hungUp.release()), { cause: 'handset-hung-up' });
});

t.test('a wire that is looked at before the two seconds are over is looked at again', async (t) => {
  const walk = new Walk().to('talking').on({ type: 'hook-on' }).on({ type: 'hook-grace-over' }, 1_999);
  walk.on({ type: 'hook-checked', stillOn: true });
  t.match(walk.ordered('set-timer'), [{ timer: 'hook', afterMs: 1 }]);
  walk.on({ type: 'hook-grace-over' }, 1);
  t.match(walk.on({ type: 'hook-checked', stillOn: true }).state, { at: 'ending', cause: 'hook.on' });
});

t.test('bounces of the hook do not start the two seconds again', async (t) => {
  const walk = new Walk().to('talking').on({ type: 'hook-on' }).on({ type: 'hook-on' }, 1_900);
  t.strictSame(walk.ordered('set-timer'), []);
});

for (const state of ['connecting', 'committing'] as const) {
  t.test(`a disk that cannot take the deadline ends the call before the handset is answered: ${state}`, async (t) => {
    const walk = new Walk().to(state).on({ type: 'commit-failed', why: 'disk full' });
    t.strictSame(walk.orders, ['media-close', 'signalling-release']);
    t.match(recordOf(walk.release()), { cause: 'fault.store', talkMs: 0 });
  });
}

t.test('the loss of a plane ends the call on the other two at once', async (t) => {
  const media = new Walk().to('talking').on({ type: 'plane-lost', plane: 'media', why: 'exit' });
  t.strictSame(media.orders, ['media-close', 'signalling-release', 'line-cut']);
  t.match(recordOf(media.release()), { cause: 'fault.media', planes: { media: { confirmed: false } } });
  const signalling = new Walk().to('talking').on({ type: 'plane-lost', plane: 'signalling', why: 'exit' });
  t.match(signalling.orders, ['media-close', 'end-legs', 'line-cut']);
  t.match(signalling.ordered('end-legs'), [{ dialogs: [{ leg: 'trunk', state: 'confirmed' }, { leg: 'handset' }] }]);
  const line = new Walk().to('talking').on({ type: 'plane-lost', plane: 'line', why: 'exit' });
  t.strictSame(line.orders, ['media-close', 'signalling-release', 'line-cut']);
  t.match(recordOf(line.release()), { cause: 'line.controller-lost', planes: { line: { confirmed: false } } });
});

t.test('a plane that is lost before there was talk leaves the wire of the handset as it is', async (t) => {
  const media = new Walk().to('dialling').on({ type: 'plane-lost', plane: 'media', why: 'exit' });
  t.strictSame(media.orders, ['media-close', 'signalling-release']);
});

t.test('a profile may let a call go on without its controller, under alarm', async (t) => {
  const walk = new Walk().to('talking', { controllerLost: 'alarm' }).on({ type: 'controller-lost' });
  t.equal(walk.at, 'talking');
  t.match(walk.ordered('alarm'), [{ alarm: { code: 'controller-lost' } }]);
});

t.test('signalling that is lost while it releases is made to pay by the journal', async (t) => {
  const walk = new Walk().to('talking').on({ type: 'trunk-hung-up' });
  walk.on({ type: 'plane-lost', plane: 'signalling', why: 'exit' });
  t.strictSame(walk.orders, ['end-legs']);
  t.equal(walk.release().at, 'recording');
});

t.test('a plane that never confirms is given up, and the record says so', async (t) => {
  const walk = new Walk().to('talking').on({ type: 'handset-hung-up' });
  walk.on({ type: 'released', plane: 'media' }).on({ type: 'released', plane: 'line', relayOpen: false });
  walk.on({ type: 'release-timeout', plane: 'signalling' }, 35_000);
  t.match(recordOf(walk), {
    planes: { signalling: { confirmed: false, afterMs: 35_000 }, media: { confirmed: true } },
  });
  t.match(walk.ordered('record'), [{ alarms: [{ code: 'release-unconfirmed', plane: 'signalling' }] }]);
});

t.test('a relay that did not open when it was cut is an alarm', async (t) => {
  const walk = new Walk().to('talking').on({ type: 'cutoff', order: cutoff() });
  walk.on({ type: 'released', plane: 'line', relayOpen: false });
  walk.on({ type: 'released', plane: 'media' }).on({ type: 'released', plane: 'signalling', legs: [] });
  t.match(walk.ordered('record'), [{ alarms: [{ code: 'release-unconfirmed', plane: 'line' }] }]);
});

t.test('narrowed policy brings the deadline closer on every plane, and never moves it away', async (t) => {
  const walk = new Walk().to('talking', { maxTalkMs: 600_000 });
  walk.on({ type: 'narrowed', notAfter: NOON.add({ minutes: 50 }) }, 1_000);
  t.strictSame(walk.last, []);
  walk.on({ type: 'narrowed', notAfter: NOON.add({ minutes: 2 }), by: 'window.site' });
  t.match(walk.orders, ['watch-deadline', 'line-arm', 'signalling-arm', 'media-arm']);
  t.match(walk.state, {
    at: 'talking',
    call: { endsBy: 'window.site', deadline: { monotonicNs: now(120_000).monotonicNs } },
  });
  walk.on({ type: 'narrowed', notAfter: Temporal.Instant.from('2026-03-02T11:00:00Z') });
  t.match(walk.state, { at: 'ending', cause: 'deadline' });
});

t.test('a deadline that is narrowed while the planes arm is waited for as well', async (t) => {
  const walk = new Walk().to('arming');
  walk.on({ type: 'narrowed', notAfter: NOON.add({ minutes: 2 }) });
  for (const plane of ['media', 'signalling', 'line'] as const) walk.on({ type: 'armed', plane });
  t.equal(walk.at, 'arming');
  for (const plane of ['media', 'signalling', 'line'] as const) walk.on({ type: 'armed', plane });
  t.equal(walk.at, 'accepting');
});

t.test('a state that lasts too long ends the call, by the fault of whoever did not answer', async (t) => {
  const cases = [
    ['opening-media', 'fault.media'],
    ['dialling', 'trunk-failed'],
    ['ringing', 'no-answer'],
    ['connecting', 'fault.media'],
    ['arming', 'fault.media'],
    ['accepting', 'fault.signalling'],
  ] as const;
  for (const [state, cause] of cases) {
    const walk = new Walk().to(state).on({ type: 'overdue', state }, 60_000);
    t.match(walk.state, { at: 'ending', cause }, state);
  }
  t.equal(new Walk().to('ringing').on({ type: 'overdue', state: 'dialling' }).at, 'ringing');
});

t.test('a record that the disk refuses is tried again until it is taken', async (t) => {
  const walk = new Walk().to('talking').on({ type: 'handset-hung-up' }).release();
  walk.on({ type: 'record-failed', why: 'disk full' });
  t.match(walk.ordered('set-timer'), [{ timer: 'record', afterMs: 1_000 }]);
  t.equal(walk.on({ type: 'record-again' }, 1_000).ordered('record').length, 1);
  walk.on({ type: 'record-failed', why: 'disk full' });
  t.match(walk.ordered('set-timer'), [{ afterMs: 2_000 }]);
  walk.on({ type: 'record-again' }).on({ type: 'recorded' });
  t.match(walk.orders, ['forget']);
});

t.test("the cutoff error is the relay's own stamp of its last packet against the deadline", async (t) => {
  const walk = new Walk().to('talking', { maxTalkMs: 60_000 }).on({ type: 'deadline-passed', by: 'media' }, 60_000);
  const stats = {
    handsetPackets: 1,
    trunkPackets: 1,
    dropped: 0,
    droppedAfterDeadline: 0,
    lost: 0,
    jitterMs: 0,
    digitsDropped: 0,
    lastForwardedMsAfterDeadline: -3.5,
  };
  walk.on({ type: 'released', plane: 'media', stats }, 4);
  walk.on({ type: 'released', plane: 'line', relayOpen: true }, 30);
  walk.on({ type: 'released', plane: 'signalling', legs: ['handset', 'trunk'] });
  t.match(recordOf(walk), { cutoffErrorMs: -3.5, planes: { media: { confirmed: true, afterMs: 4 } } });
});
