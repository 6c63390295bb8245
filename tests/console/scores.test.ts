/** Score sheets: whoever may score scores a whole sheet, by a page of the console's own, and the audit chain has it first. */
import t from 'tap';
import { house } from './house.js';

const PATH = '/api/work/scores';
const WHOLE = { call: 'call-1', points: { script: 3, tone: 5 } };

t.test(
  'a supervisor sees the calls that can be scored, and scores one; the chain says who, before and after',
  async (t) => {
    const { site, logIn, as } = await house(t);
    const supervisor = await logIn('supervisor');
    t.match((await as(supervisor, 'GET', '/api/work/sheets')).body, { calls: [{ call: 'call-1', points: {} }] });
    t.match(await as(supervisor, 'POST', PATH, WHOLE), { status: 200, body: { call: 'call-1', points: WHOLE.points } });
    t.same(site.orders, ['score call-1 {"script":3,"tone":5} console:supervisor']);
    await as(supervisor, 'POST', PATH, { ...WHOLE, points: { script: 0, tone: 5 } });
    t.match(site.changes, [
      { who: 'supervisor', what: 'call-scored', subject: 'call call-1', before: {}, after: WHOLE.points },
      { before: WHOLE.points, after: { script: 0, tone: 5 } },
    ]);
  },
);

t.test(
  'a sheet that is not whole, or no sheet at all, is refused with what is wrong, and nothing is kept',
  async (t) => {
    const { site, logIn, as } = await house(t);
    const supervisor = await logIn('supervisor');
    const sheets: readonly [unknown, number, RegExp][] = [
      [{ call: 'call-1', points: { script: 3 } }, 400, /no score for tone; the criteria are script, tone/],
      [{ call: 'call-1', points: { ...WHOLE.points, haste: 1 } }, 400, /haste is no criterion of survey/],
      [{ call: 'call-1', points: { script: 3, tone: 6 } }, 400, /points/],
      [{ call: 'call-1', points: { script: 3, tone: 2.5 } }, 400, /points/],
      [{ call: 'call-1', points: { script: 3, tone: null } }, 400, /points/],
      [{ call: 'call-1', points: { script: 3, tone: '5' } }, 400, /points/],
      [{ call: 'call-1', points: {} }, 400, /points/],
      [{ call: 'call-1' }, 400, /points/],
      [{ ...WHOLE, by: 'somebody' }, 400, /additional/],
      [{ ...WHOLE, call: 'call-2' }, 404, /no call call-2/],
    ];
    for (const [body, status, error] of sheets)
      t.match(await as(supervisor, 'POST', PATH, body), { status, body: { error } }, JSON.stringify(body));
    t.same([site.orders, site.changes], [[], []]);
  },
);

t.test('without the page’s own token nothing is scored; nor while the audit chain cannot be written', async (t) => {
  const { site, logIn, ask, as } = await house(t);
  const supervisor = await logIn('supervisor');
  const { cookie } = supervisor;
  t.match(await ask('POST', PATH, { body: WHOLE, headers: { cookie } }), { status: 403, body: { code: 'csrf' } });
  const headers = { cookie, 'x-csrf-token': supervisor.csrf, origin: 'http://elsewhere.example' };
  t.match(await ask('POST', PATH, { body: WHOLE, headers }), { status: 403, body: { code: 'csrf' } });
  site.isFull = true;
  t.match(await as(supervisor, 'POST', PATH, WHOLE), { status: 503, body: { code: 'disk' } });
  t.same(site.orders, []);
});
