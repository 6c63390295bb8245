import { scryptSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Test } from 'tap';
import type { NewBoard } from '../../gateway/console/api/board-edits.js';
import type { ScanOrder, ScanView } from '../../gateway/console/api/board-scan.js';
import type { EndedView } from '../../gateway/console/api/calls.js';
import type { HandsetView } from '../../gateway/console/api/handsets.js';
import type { Role, SessionView } from '../../gateway/console/api/people.js';
import type { SiteView } from '../../gateway/console/api/site.js';
import type { ScoreOrder, SheetView } from '../../gateway/console/api/work.js';
import { type ConsoleOptions, type RunningConsole, startConsole } from '../../gateway/console/console.js';
import { PEOPLE_FILE } from '../../gateway/console/people.js';
import type { Change, ConsoleSource, HandsetOrder, SiteListener } from '../../gateway/console/source.js';
import { VirtualClock } from '../lines/virtual-clock.js';

export const PASSWORD = 'seven grey herons';
/** Stored at a small cost, as an older program might have: a log-in then takes no 0.3 s. The real cost has a test of its own. */
const SALT = Buffer.from('salt of the tests');
const HASH = scryptSync(PASSWORD, SALT, 32, { N: 1024, r: 8, p: 1 });
const STORED = `scrypt$1024$8$1$${SALT.toString('base64url')}$${HASH.toString('base64url')}`;
export const ROLES: readonly Role[] = ['technician', 'supervisor', 'auditor', 'administrator'];

export const HANDSET: HandsetView = {
  handset: 'a-101',
  wing: 'a',
  phase: 'idle',
  hook: 'on',
  relay: 'connected',
  registered: true,
  disabled: false,
};
const UPLINK = { configured: false, connected: false, waiting: 0, lastSequence: 0 };
const AT = '2026-01-01T10:00:00Z';

/** A site that says always the same, and writes down what it is told to do. */
export class SampleSite implements ConsoleSource {
  readonly changes: Change[] = [];
  readonly orders: string[] = [];
  readonly alarms: { readonly code: string; readonly detail: string }[] = [];
  readonly listeners = new Set<SiteListener>();
  handsets: readonly HandsetView[] = [HANDSET];
  /** The disk takes no event. */
  isFull = false;
  /** Why no audio test can be. */
  audioTest: 'busy' | 'held' | 'none' | undefined;
  sound: Readable | undefined;

