import type { Limits, ListenerConfig, TransportName } from '../config.js';
import type { Counters } from '../counters.js';
import type { TimerQueues } from '../transaction/timers.js';
import { Connections } from './connections.js';
import type { Flow } from './flow.js';
import { Listener } from './listener.js';
import { PortProbe } from './probe.js';
import type { OnBroken } from './tcp-connection.js';

export interface TransportEvents {
  message(text: string, flow: Flow): void;
  /** A peer's port is closed (ICMP). */
  portClosed(address: string, port: number): void;
}

/** Destinations whose last sign of life is remembered; beyond this the memory starts afresh. */
const REMEMBERED = 10_000;
/** Anybody may write it into a URI or send from it, and the kernel takes no message to it: node:dgram throws. */
const NO_PORT = 0;
/** A peer that answered within this is not probed, milliseconds. */
const ALIVE_MS = 5_000;

/** All listeners and connections: takes messages in, sends messages out (RFC 3261 §18). */
export class Transports {
  readonly listeners: Listener[];
  readonly connections: Connections;
  readonly #probe: PortProbe;
  readonly #aliveAtMs = new Map<string, number>();

  constructor(
    configs: readonly ListenerConfig[],
    readonly limits: Limits,
    readonly timers: TimerQueues,
    readonly counters: Counters,
    readonly events: TransportEvents,
  ) {
    this.#probe = new PortProbe(timers, (address, port) => events.portClosed(address, port));
    const take = (text: string, flow: Flow): void => {
      this.counters.messagesIn++;
      this.events.message(text, flow);
    };
    this.connections = new Connections(limits, timers, counters, take);
    const listening = {
      datagram: (listener: Listener, text: string, address: string, port: number) =>
        take(text, { listener, transport: 'udp', address, port }),
      connection: (listener: Listener, transport: 'tcp' | 'tls', socket: Parameters<Connections['accept']>[2]) =>
        this.connections.accept(listener, transport, socket),
      handshake: (socket: Parameters<Connections['begin']>[0]) => this.connections.begin(socket),
      handshakeFailed: () => void this.counters.tlsRefused++,
      sendError: () => void this.counters.sendErrors++,
    };
    this.listeners = configs.map((config) => new Listener(config, limits, listening));
  }

  async open(): Promise<void> {
    const opened: Listener[] = [];
    try {
      for (const listener of this.listeners) {
        await listener.open();
        opened.push(listener);
      }
    } catch (error) {
      for (const listener of opened) await listener.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#probe.close();
    this.connections.close();
    await Promise.all(this.listeners.map((listener) => listener.close()));
  }

  /** The listener that a new request leaves by: the named one, else the first that speaks the transport and the address family. */
  choose(transport: TransportName, name: string | undefined, family?: 4 | 6): Listener | undefined {
    const fits = (listener: Listener): boolean => listener.has(transport) && (!family || listener.family === family);
    if (name === undefined) return this.listeners.find(fits);
    return this.listeners.find((listener) => listener.name === name && fits(listener));
  }

  /** Sends a response, or an ACK: nobody is told when it fails. */
  send(flow: Flow, text: string): void {
    if (flow.port === NO_PORT) {
      this.counters.sendErrors++;
      return;
    }
    this.counters.messagesOut++;
    if (flow.transport === 'udp') flow.listener.sendDatagram(text, flow.address, flow.port);
    else this.connections.of(flow)?.send(text);
  }

  /** Sends a request; `onError` is told when it cannot leave or its connection breaks, and never from within this call. */
  sendRequest(flow: Flow, text: string, onError: OnBroken): void {
    if (flow.port === NO_PORT) {
      this.counters.sendErrors++;
      setImmediate(onError);
      return;
    }
    this.counters.messagesOut++;
    if (flow.transport === 'udp') {
      flow.listener.sendDatagram(text, flow.address, flow.port, onError);
      const aliveAtMs = this.#aliveAtMs.get(`${flow.address}:${flow.port}`);
      if (aliveAtMs === undefined || this.timers.clock.nowMs() - aliveAtMs > ALIVE_MS) {
        this.#probe.ask(flow.listener, flow.address, flow.port);
      }
      return;
    }
    const connection = this.connections.of(flow);
    if (connection === undefined) setImmediate(onError);
    else connection.send(text, onError);
  }

  /** The owner of `onError` needs the connection no longer. */
  forget(flow: Flow, onError: OnBroken): void {
    if (flow.transport !== 'udp') this.connections.known(flow)?.forget(onError);
  }

  /** A peer has answered. */
  heard(flow: Flow): void {
    if (flow.transport !== 'udp') return;
    if (this.#aliveAtMs.size > REMEMBERED) this.#aliveAtMs.clear();
    this.#aliveAtMs.set(`${flow.address}:${flow.port}`, this.timers.clock.nowMs());
  }
}
