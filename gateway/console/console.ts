import { chmodSync, rmSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { FastifyInstance } from 'fastify';
import type { Clock, Timer } from '../clock/clock.js';
import type { ConsoleLog, House } from './house.js';
import { Listening } from './listening.js';
import { LiveFeed } from './live-feed.js';
import { LogInBrake } from './log-in-brake.js';
import { OneTimeLink } from './one-time-link.js';
import { Pages } from './pages.js';
import { Passwords } from './passwords.js';
import { People } from './people.js';
import { buildServer, type ConsoleTls } from './server.js';
import { Sessions } from './sessions.js';
import type { ConsoleSource } from './source.js';

export interface ConsoleOptions {
  readonly address: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  readonly tls?: ConsoleTls;
  /** Names that the console goes by, beside its addresses and localhost. */
  readonly hosts?: readonly string[];
  /** The local socket, for the command line; absent: there is none. */
  readonly socket?: { readonly path: string; readonly localName: string };
  /** Where the people are kept. */
  readonly dataFolder: string;
  readonly source: ConsoleSource;
  readonly clock: Clock;
  readonly log: ConsoleLog;
  /** What Prometheus may bring to read the metrics instead of a log-in. */
  readonly token: string;
  readonly metrics: House['metrics'];
  /** The front end, as `vite build` made it. */
  readonly pagesFolder: string;
}

export interface RunningConsole {
  readonly port: number;
  /** The console's address for a browser. */
  readonly url: string;
  /** The link by which the first person comes in; undefined where there are people. */
  readonly firstLink?: string;
  close(): Promise<void>;
}

const SWEEP_MS = 60_000;

/**
 * The local HTTP API and the technicians' pages, on the site's address and on a socket for the command line.
 * It shows, and it can cut; it cannot allow anything. Rejects when an address cannot be listened on, and throws a
 * `PeopleFault` when the people cannot be read.
 */
export async function startConsole(options: ConsoleOptions): Promise<RunningConsole> {
  const { address, port, tls, hosts = [], socket, source, clock, log, token, metrics } = options;
  const people = People.open(options.dataFolder);
  const listening = new Listening();
  const sessions: Sessions = new Sessions(clock, (session) => {
    feed.sessionEnded(session);
    listening.sessionEnded(session);
  });
  const feed = new LiveFeed({ clock, source, isAlive: (session) => sessions.isAlive(session) });
  const link = new OneTimeLink(clock);
  const house: House = {
    source,
    clock,
    log,
    people,
    sessions,
    feed,
    listening,
    link,
    token,
    metrics,
    passwords: new Passwords(),
    brake: new LogInBrake(clock),
    pages: new Pages(options.pagesFolder),
    lastSeen: new Map(),
  };
  const open: FastifyInstance[] = [];
  let sweeping: Timer | undefined;
  const close = async (): Promise<void> => {
    sweeping?.cancel();
    feed.stop();
    listening.stop();
    for (const app of open) await app.close();
    if (socket !== undefined) rmSync(socket.path, { force: true });
  };
  try {
    const reach = { is: 'network', hosts, ...(tls === undefined ? {} : { tls }) } as const;
    const network = await buildServer(house, reach);
    open.push(network);
    await network.listen({ host: address, port });
    if (socket !== undefined) {
      const local = await buildServer(house, { is: 'socket', localName: socket.localName });
      open.push(local);
      await listenLocally(local, socket.path);
    }
    const bound = network.server.address();
    const at = typeof bound === 'object' && bound !== null ? bound.port : port;
    const url = `${tls === undefined ? 'http' : 'https'}://${hostOf(address)}:${at}`;
    const sweep = (): void => {
      sessions.sweep();
      sweeping = clock.after(SWEEP_MS, sweep);
    };
    sweep();
    const first = people.size > 0 ? {} : { firstLink: `${url}/#/first?token=${link.issue()}` };
    return { port: at, url, ...first, close };
  } catch (fault) {
    await close();
    throw fault;
  }
}

/** The folder around it is closed to others already; what an earlier process left there is taken away. */
async function listenLocally(app: FastifyInstance, path: string): Promise<void> {
  rmSync(path, { force: true });
  await app.listen({ path });
  chmodSync(path, 0o600);
}

/** What a browser elsewhere can call the machine by: the address listened on, or, for all of them, the first that has a way out. */
function hostOf(address: string): string {
  const isAny = address === '0.0.0.0' || address === '::';
  const found = isAny
    ? Object.values(networkInterfaces())
        .flat()
        .find((one) => one !== undefined && !one.internal && one.family === 'IPv4')?.address
    : address;
  const host = found ?? '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