  view(): SiteView {
    return {
      site: 'demo',
      gateway: 'gw-1',
      zone: 'Europe/Brussels',
      at: AT,
      clock: 'clock trusted',
      clockTrusted: true,
      planes: [{ name: 'relay', state: 'up', detail: '' }],
      wings: [{ wing: 'a', handsets: 1 }],
      handsets: this.handsets,
      boards: [],
      uplink: UPLINK,
      ended: [],
      alarms: [],
    };
  }
  status() {
    const { site, gateway, planes } = this.view();
    return {
      site,
      gateway,
      version: '0.0.0',
      startedAt: AT,
      at: AT,
      clock: { trusted: true },
      planes,
      calls: 0,
      handsets: { all: 1, registered: 1, offHook: 0 },
      work: { signedOn: 0, doing: {} },
      boards: { all: 0, up: 0 },
      uplink: UPLINK,
      disk: { usedBytes: 1, limitBytes: 2, freeBytes: 3, hasRoom: true },
      policy: { source: 'folder' as const, state: 'good' },
      troubles: [],
    };
  }
  boards = () => [];
  ports = () => [];
  async scan({ place, from = 1, to = 16 }: ScanOrder): Promise<ScanView> {
    this.orders.push(`scan ${JSON.stringify(place)}`);
    return { place, from, to, startedAt: AT, state: 'running', unit: from, boards: [] };
  }
  async addBoards(boards: readonly NewBoard[], { who }: { readonly who: string }) {
    this.orders.push(`boards ${boards.map(({ id }) => id).join(' ')} ${who}`);
    return { boards: boards.map(({ id: board }) => ({ board, agent: 'modbus-1', isRunning: true })), remarks: [] };
  }
  trunks = () => [];
  uplink = () => UPLINK;
  work = () => ({ zone: 'Europe/Brussels', outcomes: [], scores: [] });
  points: Readonly<Record<string, number>> = {};
  sheet(call: string): SheetView | undefined {
    if (call !== 'call-1') return undefined;
    const criteria = ['script', 'tone'].map((id) => ({ id, text: `keeps to the ${id}` }));
    return { call, campaign: 'survey', person: 'p-1', endedAt: AT, talkS: 61, criteria, points: this.points };
  }
  sheets = () => ({ calls: [this.sheet('call-1')].filter((one) => one !== undefined) });
  score({ call, points }: ScoreOrder, by: string) {
    this.orders.push(`score ${call} ${JSON.stringify(points)} ${by}`);
    this.points = points;
  }
  handset(id: string) {
    const view = this.handsets.find(({ handset }) => handset === id);
    return view && { view, user: 'a101', wing: 'a', profile: 'survey', language: 'fr', lastCalls: [] };
  }
  week(id: string, zone = 'Europe/Brussels') {
    return this.handset(id) && { zone, siteZone: 'Europe/Brussels', days: [] };
  }
  when(id: string) {
    return this.handset(id) && { allowedNow: true, why: [] };
  }
  calls = () => ({ calls: [] });
  async call(call: string) {
    return call === 'call-1' ? { call, handset: 'a-101', state: 'talking', listeners: ['supervisor'] } : undefined;
  }
  audit = () => ({ events: [] });
  async cut(target: object, reason: string, hold: number | string, by: string) {
    this.orders.push(`cut ${JSON.stringify(target)} ${reason} ${hold} ${by}`);
    return { calls: 1, silentMs: 3, complete: true };
  }
  standing = () => null;
  release(target: object, by: string) {
    this.orders.push(`release ${JSON.stringify(target)} ${by}`);
    return true;
  }
  async testLine(handset: string) {
    this.orders.push(`test ${handset}`);
    return { outcome: 'well', hook: 'on' };
  }
  testAudio(handset: string) {
    if (this.audioTest !== undefined) return this.audioTest;
    this.orders.push(`audio ${handset}`);
    return { until: AT };
  }
  async hear(call: string, supervisor: string): Promise<Readable | string> {
    if (call !== 'call-1') return 'supervision.no-call';
    this.orders.push(`hear ${call} ${supervisor}`);
    this.sound = new Readable({ read: () => undefined });
    this.sound.push(Buffer.from('RIFF'));
    return this.sound;
  }
  async cutHeard(call: string, supervisor: string) {
    if (this.sound === undefined || this.sound.destroyed) return undefined;
    this.orders.push(`cut ${call} ${supervisor}`);
    return { calls: 1, silentMs: 3, complete: true };
  }
  async editHandset(order: HandsetOrder, { who }: { readonly who: string }) {
    const handset = order.do === 'add' ? order.handset.id : order.id;
    this.orders.push(`${order.do} ${handset} ${who}`);
    return { handset, changes: [], remarks: [], armed: [], isServing: true };
  }
  models = () => [];
  audited(change: Change) {
    if (this.isFull) throw new Error('the disk is full');
    this.changes.push(change);
  }
  alarm(code: string, detail: string) {
    this.alarms.push({ code, detail });
  }
  listen(listener: SiteListener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  /** Changes one handset, and says so. */
  now(change: Partial<HandsetView>): void {
    this.handsets = [{ ...HANDSET, ...change }];
    for (const listener of this.listeners) listener.changed();
  }
  ends(ended: EndedView): void {
    for (const listener of this.listeners) listener.ended(ended);
  }
}

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

export interface Asking {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** By the local socket and not by the network. */
  readonly local?: boolean;
}

/** A live feed that is read by a test. */
export class Feed {
  readonly events: { readonly name: string; readonly data: Record<string, unknown> }[] = [];
  readonly ended: Promise<void>;
  #text = '';
  #wake: () => void = () => undefined;
  #comments = 0;

  constructor(readonly response: IncomingMessage) {
    response.setEncoding('utf8');
    response.on('data', (text: string) => this.#take(text));
    this.ended = new Promise((resolve) => response.on('close', () => resolve()));
    // A feed that is dropped is reset: its end says so.
    response.on('error', () => undefined);
  }

  get comments(): number {
    return this.#comments;
  }

  /** The first event that is wanted, among those that came and those to come. */
  async event(
    name: string,
    wanted: (data: Record<string, unknown>) => boolean = () => true,
  ): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.events.find((one) => one.name === name && wanted(one.data));
      if (found !== undefined) return found.data;
      await this.something();
    }
  }

