import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Limits } from '../config.js';
import type { Counters } from '../counters.js';
import type { QueuedTimer, TimerQueues } from '../transaction/timers.js';
import type { Flow } from './flow.js';
import type { Listener } from './listener.js';
import { type ConnectionEvents, TcpConnection } from './tcp-connection.js';

function keyOf({ listener, transport, address, port }: Flow): string {
  return `${listener.name} ${transport} ${address}:${port}`;
}

/** Both ends of a socket: the same for the socket of a handshake and for the one that comes of it. */
function pathOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return `${localAddress}:${localPort} ${remoteAddress}:${remotePort}`;
}

interface Handshake {
  readonly socket: Socket;
  readonly timer: QueuedTimer;
}

/** All connections of all listeners: those that peers opened, and those that we opened. */
export class Connections {
  /** By where they lead to. A connection that a peer opened leads to the port that it came from, which is nobody's listener. */
  readonly #byPlace = new Map<string, TcpConnection>();
  /** Connections that an authenticated peer lends for requests to its listener (RFC 5923 §5), by that listener. */
  readonly #aliases = new Map<string, TcpConnection>();
  readonly #all = new Set<TcpConnection>();
  /** TLS handshakes that have begun and are not over, by their path. */
  readonly #handshakes = new Map<string, Handshake>();
  /** How many connections each address has opened to us. */
  readonly #accepted = new Map<string, number>();

  constructor(
    readonly limits: Limits,
    readonly timers: TimerQueues,
    readonly counters: Counters,
    readonly onMessage: (text: string, flow: Flow) => void,
  ) {}

  /** How many there are, those in a handshake included. */
  get size(): number {
    return this.#all.size + this.#handshakes.size;
  }

  close(): void {
    for (const connection of this.#all) connection.socket.destroy();
    for (const { socket } of this.#handshakes.values()) socket.destroy();
  }

  /** The open connection that a flow may use, if there is one. */
  known(flow: Flow): TcpConnection | undefined {
    if (flow.connection?.open) return flow.connection;
    const key = keyOf(flow);
    const lent = this.#aliases.get(key);
    if (lent?.open && lent.isFor(flow.serverName ?? flow.address)) return lent;
    const known = this.#byPlace.get(key);
    return known?.open ? known : undefined;
  }

  /** The connection of a flow, opened where there is none; undefined when there are too many. */
  of(flow: Flow): TcpConnection | undefined {
    const known = this.known(flow);
    if (known !== undefined) return known;
    if (!this.#hasRoom()) return undefined;
    // The connection of a request is gone: its response goes to where the Via says that requests are taken.
    const to = flow.returnPort === undefined ? flow : { ...flow, port: flow.returnPort, connection: undefined };
    const again = to === flow ? undefined : this.known(to);
    return again ?? this.#adopt(to, this.#dial(to));
  }

  /** A peer has opened a connection; one by TLS has been let in when its handshake began. */
  accept(listener: Listener, transport: 'tcp' | 'tls', socket: Socket): void {
    const { remoteAddress: address, remotePort: port } = socket;
    if (address === undefined || port === undefined) socket.destroy();
    else if (transport === 'tls' ? this.#shaken(pathOf(socket)) : this.#letIn(socket))
      this.#adopt({ listener, transport, address, port }, socket);
    else socket.destroy();
  }

  /** A peer begins a TLS handshake, which holds a place and must not last. False, and the socket destroyed, without room. */
  begin(socket: Socket): boolean {
    if (!this.#letIn(socket)) {
      socket.destroy();
      return false;
    }
    const path = pathOf(socket);
    const onTimer = (): void => {
      this.counters.tcpSlow++;
      socket.destroy();
    };
    const timer = this.timers.start(this.limits.tcpMessageMs, { onTimer }, 'handshake');
    this.#handshakes.set(path, { socket, timer });
    socket.once('close', () => this.#shaken(path));
    return true;
  }

  /** A handshake is over; false when there was none. */
  #shaken(path: string): boolean {
    this.#handshakes.get(path)?.timer.cancel();
    return this.#handshakes.delete(path);
  }

  /** Counts a connection of a peer for as long as it is open; false where there are too many. */
  #letIn(socket: Socket): boolean {
    const { remoteAddress: address } = socket;
    if (address === undefined || !this.#hasRoom()) return false;
    const ofAddress = (this.#accepted.get(address) ?? 0) + 1;
    if (ofAddress > this.limits.tcpConnectionsPerAddress) {
      this.counters.tcpRefused++;
      return false;
    }
    this.#accepted.set(address, ofAddress);
    socket.once('close', () => {
      const left = (this.#accepted.get(address) ?? 1) - 1;
      if (left > 0) this.#accepted.set(address, left);
      else this.#accepted.delete(address);
    });
    return true;
  }

  /**
   * A request asks that its connection be used for requests to `port` of its sender as well. That is granted to a peer whose
   * certificate we have checked, and to nobody else: any client could take another's calls by it (RFC 5923 §9.1).
   */
  alias(flow: Flow, port: number): void {
    const { connection } = flow;
    if (connection === undefined || !connection.authenticated) {
      this.counters.aliasesRefused++;
      return;
    }
    const key = keyOf({ ...flow, port });
    this.#aliases.set(key, connection);
    connection.socket.once('close', () => {
      if (this.#aliases.get(key) === connection) this.#aliases.delete(key);
    });
  }

  #dial({ listener, transport, address, port, serverName }: Flow): Socket {
    const where = { host: address, port, localAddress: listener.address };
    const { credentials } = listener;
    if (transport !== 'tls' || credentials === undefined) return connect(where);
    const { cert, key, ca } = credentials;
    // Without a name the certificate must be for the address.
    const name = serverName === undefined ? {} : { servername: serverName };
    return connectTls({ ...where, ...name, cert, key, ...(ca && { ca }), minVersion: 'TLSv1.2' });
  }

  #hasRoom(): boolean {
    if (this.size < this.limits.tcpConnections) return true;
    this.counters.tcpRefused++;
    return false;
  }

  #adopt(to: Flow, socket: Socket): TcpConnection {
    const { listener, transport, address, port } = to;
    const key = keyOf(to);
    const events: ConnectionEvents = {
      message: (connection, text) => this.onMessage(text, { listener, transport, address, port, connection }),
      closed: (connection) => {
        this.#all.delete(connection);
        if (this.#byPlace.get(key) === connection) this.#byPlace.delete(key);
      },
    };
    const connection = new TcpConnection(
      listener,
      socket,
      address,
      port,
      this.limits,
      this.timers,
      this.counters,
      events,
    );
    this.#byPlace.set(key, connection);
    this.#all.add(connection);
    return connection;
  }
}
