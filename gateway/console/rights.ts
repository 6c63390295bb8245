import type { Right, Role } from './api/people.js';

/** What each role may do: the whole of it. Nobody listens to a call or scores one but a supervisor, whoever administers the machine. */
export const RIGHTS: Readonly<Record<Role, readonly Right[]>> = {
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
};

export const ROLES = Object.keys(RIGHTS) as readonly Role[];

/** What a route asks of whoever calls it: a right, or any log-in, or nothing at all. */
export type Need = Right | 'log-in' | 'nothing';

/**
 * Every route of the console, and what it needs. The server refuses to start with a route that is not here, and a test
 * walks all of them with every role.
 */
export const ROUTES: Readonly<Record<string, Need>> = {
  'GET /': 'nothing',
  'GET /*': 'nothing',
  // Whoever has no session learns from it that there is none.
  'GET /api/session': 'nothing',
  'POST /api/session': 'nothing',
  'POST /api/first-person': 'nothing',
  'DELETE /api/session': 'log-in',
  'POST /api/session/password': 'log-in',
  'GET /api/people': 'people',
  'POST /api/people': 'people',
  'PATCH /api/people/:name': 'people',
  'DELETE /api/people/:name': 'people',
  'GET /api/view': 'see',
  'GET /api/live': 'see',
  'GET /api/handsets/:id': 'see',
  'GET /api/handsets/:id/week': 'see',
  'GET /api/handsets/:id/when': 'see',
  'POST /api/handsets/:id/line-test': 'test-line',
  'POST /api/handsets/:id/audio-test': 'test-line',
  'POST /api/handsets': 'configure',
  'PUT /api/handsets/:id': 'configure',
  'DELETE /api/handsets/:id': 'configure',
  'POST /api/handsets/:id/disable': 'configure',
  'POST /api/handsets/:id/enable': 'configure',
  'POST /api/handsets/:id/replace': 'provision',
  'POST /api/handsets/:id/provision': 'provision',
  'GET /api/models': 'see',
  'GET /api/calls': 'see-calls',
  'GET /api/calls/:id': 'see-calls',
  'GET /api/calls/:id/listen': 'listen',
  'POST /api/calls/:id/cut': 'listen',
  'GET /api/boards': 'see',
  'POST /api/boards': 'configure',
  'GET /api/ports': 'configure',
  'POST /api/boards/scan': 'configure',
  'GET /api/trunks': 'see',
  'GET /api/uplink': 'see',
  'GET /api/work': 'see-calls',
  'GET /api/work/sheets': 'score',
  'POST /api/work/scores': 'score',
  'GET /api/status': 'see',
  'GET /api/audit': 'see-audit',
  'POST /api/cutoffs': 'cut',
  'POST /api/releases': 'release',
  'GET /metrics': 'metrics',
};
