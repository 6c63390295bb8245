/** A site in which every state occurs at once, behind the real console; and the one browser that looks at it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';
import { systemClock } from '../../gateway/clock/system-clock.js';
import type { BoardsAdded, NewBoard } from '../../gateway/console/api/board-edits.js';
import type { FoundBoardView, ScanOrder, ScanView } from '../../gateway/console/api/board-scan.js';
import type { EndedView } from '../../gateway/console/api/calls.js';
import type { HandsetEdited } from '../../gateway/console/api/handset-edits.js';
import type { HandsetView } from '../../gateway/console/api/handsets.js';
import type { WhenView } from '../../gateway/console/api/hours.js';
import type { CutTarget, CutView } from '../../gateway/console/api/orders.js';
import type { SiteView } from '../../gateway/console/api/site.js';
import type { ScoreOrder } from '../../gateway/console/api/work.js';
import { type RunningConsole, startConsole } from '../../gateway/console/console.js';
import { ConsoleFault } from '../../gateway/console/fault.js';
import type { ConsoleSource, HandsetOrder, SiteListener } from '../../gateway/console/source.js';
import { PASSWORD, writePeople } from './house.js';
import {
  AUDIT,
  armed,
  call,
  ENDED,
  handsetPage,
  judged,
  SHEETS,
  SITE,
  STATUS,
  TRUNKS,
  WORK,
  week,
} from './web-sample.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
export const FIRST = 'duty';
export { PASSWORD };

const HELD_PORT = '/dev/serial/by-id/usb-FTDI_USB-RS485_BAL1';
const ISTANBUL = 'in Istanbul it is 21:14; calls from 10:00';

/** The sample as the console's source: it says what its pages are to show, and writes down what it is told to do. */
export class WebSite implements ConsoleSource {
  readonly orders: string[] = [];
  /** It has a server for phones. */
  isServing = true;
  readonly #listeners = new Set<SiteListener>();
  #handsets = SITE.handsets;

  #scan: ScanView | undefined;

