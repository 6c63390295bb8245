/** The call machine on the way to talk: what waits for what, and what is refused. */
import t from 'tap';
import { dialog, grant, NOON, now, refusal } from './samples.js';
import { recordOf, Walk } from './walk.js';

t.test('a call is journalled before media is opened, and media is opened before the trunk is called', async (t) => {
  const walk = new Walk().on({ type: 'judged', decision: grant() });
  t.match(walk.orders, ['open-journal', 'watch-deadline']);
  t.strictSame(walk.on({ type: 'journalled' }).orders, ['media-open']);
  t.strictSame(walk.on({ type: 'media-opened', trunkOffer: 'o' }).orders, ['dial']);
});

t.test('a call to the desk is granted, journalled and armed like any other, and dials nobody', async (t) => {
  const walk = new Walk(true, { desk: true }).on({ type: 'judged', decision: grant() });
  t.strictSame(walk.on({ type: 'journalled' }).orders, ['media-open']);
  t.match(walk.ordered('media-open'), [{ order: { desk: true, keys: true } }]);
  t.notOk(walk.ordered('media-open')[0]?.order.number, 'it is to no number');
  t.strictSame(walk.on({ type: 'media-opened', trunkOffer: '' }).orders, ['answer-desk']);
  walk.on({ type: 'trunk-answered', answer: '', dialogs: [dialog('handset', 'early')] });
  t.match(walk.ordered('commit'), [{ dialogs: [{ leg: 'handset' }] }], 'a crash can end it');
  walk.on({ type: 'media-connected', handsetAnswer: 'h' });
  t.strictSame(walk.on({ type: 'committed' }).orders, ['line-arm', 'signalling-arm', 'media-arm', 'look-at-hook']);
  for (const plane of ['media', 'signalling', 'line'] as const) walk.on({ type: 'armed', plane });
  t.equal(walk.on({ type: 'accepted' }).at, 'talking');
  walk.on({ type: 'handset-hung-up' }).release();
  t.notOk(recordOf(walk).number);
});

t.test('a keyed call that is granted calls its handset first, and goes on with the answer of that', async (t) => {
  const walk = new Walk(true, { keyed: true, offer: '' }).on({ type: 'judged', decision: grant() });
  t.strictSame(walk.on({ type: 'journalled' }).orders, ['call-handset']);
  walk.on({ type: 'handset-called', dialog: dialog('handset', 'early') });
  t.match(walk.ordered('save-dialogs'), [{ dialogs: [{ leg: 'handset', state: 'early' }] }], 'a crash can cancel it');
  walk.on({ type: 'handset-answered', offer: 'its own', dialog: dialog('handset') });
  t.strictSame(walk.orders, ['save-dialogs', 'look-at-hook', 'media-open']);
  t.match(walk.ordered('media-open'), [{ order: { handsetOffer: 'its own' } }]);
  t.strictSame(walk.on({ type: 'media-opened', trunkOffer: 'o' }).orders, ['dial']);
});

t.test(
  'a handset that keyed and does not take its call is a refusal that says so, and nobody is dialled',
  async (t) => {
    for (const event of [
      { type: 'handset-failed', status: 480, why: 'busy' },
      { type: 'overdue', state: 'calling-handset' },
    ] as const) {
      const walk = new Walk(true, { keyed: true, offer: '' });
      walk.on({ type: 'judged', decision: grant() }).on({ type: 'journalled' }).on(event);
      t.equal(walk.at, 'refusing');
      t.strictSame(walk.orders, ['signalling-release'], 'and not a status, for there was no INVITE');
      walk.on({ type: 'released', plane: 'signalling', legs: [] });
      t.match(recordOf(walk), { cause: 'refused', rule: 'fault.signalling', sipStatus: 480 });
      t.strictSame(walk.ordered('dial', walk.all), []);
    }
  },
);

t.test('the 200 OK to the handset waits for the disk and for all three planes', async (t) => {
  const walk = new Walk().to('ringing');
  walk.on({ type: 'trunk-answered', answer: 'a', dialogs: [dialog('trunk')] });
  t.strictSame(walk.orders, ['commit', 'watch-deadline', 'media-connect']);
  t.match(walk.ordered('commit'), [{ dialogs: [{ leg: 'trunk', state: 'confirmed' }] }], 'a crash can end it');
  t.strictSame(walk.on({ type: 'media-connected', handsetAnswer: 'h' }).orders, [], 'the disk is waited for');
  walk.on({ type: 'committed' });
  t.match(walk.orders, ['line-arm', 'signalling-arm', 'media-arm']);
  t.strictSame(walk.on({ type: 'armed', plane: 'media' }).orders, []);
  t.strictSame(walk.on({ type: 'armed', plane: 'line' }).orders, []);
  t.strictSame(walk.on({ type: 'armed', plane: 'signalling' }).ordered('accept'), [{ do: 'accept', answer: 'h' }]);
});

t.test('disk and relay take the answer side by side, and whichever is last lets the planes be armed', async (t) => {
  const walk = new Walk().to('connecting').on({ type: 'committed' });
  t.strictSame(walk.orders, [], 'the relay is waited for');
  t.match(walk.on({ type: 'media-connected', handsetAnswer: 'h' }).orders, ['line-arm', 'signalling-arm', 'media-arm']);
});

