import { ClientHub } from './client/client-hub.js';
import { type EngineClock, engineClock } from './clock.js';
import { type EngineConfig, limitsOf, type TransportName, timersOf } from './config.js';
import { ControlServer } from './control/control-server.js';
import { AdmissionDesk } from './core/admission.js';
import { CallEvents } from './core/call-events.js';
import { Endings } from './core/endings.js';
import { NewRequests } from './core/new-requests.js';
import { Orders } from './core/orders.js';
import { carryOut, statusOf } from './core/orders-of-control.js';
import { Proxying } from './core/proxying.js';
import { RequestsIn } from './core/requests-in.js';
import { takeResponse } from './core/responses-in.js';
import type { Room } from './core/room.js';
import { Sessions } from './core/sessions.js';
import { answerFault } from './core/stateless.js';
import { newCounters } from './counters.js';
import { Deadlines } from './dialog/deadlines.js';
import type { Dialog } from './dialog/dialog.js';
import { DialogTable } from './dialog/dialog-table.js';
import { isFault, parseMessage } from './message/parse.js';
import { printHost } from './message/uri.js';
import { TimerQueues } from './transaction/timers.js';
import type { Flow } from './transport/flow.js';
import { createResolver } from './transport/resolver.js';
import { Transports } from './transport/transports.js';

export type { EngineConfig } from './config.js';

/** A listener as it came to be, one entry a transport. */
export interface ListenerFact {
  readonly name: string;
  readonly transport: TransportName;
  readonly address: string;
  readonly port: number;
}

/** What happens to an engine that its log should tell. */
export type EngineEvent =
  | { readonly event: 'engine.application-lost'; readonly dialogs: number }
  | { readonly event: 'engine.unwatched'; readonly why: string; readonly dialogs: number }
  | { readonly event: 'engine.deadline'; readonly dialog: string; readonly lateMs: number };

/** A running engine. */
export interface Engine {
  /** Where applications connect to. */
  readonly client: { readonly address: string; readonly port: number };
  readonly listeners: readonly ListenerFact[];
  /** Counts since the start and what is open now, as the control socket's `status` tells them. */
  status(): Readonly<Record<string, number>>;
  /** Settles when the control socket has ordered the engine to retire. */
  readonly retired: Promise<void>;
  /** Reads the certificates of all TLS listeners, and of the applications' port, anew. Throws, and keeps the old ones, when one cannot be used. */
  reload(): void;
  /** Ends every call that it holds, gives the peers up to 1.5 s to answer, and closes all sockets. */
  close(): Promise<void>;
}

export interface EngineOptions {
  readonly clock?: EngineClock;
  readonly onEvent?: (event: EngineEvent) => void;
}

/** How long a closing engine waits for the answers to its BYEs, milliseconds. */
const CLOSING_MS = 1_500;

