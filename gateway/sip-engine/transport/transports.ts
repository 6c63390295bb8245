import { connect, type Socket } from 'node:net';
import type { Limits, ListenerConfig, TransportName } from '../config.js';
import type { Counters } from '../counters.js';
import type { TimerQueues } from '../transaction/timers.js';
import type { Flow } from './flow.js';
import { Listener } from './listener.js';
import { PortProbe } from './probe.js';
import { type OnBroken, TcpConnection } from './tcp-connection.js';

export interface TransportEvents {
  message(text: string, flow: Flow): void;
  /** A peer's port is closed (ICMP). */
  portClosed(address: string, port: number): void;
}

/** Destinations whose last sign of life is remembered; beyond this the memory starts afresh. */
const REMEMBERED = 10_000;
/** A peer that answered within this is not probed, milliseconds. */
const ALIVE_MS = 5_000;

/** All listeners and connections: takes messages in, sends messages out (RFC 3261 §18). */
export class Transports {
  readonly listeners: Listener[];
  readonly #connections = new Map<string, TcpConnection>();
  readonly #all = new Set<TcpConnection>();
  /** How many connections each address has opened to us. */
  readonly #accepted = new Map<string, number>();
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
    this.listeners = configs.map(
      (config) =>
        new Listener(config, {
          datagram: (listener, text, address, port) => {
            this.counters.messagesIn++;
            this.events.message(text, { listener, transport: 'udp', address, port });
          },
          connection: (listener, socket) => this.#accept(listener, socket),
          sendError: () => void this.counters.sendErrors++,
        }),
    );
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
    for (const connection of this.#all) connection.socket.destroy();
    await Promise.all(this.listeners.map((listener) => listener.close()));
  }

  get connectionCount(): number {
    return this.#all.size;
  }

  /** The listener that a new request leaves by: the named one, else the first that speaks the transport. */
  choose(transport: TransportName, name: string | undefined): Listener | undefined {
    if (name === undefined) return this.listeners.find((listener) => listener.has(transport));
    return this.listeners.find((listener) => listener.name === name && listener.has(transport));
  }

  /** Sends a response, or an ACK: nobody is told when it fails. */
  send(flow: Flow, text: string): void {
    this.counters.messagesOut++;
    if (flow.transport === 'udp') flow.listener.sendDatagram(text, flow.address, flow.port);
    else this.#connectionOf(flow)?.send(text);
  }

  /** Sends a request; `onError` is told when it cannot leave or its connection breaks, and never from within this call. */
  sendRequest(flow: Flow, text: string, onError: OnBroken): void {
    this.counters.messagesOut++;
    if (flow.transport === 'udp') {
      flow.listener.sendDatagram(text, flow.address, flow.port, onError);
      const aliveAtMs = this.#aliveAtMs.get(`${flow.address}:${flow.port}`);
      if (aliveAtMs === undefined || this.timers.clock.nowMs() - aliveAtMs > ALIVE_MS) {
        this.#probe.ask(flow.listener, flow.address, flow.port);
      }
      return;
    }
    const connection = this.#connectionOf(flow);
    if (connection === undefined) setImmediate(onError);
    else connection.send(text, onError);
  }

  /** The owner of `onError` needs the connection no longer. */
  forget(flow: Flow, onError: OnBroken): void {
    if (flow.transport === 'tcp') this.#known(flow)?.forget(onError);
  }

  /** A peer has answered. */
  heard(flow: Flow): void {
    if (flow.transport !== 'udp') return;
    if (this.#aliveAtMs.size > REMEMBERED) this.#aliveAtMs.clear();
    this.#aliveAtMs.set(`${flow.address}:${flow.port}`, this.timers.clock.nowMs());
  }

  #known(flow: Flow): TcpConnection | undefined {
    if (flow.connection?.open) return flow.connection;
    const known = this.#connections.get(`${flow.listener.name} ${flow.address}:${flow.port}`);
    return known?.open ? known : undefined;
  }

  #connectionOf(flow: Flow): TcpConnection | undefined {
    const known = this.#known(flow);
    if (known !== undefined) return known;
    if (!this.#hasRoom()) return undefined;
    const { listener, address, port } = flow;
    const socket = connect({ host: address, port, localAddress: listener.address });
    return this.#adopt(listener, socket, address, port);
  }

  #hasRoom(): boolean {
    if (this.#all.size < this.limits.tcpConnections) return true;
    this.counters.tcpRefused++;
    return false;
  }

  #accept(listener: Listener, socket: Socket): void {
    const { remoteAddress: address, remotePort: port } = socket;
    if (address === undefined || port === undefined || !this.#hasRoom()) {
      socket.destroy();
      return;
    }
    const ofAddress = (this.#accepted.get(address) ?? 0) + 1;
    if (ofAddress > this.limits.tcpConnectionsPerAddress) {
      this.counters.tcpRefused++;
      socket.destroy();
      return;
    }
    this.#accepted.set(address, ofAddress);
    socket.once('close', () => {
      const left = (this.#accepted.get(address) ?? 1) - 1;
      if (left > 0) this.#accepted.set(address, left);
      else this.#accepted.delete(address);
    });
    this.#adopt(listener, socket, address, port);
  }

  #adopt(listener: Listener, socket: Socket, address: string, port: number): TcpConnection {
    const key = `${listener.name} ${address}:${port}`;
    const connection = new TcpConnection(
      listener,
      socket,
      { address, port },
      this.limits,
      this.timers,
      this.counters,
      (from, text) => {
        this.counters.messagesIn++;
        this.events.message(text, { listener, transport: 'tcp', address, port, connection: from });
      },
      (closed) => {
        this.#all.delete(closed);
        if (this.#connections.get(key) === closed) this.#connections.delete(key);
      },
    );
    this.#connections.set(key, connection);
    this.#all.add(connection);
    return connection;
  }
}
