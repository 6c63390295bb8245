import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server, type Socket as TcpSocket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import type { Limits, ListenerConfig, TransportName } from '../config.js';
import { printHost } from '../message/uri.js';
import { type Credentials, readCredentials } from './credentials.js';

export interface ListenerEvents {
  datagram(listener: Listener, text: string, address: string, port: number): void;
  connection(listener: Listener, transport: 'tcp' | 'tls', socket: TcpSocket): void;
  /** A peer begins a handshake; false, and its socket destroyed, where there is no room for it. */
  handshake(socket: TcpSocket): boolean;
  /** A peer could not agree with us on TLS, or showed no certificate that we trust. */
  handshakeFailed(): void;
  sendError(): void;
}

const RECEIVE_BUFFER = 4 * 1024 * 1024;

/** One address with its sockets: a UDP socket, a TCP server, or both on the same port number; or a TLS server. */
export class Listener {
  readonly name: string;
  readonly address: string;
  port = 0;
  #udp: Socket | undefined;
  #tcp: Server | undefined;
  /** Takes over the sockets of the TCP server; listens to nothing itself. */
  #tls: TlsServer | undefined;
  credentials: Credentials | undefined;
  /** `host` or `host:port` as Via and Contact write it. */
  #sentBy = '';
  #hostPort = '';

  constructor(
    readonly config: ListenerConfig,
    readonly limits: Limits,
    readonly events: ListenerEvents,
  ) {
    this.name = config.name;
    this.address = config.address;
  }

  /** As Via writes it: the port is left out where it is 5060 (RFC 3261 §18.1.1). */
  get sentBy(): string {
    return this.#sentBy;
  }

  /** `host:port`, always with the port, as From and Contact write it. */
  get hostPort(): string {
    return this.#hostPort;
  }

  get family(): 4 | 6 {
    return this.address.includes(':') ? 6 : 4;
  }

  has(transport: TransportName): boolean {
    return this.config.transports.includes(transport);
  }

  /** Opens the sockets. Rejects with the operating system's error where the address or port is not to be had. */
  async open(): Promise<void> {
    // With port 0 the kernel's choice for one transport may be taken for the other: then another is drawn.
    for (let attempt = 1; ; attempt++) {
      try {
        this.port = this.config.port;
        if (this.has('udp')) await this.#openUdp();
        if (this.has('tcp')) await this.#openTcp();
        if (this.has('tls')) await this.#openTls();
        break;
      } catch (error) {
        await this.close();
        if (this.config.port !== 0 || attempt === 20) throw error;
      }
    }
    const host = printHost(this.address);
    this.#hostPort = `${host}:${this.port}`;
    this.#sentBy = this.port === 5060 && !this.has('tls') ? host : this.#hostPort;
  }

  /** Reads the certificates anew: for connections from now on. Throws, and changes nothing, when they cannot be used. */
  reload(): void {
    if (this.config.tls === undefined) return;
    const credentials = readCredentials(this.config.tls);
    this.credentials = credentials;
    const { cert, key, ca } = credentials;
    this.#tls?.setSecureContext({ cert, key, ...(ca && { ca }), minVersion: 'TLSv1.2' });
  }

  #openUdp(): Promise<void> {
    const type = this.address.includes(':') ? 'udp6' : 'udp4';
    const family = type === 'udp6' ? 6 : 4;
    // Addresses are always literal here: the resolver has been asked before, so each datagram is spared a look-up.
    const socket = createSocket({
      type,
      recvBufferSize: RECEIVE_BUFFER,
      lookup: (host, _o, done) => done(null, host, family),
    });
    this.#udp = socket;
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(this.port, this.address, () => {
        this.port = socket.address().port;
        socket.off('error', reject);
        socket.on('error', () => this.events.sendError());
        socket.on('message', (data, from) => {
          this.events.datagram(this, data.toString('latin1'), from.address, from.port);
        });
        resolve();
      });
    });
  }

  #openTcp(): Promise<void> {
    const server = createServer((socket) => this.events.connection(this, 'tcp', socket));
    this.#tcp = server;
    return this.#listen(server);
  }

  async #openTls(): Promise<void> {
    const { tls } = this.config;
    if (tls === undefined) throw new Error(`listener ${this.name}: TLS wants a certificate and a key`);
    const credentials = readCredentials(tls);
    const { cert, key, ca, mutual } = credentials;
    const server = createTlsServer(
      {
        cert,
        key,
        ...(ca && { ca }),
        requestCert: mutual,
        rejectUnauthorized: mutual,
        minVersion: 'TLSv1.2',
      },
      (socket) => this.events.connection(this, 'tls', socket),
    );
    server.on('tlsClientError', () => this.events.handshakeFailed());
    this.#tls = server;
    this.credentials = credentials;
    // A socket is let in before TLS costs anything, and not when its handshake is over: that may never be.
    this.#tcp = createServer((socket) => void (this.events.handshake(socket) && server.emit('connection', socket)));
    await this.#listen(this.#tcp);
  }

  #listen(server: Server): Promise<void> {
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, this.address, () => {
        const place = server.address();
        if (typeof place === 'object' && place !== null) this.port = place.port;
        server.off('error', reject);
        server.on('error', () => this.events.sendError());
        resolve();
      });
    });
  }

  /** Sends one datagram; `onError` hears of a send that the kernel refused, never from within this call. */
  sendDatagram(text: string, address: string, port: number, onError?: () => void): void {
    const udp = this.#udp;
    if (udp === undefined) return;
    const bytes = Buffer.from(text, 'latin1');
    if (onError === undefined) udp.send(bytes, port, address);
    else udp.send(bytes, port, address, (error) => error !== null && onError());
  }

  async close(): Promise<void> {
    const udp = this.#udp;
    const tcp = this.#tcp;
    this.#udp = undefined;
    this.#tcp = this.#tls = undefined;
    await Promise.all([
      new Promise<void>((resolve) => {
        if (udp === undefined) return resolve();
        udp.once('close', resolve);
        try {
          udp.close();
        } catch {
          // It never came to be bound.
          resolve();
        }
      }),
      new Promise<void>((resolve) => {
        if (tcp === undefined) return resolve();
        tcp.close(() => resolve());
      }),
    ]);
  }
}