/** Starts an engine. Rejects with the operating system's error where an address, port or socket is not to be had. */
export async function createEngine(config: EngineConfig, options: EngineOptions = {}): Promise<Engine> {
  const clock = options.clock ?? engineClock();
  const tell = options.onEvent ?? (() => undefined);
  const limits = limitsOf(config);
  const counters = newCounters();
  const timers = new TimerQueues(clock);
  let admitting = true;
  let closing: Promise<void> | undefined;
  const receive = (text: string, flow: Flow): void => {
    const message = parseMessage(text, limits.message);
    if (isFault(message)) {
      // Bare line ends keep a path open (RFC 5626 §3.5.1), and are no fault.
      if (text.trim() !== '') answerFault(room, flow, message);
    } else if (message.isRequest) requests.take(message, flow);
    else takeResponse(room, endings, message, flow);
  };
  const transports = new Transports(config.listeners, limits, timers, counters, {
    message: receive,
    portClosed: (address, port) => {
      for (const transaction of [...room.clientTransactions.values()]) {
        const { flow } = transaction;
        if (flow.transport === 'udp' && flow.port === port && flow.address === address) transaction.refusedByPort();
      }
    },
  });
  const hub = new ClientHub(config.client, limits.clientFrameBytes, {
    order: (link, order) => orders.take(link, order),
    proxy: (link, order) => orders.proxy(link, order),
    lost: (link) => {
      const dialogs = endings.lost(link);
      // One that is let go of as the engine closes is not lost.
      if (closing === undefined) tell({ event: 'engine.application-lost', dialogs });
    },
    frameRefused: () => void counters.framesRefused++,
    hostPorts: () =>
      facts()
        .map((one) => `${one.transport}/${printHost(one.address)}:${one.port}`)
        .join(','),
  });
  const room: Room = {
    clock,
    timers,
    values: timersOf(config),
    limits,
    counters,
    transports,
    resolve: createResolver(clock, config.dns),
    hub,
    dialogs: new DialogTable(counters),
    clientTransactions: new Map(),
    outgoing: new Map(),
    serverTransactions: new Map(),
    incoming: new Map(),
    admitting: () => admitting,
    desk: new AdmissionDesk(limits, counters, timers),
    calls: new CallEvents(hub, clock),
    get sessions() {
      return sessions;
    },
  };
  const endings = new Endings(room);
  const sessions = new Sessions(room, endings);
  const orders = new Orders(room, endings, new NewRequests(room, endings, config.nextHop), new Proxying(room, endings));
  const requests = new RequestsIn(room, endings);
  const due = (dialog: Dialog, lateMs: number): void => {
    if (dialog.state === 'ending') return;
    endings.end(dialog, 'deadline');
    control?.tellAll({ event: 'deadline', dialog: dialog.id, lateMs });
    tell({ event: 'engine.deadline', dialog: dialog.id, lateMs });
  };
  const deadlines = new Deadlines(clock, due);
  let retire: () => void = () => undefined;
  const retired = new Promise<void>((resolve) => {
    retire = resolve;
  });
  const control =
    config.control &&
    new ControlServer(config.control, timers, {
      order: (order, answer) => carryOut(room, endings, deadlines, retire, order, answer),
      watched: () => {
        admitting = true;
      },
      unwatched: (why) => {
        if (config.guard !== true) return;
        // Whoever was to watch the calls does not: those that are end, and none begins until somebody watches again.
        admitting = false;
        tell({ event: 'engine.unwatched', why, dialogs: endings.endAll('gateway lost') });
      },
    });
  const facts = (): ListenerFact[] =>
    (['tcp', 'udp', 'tls'] as const).flatMap((transport) =>
      transports.listeners
        .filter((listener) => listener.has(transport))
        .map(({ name, address, port }) => ({ name, transport, address, port })),
    );

  try {
    await transports.open();
    await hub.open();
    await control?.open();
  } catch (error) {
    room.desk.close();
    await Promise.all([transports.close(), hub.close()]);
    throw error;
  }
  const close = async (): Promise<void> => {
    admitting = false;
    hub.stopListening();
    endings.endAll('server stops');
    await settled(room);
    deadlines.close();
    room.desk.close();
    for (const dialog of room.dialogs.all()) room.dialogs.remove(dialog);
    await Promise.all([control?.close(), hub.close(), transports.close()]);
    timers.close();
  };
  return {
    client: { address: hub.address, port: hub.port },
    listeners: facts(),
    status: () => statusOf(room),
    retired,
    reload: () => {
      for (const listener of transports.listeners) listener.reload();
      hub.reload();
    },
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** Waits until every dialog is gone, or for as long as a closing engine may. */
function settled(room: Room): Promise<void> {
  if (room.dialogs.size === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const patience = room.clock.after(CLOSING_MS, resolve);
    room.dialogs.onRemoved = () => {
      if (room.dialogs.size > 0) return;
      patience.cancel();
      // The last answer has come; what is written now is to leave before the sockets close.
      setImmediate(resolve);
    };
  });
}
