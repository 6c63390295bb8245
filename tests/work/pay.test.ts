import fc from 'fast-check';
import t from 'tap';
import type { WorkActivityData } from '../../config/schema/types.generated.js';
import { byMonth, PayFold, type WorkEvent } from '../../gateway/work/pay.js';
import { clockTime, money, statementCsv, statementOf } from '../../gateway/work/statement.js';
import { statementIn, statementPage } from '../../gateway/work/statement-page.js';
import { at } from './samples.js';

const EUR = { currency: 'EUR', perHour: 400 };
const SESSION = '00000000-0000-7000-8000-000000000001';
const ABOUT = { gateway: 'demo/gw-1', person: 'p-1', month: '2026-03', zone: 'Europe/Brussels' };

/** Events of one session: what begins, when, and what ended by the monotonic clock. */
function chain(...parts: readonly (readonly [string, WorkActivityData['activity'], number?, boolean?])[]): WorkEvent[] {
  let before: WorkActivityData['activity'] | undefined;
  return parts.map(([when, activity, lastedMs, isPaid = true], index) => {
    const ended =
      before === undefined ? {} : { ended: { activity: before, ...(lastedMs !== undefined && { lastedMs }) } };
    const rate = isPaid && activity !== 'signed-off' ? { rate: EUR } : {};
    before = activity;
    const data = {
      session: SESSION,
      person: 'p-1',
      handset: 'a-101',
      at: when,
      activity,
      campaign: 'survey',
      ...ended,
      ...rate,
    };
    return {
      sequence: index + 1,
      hash: String(index + 1).padStart(64, '0'),
      type: 'balise.work.activity',
      data,
    } as WorkEvent;
  });
}

t.test(
  'the monotonic clock counts fractions of a millisecond, and a statement is made of them all the same',
  async (t) => {
    const made = statementOf(
      chain(['2026-03-04T08:00:00.1234Z', 'talking'], ['2026-03-04T08:00:01Z', 'signed-off', 876.543_21]),
      ABOUT,
    );
    t.equal(made.lines[0]?.ms.toFixed(1), '876.5');
  },
);

t.test('time is counted by activity, and paid by its rate', async (t) => {
  const made = statementOf(
    chain(
      ['2026-03-04T08:00:00Z', 'signed-on'],
      ['2026-03-04T08:10:00Z', 'ringing', 600_000],
      ['2026-03-04T08:10:20Z', 'talking', 20_000],
      ['2026-03-04T08:40:20Z', 'pause', 1_800_000, false],
      ['2026-03-04T09:00:20Z', 'signed-off', 1_200_000],
    ),
    ABOUT,
  );
  t.same(
    made.lines.map(({ activity, ms, rate }) => [activity, ms, rate?.perHour]),
    [
      ['pause', 1_200_000, undefined],
      ['ringing', 20_000, 400],
      ['signed-on', 600_000, 400],
      ['talking', 1_800_000, 400],
    ],
  );
  t.match(made.totals, [{ paidMs: 2_420_000, amount: 269 }]);
  t.same(made.pay, { EUR: 269 });
  t.equal(made.events.length, 5);
  t.same(made.open, []);
});

t.test(
  'a clock that steps in a stretch changes nothing where the event carries what the monotonic clock counted',
  async (t) => {
    const stepped = chain(['2026-03-04T08:00:00Z', 'signed-on'], ['2026-03-04T09:30:00Z', 'signed-off', 1_800_000]);
    t.match(statementOf(stepped, ABOUT).totals, [{ paidMs: 1_800_000 }]);
    const restarted = chain(['2026-03-04T08:00:00Z', 'signed-on'], ['2026-03-04T08:20:00Z', 'signed-off']);
    t.match(statementOf(restarted, ABOUT).totals, [{ paidMs: 1_200_000 }], 'else the wall instants have to do');
  },
);

