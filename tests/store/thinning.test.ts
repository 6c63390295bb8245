/** Telemetry is thinned before any call is refused for want of room, and the days of the ledger outlast its calls. */
import t from 'tap';
import { aStore } from './folder.js';
import {
  aDeadline,
  aDialog,
  aGrant,
  aRecord,
  aRequest,
  callNumber,
  ended,
  ignore,
  instant,
  StillClock,
} from './samples.js';

const KIB = 1024;
const refused = (rule: string) =>
  ({ kind: 'event', type: 'balise.call.refused', data: { cause: 'refused', rule } }) as const;
const alarm = { kind: 'alarm', type: 'balise.alarm.test', data: { message: 'a test' } } as const;

t.test('near its limit the store thins telemetry first, refuses calls after that, and recovers by itself', (t) => {
  const clock = new StillClock();
  const store = aStore(t, { clock, limitBytes: 1024 * KIB });
  const told = () =>
    store.outbox
      .pending({ alarm: 0, event: 0 }, 100_000)
      .map(({ body }) => JSON.parse(body) as { readonly type: string; readonly data: Record<string, unknown> });
  const ofType = (type: string) => told().filter((event) => event.type === type);
  let n = 0;
  const fill = (until: () => boolean) => {
    while (!until()) {
      n += 1;
      store.calls.append([{ ...ended(callNumber(n)), data: { media: { lost: 0 }, filler: 'x'.repeat(2_000) } }]);
      clock.add(10);
    }
  };
  store.calls.append([refused('window.site')]);
  fill(() => store.roomLeft().isShort);
  t.equal(store.calls.hasRoom(), true, 'calls go on');
  t.equal(ofType('balise.call.refused').length, 1, 'before, each refusal was told');
  t.ok(ofType('balise.call.ended').every(({ data }) => data.media !== undefined));

  store.calls.append([refused('window.site')]);
  for (let more = 0; more < 99; more += 1) store.calls.append([refused(more % 3 === 0 ? 'limit.gap' : 'window.site')]);
  store.calls.append([ended(callNumber(100_000)), alarm]);
  t.equal(ofType('balise.call.refused').length, 1, 'refusals are counted now');
  t.equal(ofType('balise.alarm.store.short').length, 1);
  t.equal(ofType('balise.alarm.test').length, 1, 'alarms stay whole');
  t.equal(told()[0]?.type, 'balise.alarm.store.short', 'and overtake what waits');
  const record = ofType('balise.call.ended').at(-1);
  t.ok(record, 'records of calls stay');
  t.equal(record?.data.media, undefined, 'without what their media was like');
  store.makeRoom();
  t.match(ofType('balise.refusals.counted'), [
    { data: { count: 100, byRule: { 'limit.gap': 33, 'window.site': 67 } } },
  ]);
  store.makeRoom();
  t.equal(ofType('balise.refusals.counted').length, 1, 'told once');

  fill(() => !store.calls.hasRoom());
  t.pass('only then calls are refused');
  const before = store.chainEnd().sequence;
  store.outbox.acknowledge(Array.from({ length: before }, (_, index) => index + 1));
  store.calls.append([refused('store.full')]);
  store.makeRoom();
  clock.add(2_000);
  t.match(store.roomLeft(), { hasRoom: true, isShort: false }, 'headquarters is back: there is room again');
  store.calls.append([refused('window.site')]);
  t.same(
    told().map(({ type }) => type),
    ['balise.refusals.counted', 'balise.store.roomy', 'balise.call.refused'],
    'and each refusal is told again',
  );
  t.match(store.verifyChain(), { whole: true });
  t.end();
});

t.test('each day of the site’s zone is added up once it is over, told, and kept when its calls are forgotten', (t) => {
  const clock = new StillClock();
  const store = aStore(t, { clock, keepLedgerMs: 86_400_000 });
  const call = (n: number, at: string) => {
    const id = callNumber(n);
    store.calls.open(aRequest(id, instant(at)), aGrant(instant(at)));
    store.calls.commitDeadline(
      id,
      instant(at),
      aDeadline(instant(at).add({ minutes: 30 })),
      [aDialog('handset', id)],
      ignore,
    );
    store.calls.record(aRecord(id, instant(at)), []);
  };
  const days = () =>
    store.outbox
      .pending({ alarm: 0, event: 0 }, 1_000)
      .map(({ body }) => JSON.parse(body) as { type: string; data: Record<string, unknown> })
      .filter(({ type }) => type === 'balise.ledger.day')
      .map(({ data }) => data);
  const startMs = clock.wall().epochMilliseconds;
  const set = (at: string) => clock.add(instant(at).epochMilliseconds - clock.wall().epochMilliseconds);
  t.ok(startMs < instant('2026-03-28T20:00:00Z').epochMilliseconds, 'the clock of the tests begins before');
  set('2026-03-28T20:00:00Z');
  call(1, '2026-03-28T22:30:00Z');
  call(2, '2026-03-28T23:30:00Z');
  call(3, '2026-03-29T21:30:00Z');
  call(4, '2026-03-29T22:30:00Z');
  set('2026-03-29T22:10:00Z');
  store.rollUp('Europe/Brussels');
  t.match(
    days(),
    [{ day: '2026-03-29', zone: 'Europe/Brussels', attempts: 2, calls: 2, refused: 0 }],
    'a day of 23 hours',
  );
  store.rollUp('Europe/Brussels');
  t.equal(days().length, 1, 'once');
  set('2026-04-01T22:10:00Z');
  store.rollUp('Europe/Brussels');
  t.same(
    days().map(({ day, calls }) => [day, calls]),
    [
      ['2026-03-29', 2],
      ['2026-03-30', 1],
      ['2026-03-31', 0],
      ['2026-04-01', 0],
    ],
    'and what was missed is made up for',
  );
  t.end();
});
