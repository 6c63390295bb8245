import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { Right, SessionView } from '../../gateway/console/api.js';
import { call, ENDED, handsetPage, judged, SITE, STATUS, week } from './web-sample.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

const ALL: readonly Right[] = [
  'see',
  'see-calls',
  'see-audit',
  'cut',
  'release',
  'test-line',
  'provision',
  'configure',
  'people',
];

/** Who is logged in at the sample; null: nobody. */
export interface SampleSession {
  name: string;
  language: 'fr' | 'nl' | 'en';
}

export interface SampleServer {
  readonly url: string;
  /** Who the pages are shown to from the next look on. */
  session: SampleSession | null;
  /** What was sent to change something, in order. */
  readonly orders: { readonly path: string; readonly body: unknown }[];
  /** Sends a live event to every page that looks on. */
  tell(name: string, data: unknown): void;
  /** Ends every live stream, and refuses new ones while `isDown`. */
  breakStreams(isDown: boolean): void;
  close(): Promise<void>;
}

/**
 * Serves the built pages and a site in which every state occurs at once. It is for how the pages look and read: what they
 * do is tried against the gateway itself.
 */
export async function startSampleServer(folder: string): Promise<SampleServer> {
  const streams = new Set<ServerResponse>();
  let isDown = false;
  const orders: { path: string; body: unknown }[] = [];

  const answers = (path: string, query: URLSearchParams): unknown => {
    const [, room, id = '', more] = path.split('/').filter(Boolean);
    if (room === 'view') return SITE;
    if (room === 'handsets' && more === undefined) return handsetPage(id);
    if (more === 'week') return week(query.get('zone') ?? 'Europe/Brussels', query.get('from') ?? '2026-11-23');
    if (more === 'when') {
      const fact = 'in Istanbul it is 21:14; calls from 10:00';
      return {
        allowedNow: false,
        rule: 'window.callee',
        fact,
        nextAllowed: '2026-11-24T07:00:00Z',
        zones: ['Europe/Istanbul'],
        why: judged('window.callee', fact),
      };
    }
    if (room === 'calls')
      return id === ''
        ? { calls: [...ENDED, ...ENDED.map((one) => ({ ...one, call: `${one.call}-b` }))], before: 'x' }
        : call(id);
    if (room === 'boards') return { boards: SITE.boards };
    if (room === 'trunks') {
      const lastFailure = { at: SITE.at, sipStatus: 503 };
      return {
        trunks: [
          {
            trunk: 'carrier',
            address: '198.51.100.9:5060',
            transport: 'tls',
            calls: 3,
            attempts: 412,
            answered: 250,
            failed: 9,
            lastFailure,
          },
        ],
      };
    }
    if (room === 'status') return STATUS;
    if (room === 'audit') {
      const data = {
        who: 'duty',
        reason: 'Misuse of the line',
        target: { kind: 'handset', handset: 'b-201' },
        calls: 1,
      };
      return {
        events: [3, 2, 1].map((sequence) => ({
          sequence,
          at: SITE.at,
          type: 'balise.lockdown.set',
          data,
          hash: 'b7'.repeat(32),
        })),
        before: 1,
      };
    }
    if (room === 'people') {
      const common = { language: 'fr', createdAt: SITE.at, passwordAt: SITE.at, sessions: 1 };
      return {
        people: [
          { name: 'duty', role: 'administrator', disabled: false, lastSeenAt: SITE.at, ...common },
          { name: 'night', role: 'technician', disabled: false, lockedUntil: SITE.at, ...common },
          { name: 'audit', role: 'auditor', disabled: true, ...common },
        ],
      };
    }
    return undefined;
  };
  const changes = (path: string): unknown => {
    if (path === '/api/cutoffs') return { calls: 1, silentMs: 3.4, complete: true };
    if (path.endsWith('/line-test')) return { outcome: 'well', hook: 'on', openedMs: 41.2, closedMs: 63.9 };
    if (path.endsWith('/audio-test')) return { until: new Date(Date.now() + 60_000).toISOString(), code: '*9' };
    return { released: true };
  };

  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://sample');
    const json = (status: number, value: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (!pathname.startsWith('/api/')) {
      const file = pathname === '/' ? '/index.html' : pathname;
      response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? '', 'content-security-policy': CSP });
      response.end(readFileSync(join(folder, file)));
      return;
    }
    if (sample.session === null) return void json(401, { error: 'No session.', code: 'session.none' });
    if (pathname === '/api/session') {
      const { name, language } = sample.session;
      const view: SessionView = { person: { name, role: 'administrator', language }, csrf: 'c', rights: ALL };
      return void json(200, view);
    }
    if (pathname === '/api/live') {
      if (isDown) return void response.destroy();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`event: view\ndata: ${JSON.stringify(SITE)}\n\n`);
      streams.add(response);
      response.on('close', () => streams.delete(response));
      return;
    }
    if (request.method === 'GET') {
      const found = answers(pathname, searchParams);
      return void (found === undefined ? json(404, { error: 'No.', code: 'not-found' }) : json(200, found));
    }
    let text = '';
    request.on('data', (piece) => {
      text += piece;
    });
    request.on('end', () => {
      orders.push({ path: pathname, body: text === '' ? undefined : JSON.parse(text) });
      json(200, changes(pathname));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sample: SampleServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    session: { name: 'duty', language: 'en' },
    orders,
    tell: (name, data) => {
      for (const stream of streams) stream.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    },
    breakStreams: (down) => {
      isDown = down;
      for (const stream of streams) stream.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return sample;
}