t.test(
  'a stretch over the turn of a month is divided there, in the site’s zone and on the night the clocks change',
  async (t) => {
    // In Brussels April begins at 22:00 UTC of 31 March, three days after the clocks went forward.
    const night = chain(['2026-03-31T21:00:00Z', 'signed-on'], ['2026-03-31T23:00:00Z', 'signed-off', 7_200_000]);
    t.match(statementOf(night, ABOUT).totals, [{ paidMs: 3_600_000 }]);
    t.match(statementOf(night, { ...ABOUT, month: '2026-04' }).totals, [{ paidMs: 3_600_000 }]);
    const spring = chain(['2026-03-29T00:30:00Z', 'signed-on'], ['2026-03-29T01:30:00Z', 'signed-off']);
    t.match(
      statementOf(spring, ABOUT).totals,
      [{ paidMs: 3_600_000 }],
      'an hour is an hour when the clocks go forward',
    );
    t.same(byMonth('Europe/Brussels', at('2026-10-31T22:30:00Z'), at('2026-10-31T23:30:00Z')), [
      { month: '2026-10', ms: 1_800_000 },
      { month: '2026-11', ms: 1_800_000 },
    ]);
  },
);

t.test('where clocks go back over the midnight that ends a month, each moment is counted once', async (t) => {
  // St John's until 2011: at 00:01 on 1 November 2009 it became 23:01 on 31 October.
  const of = (from: string, to: string) => byMonth('America/St_Johns', at(from), at(to));
  const both = [
    { month: '2009-10', ms: 1_800_000 },
    { month: '2009-11', ms: 7_200_000 },
  ];
  t.same(of('2009-11-01T02:00:00Z', '2009-11-01T04:30:00Z'), both);
  t.same(of('2009-11-01T03:00:00Z', '2009-11-01T04:00:00Z'), [{ month: '2009-11', ms: 3_600_000 }]);
});

t.test('a session that nothing has closed is named, and its last stretch is not counted', async (t) => {
  const made = statementOf(
    chain(['2026-03-04T08:00:00Z', 'signed-on'], ['2026-03-04T08:10:00Z', 'no-work', 600_000]),
    ABOUT,
  );
  t.match(made.totals, [{ paidMs: 600_000 }]);
  t.same(made.open, [SESSION]);
});

t.test('however a month is cut, the parts of all months are the whole, and nobody else’s time is in them', async () => {
  const lasting = fc.integer({ min: 0, max: 40 * 3_600_000 });
  fc.assert(
    fc.property(
      fc.array(lasting, { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 0, max: 60 * 86_400_000 }),
      (parts, startMs) => {
        let now = at('2026-02-15T00:00:00Z') + startMs;
        const when = () => new Date(now).toISOString();
        const events: WorkEvent[] = [];
        const add = (activity: WorkActivityData['activity'], lastedMs?: number, person = 'p-1') => {
          const sequence = events.length + 1;
          const data = {
            session: person === 'p-1' ? SESSION : SESSION.replace(/1$/, '2'),
            person,
            handset: 'a-101',
            at: when(),
            activity,
            campaign: 'survey',
            rate: EUR,
            ...(lastedMs !== undefined && { ended: { activity: 'talking' as const, lastedMs } }),
          };
          events.push({ sequence, hash: '0'.repeat(64), type: 'balise.work.activity', data });
        };
        add('signed-on');
        add('signed-on', undefined, 'p-2');
        for (const ms of parts) {
          now += ms;
          add('talking', ms);
        }
        let counted = 0;
        for (let month = 1; month <= 12; month += 1) {
          const fold = new PayFold('p-1', `2026-${String(month).padStart(2, '0')}`, 'America/New_York');
          for (const event of events) fold.take(event);
          counted += fold.account().lines.reduce((sum, { ms }) => sum + ms, 0);
        }
        const whole = parts.reduce((sum, ms) => sum + ms, 0);
        if (Math.abs(counted - whole) > 1e-6) throw new Error(`${counted} of ${whole} ms`);
      },
    ),
    { numRuns: 200 },
  );
});

t.test('a statement is a page that prints, and carries itself for whoever checks it', async (t) => {
  const made = statementOf(
    chain(['2026-03-04T08:00:00Z', 'signed-on'], ['2026-03-04T09:00:00Z', 'signed-off', 3_600_000]),
    {
      ...ABOUT,
      gateway: 'demo/<gw>',
    },
  );
  const page = statementPage(made);
  t.match(page, /<td class="n">1:00:00<\/td>/);
  t.match(page, '4.00 EUR');
  t.notMatch(page, '<gw>');
  t.same(statementIn(page), JSON.parse(JSON.stringify(made)));
  t.equal(statementIn('<html>'), undefined);
  t.match(statementCsv(made), /^p-1,2026-03,survey,paid,EUR,400,3600000,400\r$/m);
  t.equal(clockTime(-90_500), '-0:01:31');
  t.equal(money(1_234, 'JPY'), '1234 JPY');
});
