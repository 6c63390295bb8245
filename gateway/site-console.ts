import { readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import type { Temporal } from 'temporal-polyfill';
import { freshSecret } from './bus/identities.js';
import type { AudioTests } from './calls/audio-tests.js';
import type { Calls } from './calls/calls.js';
import type { CutoffResult } from './calls/ports.js';
import type { Clock } from './clock/clock.js';
import { projectRoot } from './config/paths.js';
import type { SiteFiles } from './config/site.js';
import type { HandsetPage, HandsetView, WorkActivity } from './console/api/handsets.js';
import type { CutTarget } from './console/api/orders.js';
import type { StatusView } from './console/api/site.js';
import { type RunningConsole, startConsole } from './console/console.js';
import { PeopleFault } from './console/people.js';
import { CONSOLE_SOCKET } from './console/socket-name.js';
import type { ConsoleSource } from './console/source.js';
import type { GatewayMetrics } from './gateway-metrics.js';
import type { Lines } from './lines/lines.js';
import { type CallId, callId, handsetId, wingId } from './policy/ids.js';
import type { Lockdown } from './policy/request.js';
import type { Signalling } from './signalling/signalling.js';
import { addBoards } from './site-board-edits.js';
import type { BoardScan } from './site-board-scan.js';
import type { SiteBoards } from './site-boards.js';
import { HandsetDesk, type RunningHandsets } from './site-handset-desk.js';
import { SiteHistory } from './site-history.js';
import { weekOf, whenMay } from './site-hours.js';
import type { SiteListening } from './site-listening.js';
import type { SitePlane } from './site-media.js';
import type { SitePolicy } from './site-policy.js';
import { siteScores } from './site-scores.js';
import type { SiteTrunks } from './site-trunks.js';
import type { SiteWatch } from './site-watch.js';
import type { WhyBook } from './site-why.js';
import { workView } from './site-work-results.js';
import type { Store } from './store/store.js';
import { StartFault } from './supervisor/run-folder.js';

const LAST_CALLS = 10;
const REMEMBERED = 50;

/** What the console of a running site is joined to. */
export interface SiteConsoleParts {
  readonly files: SiteFiles;
  /** Where the local socket is made. */
  readonly runFolder: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Store;
  readonly policy: SitePolicy;
  readonly watch: SiteWatch;
  readonly boards: SiteBoards;
  readonly scan: BoardScan;
  readonly trunks: SiteTrunks;
  readonly whys: WhyBook;
  readonly calls: Calls;
  readonly lines: Lines;
  readonly signalling: Signalling;
  readonly media: SitePlane;
  /** Absent on a media plane that has no echo, and one that nobody can listen by. */
  readonly tests: AudioTests | undefined;
  readonly listening: SiteListening | undefined;
  readonly metrics: GatewayMetrics;
  readonly version: string;
  readonly handsets: RunningHandsets;
  readonly newCallId: () => CallId;
  readonly alarm: (code: string, message: string) => void;
}

/**
 * Opens the technicians' console on the site's address and on the local socket. Rejects when one of them cannot be listened on,
 * or, with a `StartFault`, when its people or its certificate cannot be read.
 */
export async function openSiteConsole(parts: SiteConsoleParts): Promise<RunningConsole> {
  const { files, runFolder, clock, log, watch, metrics, store } = parts;
  const { address, port, hosts = [] } = files.site.console;
  const token = freshSecret();
  writeFileSync(join(files.dataFolder, 'console.token'), `${token}\n`, { mode: 0o600 });
  const wingOf = (handset: string) => files.handsets.find(({ id }) => id === handset)?.wing;
  const history = new SiteHistory(store.history, parts.calls, parts.whys, wingOf, {
    measure: (call) => parts.media.measure(call),
    listeners: (call) => parts.listening?.listeners(call) ?? [],
  });
  watch.remember(history.list({ limit: REMEMBERED }).calls);
  await metrics.begin();
  try {
    const tls = tlsOf(files);
    const running = await startConsole({
      address,
      port,
      hosts,
      ...(tls === undefined ? {} : { tls }),
      socket: { path: join(runFolder, CONSOLE_SOCKET), localName: userName() },
      dataFolder: files.dataFolder,
      pagesFolder: join(projectRoot(), 'dist', 'console-web'),
      source: sourceOf(parts, history),
      metrics: () => metrics.read(),
      clock,
      log,
      token,
    });
    if (running.firstLink !== undefined) {
      // The one secret that the log ever holds: it is good once, for a day, and for this run alone.
      const url = running.firstLink;
      log.warn({ event: 'console.first-link', url }, `nobody may log in yet; the first person comes in by ${url}`);
    }
    const close = async (): Promise<void> => {
      parts.scan.stop();
      await running.close();
    };
    return { ...running, close };
  } catch (fault) {
    if (fault instanceof PeopleFault) throw new StartFault(fault.message, fault.exitCode);
    throw fault;
  }
}

/** The user that the gateway runs as; its number where the machine has no name for it. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // ENOENT: a user without an entry in the password file, as in some containers.
    return `uid-${process.getuid?.() ?? 0}`;
  }
}

function tlsOf({ site, folder }: SiteFiles) {
  const { tls } = site.console;
  if (tls === undefined) return undefined;
  const read = (name: string): Buffer => {
    const file = resolve(folder, name);
    try {
      return readFileSync(file);
    } catch (fault) {
      throw new StartFault(`console.tls: ${file} cannot be read (${(fault as Error).message})`, 78);
    }
  };
  const { cert, key, clientCa, requireClient } = tls;
  return {
    cert: read(cert),
    key: read(key),
    ...(clientCa === undefined ? {} : { clientCa: read(clientCa) }),
    ...(requireClient === undefined ? {} : { requireClient }),
  };
}

function lockdownOf(target: CutTarget): Exclude<Lockdown['target'], { kind: 'person' }> {
  switch (target.kind) {
    case 'site':
      return { kind: 'site' };
    case 'wing':
      return { kind: 'wing', wing: wingId(target.wing) };
    case 'handset':
      return { kind: 'handset', handset: handsetId(target.handset) };
  }
}

function sourceOf(parts: SiteConsoleParts, history: SiteHistory): ConsoleSource {
  const { files, clock, store, policy, watch, boards, scan, trunks, calls, lines } = parts;
  const facts = () => ({ clock: clock.trust(), lockdowns: calls.lockdownsInForce() });
  const startedAt = clock.wall();
  const desk = new HandsetDesk(files, parts.handsets);
  return {
    view: () => watch.view(),
    status: () => statusOf(parts, startedAt),
    boards: () => boards.view(),
    ports: () => scan.ports(),
    scan: (order) => scan.begin(order),
    addBoards: (wanted, by) => addBoards(files, parts.handsets, wanted, by),
    trunks: () => trunks.view(),
    uplink: () => watch.view().uplink,
    work: () => workView(store.work, files.site.zone, clock.wall()),
    ...siteScores({ work: store.work, history: store.history, clock }),
    handset: (id) => pageOf(parts, history, desk, id),
    week: (id, zone, from) => weekOf(policy, handsetId(id), files.site.country, clock.wall(), zone, from),
    when: (id, question, language) =>
      whenMay(policy, handsetId(id), question, facts(), store.calls, clock.wall(), language),
    calls: (query) => history.list(query),
    call: (id, language) => history.call(id, language),
    hear: async (call, supervisor) => parts.listening?.listen(callId(call), supervisor) ?? 'supervision.no-driver',
    cutHeard: async (call, supervisor) => {
      const result = await parts.listening?.cut(callId(call), supervisor);
      return result && cutView(result);
    },
    audit: (before, limit) => history.audit(before, limit),
    cut: async (target, reason, hold, by) => {
      const id = parts.newCallId();
      const result = await calls.cutoff({ id, target: lockdownOf(target), reason, by, hold });
      watch.changed();
      return cutView(result);
    },
    standing: (target) => watch.standing(target) ?? null,
    release: (target, by) => {
      const isLifted = calls.release(lockdownOf(target), by);
      watch.changed();
      return isLifted;
    },
    testLine: (id) => lines.test(handsetId(id)),
    testAudio: (id) => {
      const report = parts.tests?.order(handsetId(id)) ?? 'none';
      return typeof report === 'string' ? report : { until: report.until.toString() };
    },
    editHandset: (order, by) => desk.edit(order, by),
    models: () => desk.models(),
    audited: (change) => store.calls.append([{ kind: 'event', type: 'balise.console.changed', data: { ...change } }]),
    alarm: parts.alarm,
    listen: (listener) => watch.listen(listener),
  };
}

const cutView = ({ calls, silentMs, complete }: CutoffResult) => ({ calls, silentMs, complete });

function pageOf(
  { files, watch, signalling, clock }: SiteConsoleParts,
  history: SiteHistory,
  desk: HandsetDesk,
  id: string,
): HandsetPage | undefined {
  const handset = files.handsets.find((one) => one.id === id);
  const view = watch.handset(id);
  if (handset === undefined || view === undefined) return undefined;
  const { user, wing, profile, line, language = files.site.language } = handset;
  const known = signalling.registrar.registration(handsetId(id));
  const phone = desk.phoneOf(handset);
  const now = clock.wall();
  const registration = known && {
    address: known.address,
    ...(known.userAgent === undefined ? {} : { userAgent: known.userAgent }),
    since: now.subtract({ milliseconds: known.ageMs }).toString({ smallestUnit: 'second' }),
    expiresAt: now.add({ milliseconds: known.leftMs }).toString({ smallestUnit: 'second' }),
  };
  return {
    view,
    user,
    wing,
    profile,
    language,
    lastCalls: history.list({ handset: id, limit: LAST_CALLS }).calls,
    ...(line === undefined ? {} : { line: { board: line.board, channel: line.relay, hook: line.hook } }),
    ...(phone === undefined ? {} : { phone }),
    ...(registration === undefined ? {} : { registration }),
  };
}

function statusOf(parts: SiteConsoleParts, startedAt: Temporal.Instant): StatusView {
  const { files, clock, store, policy, watch, calls, version } = parts;
  const { site, gateway, at, planes, handsets, boards, uplink, cut } = watch.view();
  const trust = clock.trust();
  const disk = store.roomLeft();
  const standing = policy.standing(clock.wall());
  const down = planes.filter(({ state }) => state === 'down').map(({ name }) => name);
  const lost = boards.filter(({ state }) => state === 'lost').map(({ board }) => board);
  return {
    site,
    gateway,
    version,
    startedAt: startedAt.toString(),
    at,
    clock: trust.trusted ? { trusted: true } : { trusted: false, why: trust.why },
    planes,
    calls: calls.size,
    handsets: {
      all: handsets.length,
      registered: handsets.filter(({ registered }) => registered).length,
      offHook: handsets.filter(({ hook }) => hook === 'off').length,
    },
    work: workOf(handsets),
    boards: { all: files.boards.length, up: boards.filter(({ state }) => state === 'ok').length },
    uplink,
    disk,
    policy: standing,
    troubles: [
      ...(trust.trusted ? [] : [`the clock is not trusted: ${trust.why}`]),
      ...(standing.state === 'good' ? [] : [`the signed policy is ${standing.state}`]),
      ...down.map((name) => `the plane ${name} is down`),
      ...lost.map((board) => `board ${board} is lost: ${boards.find((one) => one.board === board)?.detail ?? ''}`),
      ...(disk.hasRoom ? [] : ['the disk has no room for another call']),
      ...(cut === undefined ? [] : [`the whole site is cut: ${cut.reason}`]),
      ...(uplink.configured && !uplink.connected ? ['headquarters cannot be reached; calls go on'] : []),
    ],
  };
}

function workOf(handsets: readonly HandsetView[]): StatusView['work'] {
  const doing: Partial<Record<WorkActivity, number>> = {};
  const activities = handsets.flatMap(({ work }) => (work === undefined ? [] : [work.activity]));
  for (const activity of activities) doing[activity] = (doing[activity] ?? 0) + 1;
  return { signedOn: activities.length, doing };
}
