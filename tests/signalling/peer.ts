import { createSocket, type Socket } from 'node:dgram';
import { type AddressInfo, connect, createServer, type Socket as TcpSocket } from 'node:net';
import type { Test } from 'tap';
import { answerTo, headerOf } from '../sip-engine/udp-peer.js';

/** A listener of the gateway that a peer speaks to. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

/** A bare SIP peer at an address of its own: sends texts, keeps what comes, waits for what is expected. */
export class Peer {
  readonly received: string[] = [];
  /** BYEs are answered as they come, so that no test waits for a leg that nobody ends. */
  answersByes = true;
  /** What came and nobody has asked for yet. */
  #unread: string[] = [];
  readonly #heard = new Set<string>();
  readonly #waiting = new Set<() => void>();

  private constructor(
    readonly transport: 'UDP' | 'TCP',
    readonly address: string,
    readonly port: number,
    readonly send: (text: string) => void,
    readonly close: () => void,
  ) {}

  /** A peer that is closed with the test. */
  static async udp(t: Test, address: string, to: Place): Promise<Peer> {
    const socket: Socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, address, resolve));
    const send = (text: string): void => socket.send(Buffer.from(text, 'utf8'), to.port, to.address);
    const peer = new Peer('UDP', address, socket.address().port, send, () => socket.close());
    socket.on('message', (data) => peer.#hear(data.toString('utf8')));
    t.teardown(() => peer.close());
    return peer;
  }

  static async tcp(t: Test, address: string, to: Place): Promise<Peer> {
    const socket: TcpSocket = connect({ host: to.address, port: to.port, localAddress: address });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const send = (text: string): void => void socket.write(text);
    const peer = new Peer('TCP', address, socket.localPort ?? 0, send, () => socket.destroy());
    peer.#listen(socket);
    t.teardown(() => peer.close());
    return peer;
  }

  /** A peer that waits for the gateway to connect to it. */
  static async tcpServer(t: Test, address: string): Promise<Peer> {
    let socket: TcpSocket | undefined;
    const server = createServer((one) => {
      socket = one;
      peer.#listen(one);
    });
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    const { port } = server.address() as AddressInfo;
    const close = (): void => {
      socket?.destroy();
      server.close();
    };
    const peer: Peer = new Peer('TCP', address, port, (text) => void socket?.write(text), close);
    t.teardown(() => peer.close());
    return peer;
  }

  /** Cuts the messages out of a stream by their Content-Length. */
  #listen(socket: TcpSocket): void {
    let buffered = '';
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => {
      buffered += data.toString('utf8');
      for (;;) {
        const head = buffered.indexOf('\r\n\r\n');
        if (head < 0) return;
        const end = head + 4 + Number(headerOf(buffered.slice(0, head + 2), 'Content-Length'));
        if (buffered.length < end) return;
        const text = buffered.slice(0, end);
        buffered = buffered.slice(end);
        this.#hear(text);
      }
    });
  }

  #hear(text: string): void {
    // What is sent again because we were slow to answer is not heard twice; its Via is the same (RFC 3261 §17.2.3).
    const name = `${text.split(' ')[0]} ${headerOf(text, 'Via')}`;
    if (!text.startsWith('SIP/2.0 ') && this.#heard.has(name)) return;
    this.#heard.add(name);
    this.received.push(text);
    this.#unread.push(text);
    if (this.answersByes && text.startsWith('BYE ')) this.send(answerTo(text, '200 OK'));
    for (const wake of this.#waiting) wake();
  }

  /** The first message that `wanted` accepts, of those that nobody has asked for; rejects after `withinMs`. */
  async next(wanted: (text: string) => boolean, withinMs = 20_000): Promise<string> {
    let late = false;
    let wake: () => void = () => undefined;
    const woken = (): void => wake();
    this.#waiting.add(woken);
    const patience = setTimeout(() => {
      late = true;
      wake();
    }, withinMs);
    try {
      for (;;) {
        const at = this.#unread.findIndex(wanted);
        if (at >= 0) return this.#unread.splice(at, 1)[0] ?? '';
        if (late) {
          const there = this.#unread.join('\n---\n');
          throw new Error(`nothing of the kind within ${withinMs} ms; unasked for:\n${there}`);
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      clearTimeout(patience);
      this.#waiting.delete(woken);
    }
  }

  /** The messages of one Call-ID that have come so far. */
  of(callId: string): string[] {
    return this.received.filter((text) => headerOf(text, 'Call-ID') === callId);
  }
}