  /** Waits until something more has come. */
  something(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #take(text: string): void {
    const blocks = (this.#text + text).split('\n\n');
    this.#text = blocks.pop() ?? '';
    for (const block of blocks) {
      if (block === ':') this.#comments += 1;
      const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
      if (name !== undefined) this.events.push({ name, data: JSON.parse(data ?? '{}') as Record<string, unknown> });
    }
    this.#wake();
  }
}

/** A log-in, as a browser holds it. */
export interface LoggedIn {
  readonly cookie: string;
  readonly csrf: string;
}

export interface HouseUnderTest {
  readonly console: RunningConsole;
  readonly site: SampleSite;
  readonly clock: VirtualClock;
  readonly folder: string;
  readonly logged: { readonly event?: string }[];
  ask(method: string, path: string, asking?: Asking): Promise<Answer>;
  /** Opens the live feed: a refusal comes as an answer, the feed with what it says, as it comes. */
  open(path: string, asking?: Asking): Promise<Answer & { readonly feed: Feed }>;
  logIn(name: string, password?: string): Promise<LoggedIn>;
  /** Asks as somebody who is logged in, with their token. */
  as(who: LoggedIn, method: string, path: string, body?: unknown): Promise<Answer>;
}

export const METRICS_TOKEN = 'fixture-metrics-token';

/** A console on loopback with a person of each role, by the role's own name, or with the people that are given. */
export async function house(
  t: Test,
  more: Partial<Omit<ConsoleOptions, 'pagesFolder'>> & {
    readonly people?: readonly string[];
    readonly pages?: Readonly<Record<string, string>>;
  } = {},
): Promise<HouseUnderTest> {
  const { people = ROLES, pages = {}, ...options } = more;
  const folder = mkdtempSync(join(tmpdir(), 'balise-console-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  if (people.length > 0) writePeople(folder, people);
  const pagesFolder = join(folder, 'pages');
  for (const [path, text] of Object.entries(pages)) {
    mkdirSync(join(pagesFolder, path, '..'), { recursive: true });
    writeFileSync(join(pagesFolder, path), text);
  }
  const clock = new VirtualClock();
  const site = new SampleSite();
  const logged: { readonly event?: string }[] = [];
  const log = (fields: object) => void logged.push(fields);
  const socket = { path: join(folder, 'console.sock'), localName: 'balise' };
  const running = await startConsole({
    address: '127.0.0.1',
    port: 0,
    socket,
    dataFolder: folder,
    source: site,
    clock,
    log: { info: log, warn: log, error: log },
    token: METRICS_TOKEN,
    metrics: async () => ({ type: 'text/plain; version=0.0.4', text: 'balise_calls 0\n' }),
    pagesFolder,
    ...options,
  });
  t.teardown(() => running.close());
  const send = (method: string, path: string, { body, headers = {}, local = false }: Asking = {}) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const where = local ? { socketPath: socket.path } : { host: '127.0.0.1', port: running.port };
      const type = payload === undefined ? {} : { 'content-type': 'application/json' };
      const outgoing = httpRequest({ ...where, method, path, agent: false, headers: { ...type, ...headers } }, resolve);
      outgoing.on('error', reject);
      outgoing.end(payload);
    });
  const ask = async (method: string, path: string, asking?: Asking): Promise<Answer> =>
    answerOf(await send(method, path, asking));
  const open = async (path: string, asking?: Asking) => {
    const response = await send('GET', path, asking);
    const isFeed = response.headers['content-type']?.startsWith('text/event-stream') === true;
    const answer = isFeed
      ? { status: response.statusCode ?? 0, headers: response.headers, text: '', body: {} }
      : await answerOf(response);
    t.teardown(() => response.destroy());
    return { ...answer, feed: new Feed(response) };
  };
  const logIn = async (name: string, password = PASSWORD): Promise<LoggedIn> => {
    const answer = await ask('POST', '/api/session', { body: { name, password } });
    if (answer.status !== 200) throw new Error(`${name} cannot log in: ${answer.text}`);
    return { cookie: cookieOf(answer), csrf: (answer.body as unknown as SessionView).csrf };
  };
  const as = ({ cookie, csrf }: LoggedIn, method: string, path: string, body?: unknown) =>
    ask(method, path, { body, headers: { cookie, 'x-csrf-token': csrf } });
  return { console: running, site, clock, folder, logged, ask, open, logIn, as };
}

async function answerOf(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  const isJson = response.headers['content-type']?.startsWith('application/json') === true;
  const value = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: response.statusCode ?? 0, headers: response.headers, text, body: value };
}

/** What a browser sends back of a Set-Cookie header. */
export function cookieOf({ headers }: Answer): string {
  return headers['set-cookie']?.[0]?.split(';')[0] ?? '';
}

/** People whose password is that of the tests: administrators, but for those whose name is a role. */
export function writePeople(folder: string, names: readonly string[]): void {
  const at = '2026-01-01T00:00:00Z';
  const people = names.map((name) => ({
    name,
    role: ROLES.find((role) => role === name) ?? 'administrator',
    language: 'en',
    password: STORED,
    disabled: false,
    createdAt: at,
    passwordAt: at,
  }));
  writeFileSync(join(folder, PEOPLE_FILE), JSON.stringify({ version: 1, people }), { mode: 0o600 });
}
