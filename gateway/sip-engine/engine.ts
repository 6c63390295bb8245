import { ClientHub } from './client/client-hub.js';
import { type EngineClock, engineClock } from './clock.js';
import { type EngineConfig, limitsOf, timersOf } from './config.js';
import { Endings } from './core/endings.js';
import { OpenRequests } from './core/open-requests.js';
import { Orders } from './core/orders.js';
import { RequestsIn } from './core/requests-in.js';
import { takeResponse } from './core/responses-in.js';
import type { Room } from './core/room.js';
import { answerFault } from './core/stateless.js';
import { type Counters, newCounters } from './counters.js';
import { DialogTable } from './dialog/dialog-table.js';
import { isFault, parseMessage } from './message/parse.js';
import { printHost } from './message/uri.js';
import { TimerQueues } from './transaction/timers.js';
import type { Flow } from './transport/flow.js';
import { systemResolver } from './transport/resolver.js';
import { Transports } from './transport/transports.js';

export type { EngineConfig } from './config.js';

/** A listener as it came to be, one entry a transport. */
export interface ListenerFact {
  readonly name: string;
  readonly transport: 'udp' | 'tcp';
  readonly address: string;
  readonly port: number;
}

/** A running engine. */
export interface Engine {
  /** Where applications connect to. */
  readonly client: { readonly address: string; readonly port: number };
  readonly listeners: readonly ListenerFact[];
  readonly counters: Readonly<Counters>;
  /** Ends every call that it holds, gives the peers up to 2 s to answer, and closes all sockets. */
  close(): Promise<void>;
}

/** How long a closing engine waits for the answers to its BYEs, milliseconds. */
const CLOSING_MS = 2_000;

/** Starts an engine. Rejects with the operating system's error where an address or port is not to be had. */
export async function createEngine(config: EngineConfig, clock: EngineClock = engineClock()): Promise<Engine> {
  const limits = limitsOf(config);
  const counters = newCounters();
  const timers = new TimerQueues(clock);
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
    lost: (link) => endings.lost(link),
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
    resolve: systemResolver,
    hub,
    dialogs: new DialogTable(counters),
    clientTransactions: new Map(),
    outgoing: new Map(),
    serverTransactions: new Map(),
    incoming: new Map(),
  };
  const endings = new Endings(room);
  const orders = new Orders(room, endings);
  const requests = new RequestsIn(room, endings, new OpenRequests(limits.openPerAddress));
  const facts = (): ListenerFact[] =>
    (['tcp', 'udp'] as const).flatMap((transport) =>
      transports.listeners
        .filter((listener) => listener.has(transport))
        .map(({ name, address, port }) => ({ name, transport, address, port })),
    );

  await transports.open();
  try {
    await hub.open();
  } catch (error) {
    await transports.close();
    throw error;
  }
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    hub.stopListening();
    endings.endAll('server stops');
    await settled(room);
    await Promise.all([hub.close(), transports.close()]);
    timers.close();
  };
  return {
    client: { address: hub.address, port: hub.port },
    listeners: facts(),
    counters,
    close: () => (closing ??= close()),
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