t.test('a handset without a line controller has no line plane to wait for', async (t) => {
  const walk = new Walk(false).to('talking');
  t.equal(walk.at, 'talking');
  t.strictSame(walk.ordered('line-arm', walk.all), []);
});

t.test('the deadline is the most talk after the answer, or the end of the window, whichever comes first', async (t) => {
  const byTalk = new Walk().to('connecting', { maxTalkMs: 60_000 });
  t.match(byTalk.state, { call: { endsBy: 'max-talk', deadline: { monotonicNs: now(60_000).monotonicNs } } });
  const byWindow = new Walk().to('connecting', { notAfter: NOON.add({ seconds: 20 }) });
  t.match(byWindow.state, { call: { endsBy: 'window.callee', deadline: { monotonicNs: now(20_000).monotonicNs } } });
});

t.test('a wall clock set back while the telephone rings moves no deadline away', async (t) => {
  const walk = new Walk().to('ringing', { notAfter: NOON.add({ minutes: 1 }) });
  walk.setBackMs = 3_600_000;
  walk.on({ type: 'trunk-answered', answer: 'a', dialogs: [] }, 10_000);
  if (walk.state.at !== 'connecting') throw new Error(walk.at);
  t.equal(walk.state.call.deadline.monotonicNs, now(60_000).monotonicNs);
});

t.test('a trunk that answers after the window has closed is never armed', async (t) => {
  const walk = new Walk().to('ringing', { notAfter: NOON.add({ seconds: 30 }) });
  walk.on({ type: 'trunk-answered', answer: 'a', dialogs: [dialog('trunk')] }, 30_000);
  t.equal(walk.at, 'ending');
  t.match(walk.orders, ['save-dialogs', 'media-close', 'signalling-release']);
  t.strictSame(walk.ordered('media-arm', walk.all), []);
});

t.test('a refusal goes to the handset, and into one record with its rule', async (t) => {
  const walk = new Walk().on({ type: 'judged', decision: refusal() });
  t.equal(walk.at, 'refusing');
  t.match(walk.ordered('refuse'), [{ status: 403, rule: 'number.not-sanctioned' }]);
  walk.on({ type: 'released', plane: 'signalling', legs: ['handset'] });
  t.match(recordOf(walk), { cause: 'refused', rule: 'number.not-sanctioned', sipStatus: 403 });
  walk.on({ type: 'recorded' });
  t.equal(walk.at, 'ended');
  t.equal(walk.ordered('record', walk.all).length, 1);
});

t.test(
  'a call from a wire that says on-hook waits two seconds for the wire, then is refused under alarm',
  async (t) => {
    const walk = new Walk().on({ type: 'judged', decision: refusal('line.not-off-hook') });
    t.equal(walk.at, 'judging');
    t.strictSame(walk.on({ type: 'judge-again' }, 200).orders, ['judge']);
    const lifted = new Walk()
      .on({ type: 'judged', decision: refusal('line.not-off-hook') })
      .on({ type: 'judge-again' }, 200);
    t.equal(lifted.on({ type: 'judged', decision: grant() }).at, 'journalling');
    walk.on({ type: 'judged', decision: refusal('line.not-off-hook') }, 1_800);
    walk.on({ type: 'released', plane: 'signalling', legs: ['handset'] });
    t.match(walk.ordered('record'), [{ alarms: [{ code: 'hook-mismatch' }] }]);
  },
);

t.test('a journal that cannot take the call refuses it before anything is opened', async (t) => {
  const walk = new Walk().to('journalling').on({ type: 'journal-failed', why: 'disk full' });
  t.match(walk.ordered('refuse'), [{ status: 503, rule: 'fault.store' }]);
  t.strictSame(walk.ordered('media-open', walk.all), []);
});

t.test("an offer that the relay cannot read is the handset's fault, a relay without ports is ours", async (t) => {
  const bad = new Walk().to('opening-media').on({ type: 'media-failed', code: 'media.no-codec' });
  t.match(bad.ordered('refuse'), [{ status: 488, rule: 'fault.media' }]);
  const full = new Walk().to('opening-media').on({ type: 'media-failed', code: 'media.ports-exhausted' });
  t.match(full.ordered('refuse'), [{ status: 503, rule: 'fault.media' }]);
});

t.test(
  'busy, no answer and failure of the trunk reach the handset as such, and nothing more of the trunk',
  async (t) => {
    const told = [
      ['busy', 486],
      ['no-answer', 480],
      ['trunk-failed', 503],
    ] as const;
    for (const [cause, status] of told) {
      const walk = new Walk().to('ringing').on({ type: 'trunk-failed', status: 599, cause });
      t.match(walk.ordered('refuse'), [{ status, rule: cause }]);
      t.match(recordOf(walk.release()), { cause, sipStatus: status });
    }
  },
);

t.test('what a state has no use for is counted and changes nothing', async (t) => {
  const walk = new Walk().to('talking').on({ type: 'media-opened', trunkOffer: 'again' });
  t.equal(walk.at, 'talking');
  t.strictSame(walk.last, [{ do: 'count-unexpected', state: 'talking', event: 'media-opened' }]);
});
