import t from 'tap';
import type { Role } from '../../gateway/console/api/people.js';
import { RIGHTS, ROUTES } from '../../gateway/console/rights.js';
import { house, type LoggedIn, METRICS_TOKEN, ROLES } from './house.js';

/**
 * Who may do what, written out here and nowhere derived: T technician, S supervisor, U auditor, A administrator,
 * L the local socket, M the metrics token, - nobody's log-in at all.
 */
const MATRIX: Readonly<Record<string, string>> = {
  'GET /': 'TSUALM-',
  'GET /*': 'TSUALM-',
  'GET /api/session': 'TSUAL',
  'POST /api/session': 'TSUALM-',
  'POST /api/first-person': '',
  'DELETE /api/session': 'TSUA',
  'POST /api/session/password': 'TSUA',
  'GET /api/people': 'AL',
  'POST /api/people': 'AL',
  'PATCH /api/people/:name': 'AL',
  'DELETE /api/people/:name': 'AL',
  'GET /api/view': 'TSUAL',
  'GET /api/live': 'TSUAL',
  'GET /api/handsets/:id': 'TSUAL',
  'GET /api/handsets/:id/week': 'TSUAL',
  'GET /api/handsets/:id/when': 'TSUAL',
  'POST /api/handsets/:id/line-test': 'TAL',
  'POST /api/handsets/:id/audio-test': 'TAL',
  'POST /api/handsets': 'TAL',
  'PUT /api/handsets/:id': 'TAL',
  'DELETE /api/handsets/:id': 'TAL',
  'POST /api/handsets/:id/disable': 'TAL',
  'POST /api/handsets/:id/enable': 'TAL',
  'POST /api/handsets/:id/replace': 'TAL',
  'POST /api/handsets/:id/provision': 'TAL',
  'GET /api/models': 'TSUAL',
  'GET /api/calls': 'TSUAL',
  'GET /api/calls/:id': 'TSUAL',
  'GET /api/calls/:id/listen': 'S',
  'POST /api/calls/:id/cut': 'S',
  'GET /api/boards': 'TSUAL',
  'POST /api/boards': 'TAL',
  'GET /api/ports': 'TAL',
  'POST /api/boards/scan': 'TAL',
  'GET /api/trunks': 'TSUAL',
  'GET /api/uplink': 'TSUAL',
  'GET /api/work': 'TSUAL',
  'GET /api/work/sheets': 'S',
  'POST /api/work/scores': 'S',
  'GET /api/status': 'TSUAL',
  'GET /api/audit': 'UAL',
  'POST /api/cutoffs': 'TSAL',
  'POST /api/releases': 'SAL',
  'GET /metrics': 'ALM',
};
const LETTER: Readonly<Record<Role, string>> = { technician: 'T', supervisor: 'S', auditor: 'U', administrator: 'A' };
const FILLED: Readonly<Record<string, string>> = {
  'GET /*': '/nothing-here',
  'PATCH /api/people/:name': '/api/people/spare',
  'DELETE /api/people/:name': '/api/people/nobody',
  'GET /api/handsets/:id/when': '/api/handsets/a-101/when?country=TR',
  'GET /api/calls/:id': '/api/calls/call-1',
  // Not one that is up: its sound has no end.
  'GET /api/calls/:id/listen': '/api/calls/none/listen',
  'POST /api/calls/:id/cut': '/api/calls/none/cut',
};
const BODIES: Readonly<Record<string, unknown>> = {
  'POST /api/handsets': { id: 'a-109', wing: 'a', profile: 'survey' },
  'PUT /api/handsets/:id': { wing: 'a' },
  'POST /api/handsets/:id/disable': { reason: 'a test' },
  'POST /api/handsets/:id/enable': { reason: 'a test' },
  'POST /api/handsets/:id/replace': { mac: 'c074ad000201' },
  'POST /api/handsets/:id/provision': {},
  'POST /api/boards': { boards: [{ id: 'b9', device: 'x', transport: { kind: 'serial', path: '/dev/ttyUSB0' } }] },
  'POST /api/boards/scan': { place: { kind: 'serial', path: '/dev/ttyUSB0' } },
  'POST /api/cutoffs': { target: { kind: 'site' }, reason: 'a test', holdS: 10 },
  'POST /api/releases': { target: { kind: 'site' } },
  'POST /api/work/scores': { call: 'call-1', points: { script: 3, tone: 5 } },
  'POST /api/people': { name: 'new', role: 'nobody', password: 'x' },
  'PATCH /api/people/:name': { language: 'fr' },
  'POST /api/session': {},
  'POST /api/session/password': {},
  'POST /api/first-person': { token: 'x', name: 'x', password: 'a password of some length' },
};

/** Refused for who asks, and not for what: no session, no right. */
const isDenied = (code: unknown): boolean =>
  ['session.none', 'right', 'csrf', 'first.wrong', 'people.none', 'session.locked'].includes(String(code));

t.test('the matrix speaks of every route that there is, and of no other', async (t) => {
  t.same(Object.keys(MATRIX).sort(), Object.keys(ROUTES).sort());
});

t.test('each route lets in whom the matrix says, and nobody else', async (t) => {
  const { ask, open, logIn } = await house(t, { people: [...ROLES, 'spare'] });
  const inRole = new Map<Role, LoggedIn>();
  for (const role of ROLES) inRole.set(role, await logIn(role));
  // A log-out ends the session that asks for it, and comes last.
  const isLast = (route: string) => Number(route === 'DELETE /api/session');
  for (const [route, allowed] of Object.entries(MATRIX).sort(([a], [b]) => isLast(a) - isLast(b))) {
    const [method = '', path = ''] = route.split(' ');
    const body = BODIES[route];
    const url = FILLED[route] ?? path.replace(':id', 'a-101');
    const tries: [string, Record<string, string>, boolean][] = [
      ['-', {}, false],
      ['M', { authorization: `Bearer ${METRICS_TOKEN}` }, false],
      ['L', {}, true],
    ];
    for (const role of ROLES) {
      const { cookie, csrf } = inRole.get(role) ?? { cookie: '', csrf: '' };
      tries.push([LETTER[role], { cookie, 'x-csrf-token': csrf }, false]);
    }
    for (const [letter, headers, local] of tries) {
      // The live feed never ends: its head says whether it was opened.
      const asked = url === '/api/live' ? open(url, { headers, local }) : ask(method, url, { body, headers, local });
      const { status, body: said } = await asked;
      t.equal(!isDenied(said.code), allowed.includes(letter), `${route} for ${letter}: ${status} ${said.code ?? ''}`);
      t.not(status, 500, `${route} for ${letter} is no fault`);
    }
  }
});

t.test(
  'a supervisor alone has the right to listen and to score, and no role has a right that is not in its row',
  async (t) => {
    t.same(RIGHTS, {
      technician: ['see', 'see-calls', 'cut', 'test-line', 'provision', 'configure'],
      supervisor: ['see', 'see-calls', 'cut', 'release', 'listen', 'score'],
      auditor: ['see', 'see-calls', 'see-audit'],
      administrator: [
        'see',
        'see-calls',
        'see-audit',
        'cut',
        'release',
        'test-line',
        'provision',
        'configure',
        'people',
        'metrics',
      ],
    });
  },
);