  view = (): SiteView => ({
    ...SITE,
    handsets: this.#handsets,
    ...(this.#scan === undefined ? {} : { scan: this.#scan }),
  });
  status = () => STATUS;
  boards = () => SITE.boards;
  ports = () => [{ path: HELD_PORT, agent: 'modbus-1' }, { path: '/dev/serial/by-id/usb-FTDI_USB-RS485_BAL2' }];
  scan = async ({ place, from = 1, to = 16 }: ScanOrder): Promise<ScanView> => {
    if (place.kind === 'serial' && place.path === HELD_PORT) throw new ConsoleFault(409, 'scan.held', 'it is held');
    this.#scan = { place, from, to, startedAt: new Date().toISOString(), state: 'running', unit: from, boards: [] };
    return this.#scan;
  };
  addBoards = async (boards: readonly NewBoard[]): Promise<BoardsAdded> => {
    this.orders.push(`boards ${JSON.stringify(boards)}`);
    if (boards.some(({ id }) => id === 'b1'))
      throw new ConsoleFault(409, 'board.taken', 'there is a board "b1" already');
    return {
      boards: boards.map(({ id: board }) => ({ board, agent: 'modbus-2', isRunning: board !== 'late' })),
      remarks: [],
    };
  };
  trunks = () => TRUNKS;
  uplink = () => SITE.uplink;
  work = () => WORK;
  #sheets = SHEETS;
  sheets = () => ({ calls: this.#sheets });
  sheet = (call: string) => this.#sheets.find((one) => one.call === call);
  score = ({ call, points }: ScoreOrder, by: string): void => {
    this.orders.push(`score ${call} ${JSON.stringify(points)} ${by}`);
    this.#sheets = this.#sheets.map((one) => (one.call === call ? { ...one, points } : one));
  };
  handset = (id: string) => (this.#handsets.some(({ handset }) => handset === id) ? handsetPage(id) : undefined);
  week = (_id: string, zone = SITE.zone, from = '2026-11-23') => week(zone, from);
  when = (): WhenView => ({
    allowedNow: false,
    rule: 'window.callee',
    fact: ISTANBUL,
    nextAllowed: '2026-11-24T07:00:00Z',
    zones: ['Europe/Istanbul'],
    why: judged('window.callee', ISTANBUL),
  });
  calls = ({ handset }: { readonly handset?: string }) => ({
    calls: ENDED.filter((one) => handset === undefined || one.handset === handset),
  });
  call = async (id: string) => call(id);
  hear = async () => 'supervision.no-call';
  cutHeard = async () => undefined;
  testAudio = (id: string) => {
    const until = new Date(Date.now() + 60_000).toISOString();
    this.now(id, { audioTest: { state: 'waiting', until, packets: 0, lost: 0, jitterMs: 0 } });
    return { until };
  };
  audit = () => AUDIT;
  cut = async (target: CutTarget, reason: string, hold: number | string, by: string): Promise<CutView> => {
    this.orders.push(`cut ${JSON.stringify(target)} ${reason} ${hold} ${by}`);
    return { calls: 1, silentMs: 3.4, complete: true };
  };
  standing = () => null;
  release = (target: CutTarget, by: string): boolean => {
    this.orders.push(`release ${JSON.stringify(target)} ${by}`);
    return true;
  };
  testLine = async () => ({ outcome: 'well', hook: 'on', openedMs: 41.2, closedMs: 63.9 });
  editHandset = async (order: HandsetOrder): Promise<HandsetEdited> => {
    const handset = order.do === 'add' ? order.handset.id : order.id;
    this.orders.push(JSON.stringify(order));
    return {
      handset,
      changes: [],
      remarks: [],
      armed: order.do === 'replace' ? [armed(order.phone.mac)] : [],
      isServing: this.isServing,
    };
  };
  models = () => [{ model: 'HT814', handsets: 4 }];
  audited = () => undefined;
  alarm = () => undefined;
  listen = (listener: SiteListener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Changes one handset, and says so. */
  now(id: string, change: Partial<HandsetView>): void {
    this.#handsets = this.#handsets.map((view) => (view.handset === id ? { ...view, ...change } : view));
    for (const listener of this.#listeners) listener.changed();
  }
  /** The scan that was begun finds these boards, and is done. */
  finds(boards: readonly FoundBoardView[]): void {
    if (this.#scan !== undefined) this.#scan = { ...this.#scan, unit: this.#scan.to, state: 'done', boards };
    for (const listener of this.#listeners) listener.changed();
  }
  ends(ended: EndedView): void {
    for (const listener of this.#listeners) listener.ended(ended);
  }
}

export interface WebHouse {
  readonly site: WebSite;
  readonly console: RunningConsole;
  /** Logs in with the password of the tests, and gives the cookie of it. */
  logIn(name: string): Promise<string>;
  /** Ends the console, and starts it anew on the same port with the same people. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** The console with the built pages, on loopback, with these people in it, administrators all. */
export async function webHouse(t: Test, people: readonly string[] = []): Promise<WebHouse> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'balise-web-'));
  if (people.length > 0) writePeople(dataFolder, people);
  const site = new WebSite();
  const silent = () => undefined;
  const start = (port: number) =>
    startConsole({
      address: '127.0.0.1',
      port,
      dataFolder,
      source: site,
      clock: systemClock(() => ({ trusted: true })),
      log: { info: silent, warn: silent, error: silent },
      token: 'fixture-metrics-token',
      metrics: async () => ({ type: 'text/plain', text: '' }),
      pagesFolder: join(root, 'dist', 'console-web'),
    });
  let running = await start(0);
  t.teardown(async () => {
    await running.close();
    rmSync(dataFolder, { recursive: true, force: true });
  });
  return {
    site,
    logIn: async (name) => {
      const answer = await fetch(`${running.url}/api/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: running.url },
        body: JSON.stringify({ name, password: PASSWORD }),
      });
      const [cookie] = answer.headers.getSetCookie();
      if (!answer.ok || cookie === undefined) throw new Error(`${name} cannot log in: ${await answer.text()}`);
      return cookie.split(';')[0]?.split('=')[1] ?? '';
    },
    get console() {
      return running;
    },
    stop: () => running.close(),
    restart: async () => {
      running = await start(running.port);
    },
  };
}

const QUIET = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/** Debian's Chromium, one for a whole test file. */
export async function aBrowser(t: Test): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: QUIET });
  t.teardown(() => browser.close());
  return browser;
}

/** A page whose faults, complaints and requests to elsewhere fail the test; 401 is what a door answers. */
export async function aPage(
  t: Test,
  browser: Browser,
  options: BrowserContextOptions = {},
  isExpected: (complaint: string) => boolean = () => false,
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', ...options });
  t.teardown(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on('pageerror', (fault) => t.fail(`the page has a fault: ${fault.stack ?? fault.message}`));
  page.on('console', (said) => {
    const text = said.text();
    if (said.type() !== 'error' || /status of 40[013]/.test(text) || isExpected(text)) return;
    t.fail(`the page complains: ${text}`);
  });
  page.on('request', (request) => {
    const { hostname } = new URL(request.url());
    if (hostname !== '127.0.0.1') t.fail(`the page asks elsewhere: ${request.url()}`);
  });
  return page;
}

/** Keeps a picture of the page where `BALISE_SCREENSHOTS` names a folder. */
export async function picture(page: Page, name: string, isWhole = true): Promise<void> {
  const folder = process.env.BALISE_SCREENSHOTS;
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: isWhole });
}

/** Waits, a drawn frame at a time, until the page shows what is wanted; the runner's time-out is its end. */
export async function shows(page: Page, wanted: () => Promise<boolean>): Promise<void> {
  while (!(await wanted())) await page.evaluate('new Promise(requestAnimationFrame)');
}
