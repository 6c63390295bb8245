import { createSocket, type Socket } from 'node:dgram';
import { Inbox } from './inbox.js';

/** A bare SIP peer: sends texts, keeps what comes, waits for what is expected. */
export class UdpPeer {
  readonly receivedAtNs: bigint[] = [];
  readonly #inbox = new Inbox();

  private constructor(
    readonly socket: Socket,
    readonly port: number,
  ) {
    socket.on('message', (data) => {
      this.receivedAtNs.push(process.hrtime.bigint());
      this.#inbox.put(data.toString('latin1'));
    });
  }

  static open(address = '127.0.0.1'): Promise<UdpPeer> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    return new Promise((resolve) => {
      socket.bind(0, address, () => resolve(new UdpPeer(socket, socket.address().port)));
    });
  }

  send(text: string, port: number): void {
    this.socket.send(Buffer.from(text, 'latin1'), port, this.socket.address().family === 'IPv6' ? '::1' : '127.0.0.1');
  }

  /** All that came, in order. */
  get received(): string[] {
    return this.#inbox.received;
  }

  /** The next message that `wanted` accepts, skipping others; rejects after `withinMs`. */
  next(wanted: (text: string) => boolean, withinMs = 5_000): Promise<string> {
    return this.#inbox.next(wanted, withinMs);
  }

  /** The first message from now on that `wanted` accepts, whoever else takes it; rejects after `withinMs`. */
  waitFor(wanted: (text: string) => boolean, withinMs = 5_000): Promise<string> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(patience);
        this.socket.off('message', look);
      };
      const look = (data: Buffer): void => {
        const text = data.toString('latin1');
        if (!wanted(text)) return;
        done();
        resolve(text);
      };
      const patience = setTimeout(() => {
        done();
        reject(new Error(`nothing of the kind within ${withinMs} ms`));
      }, withinMs);
      this.socket.on('message', look);
    });
  }

  /** Keeps the newest `count` messages alone, for runs that last. */
  forget(count: number): void {
    this.receivedAtNs.splice(0, this.#inbox.forget(count));
  }

  close(): void {
    this.socket.close();
  }
}

/** Whether a text is a request of that method. */
export const isRequest =
  (method: string) =>
  (text: string): boolean =>
    text.startsWith(`${method} `);

/** Whether a text is a response of that status, to that method where one is given. */
export const isResponse =
  (status: number, method = '') =>
  (text: string): boolean =>
    text.startsWith(`SIP/2.0 ${status} `) &&
    (method === '' || new RegExp(`\\r\\nCSeq: \\d+ ${method}\\r\\n`, 'i').test(text));

/** The value of the first header of that name. */
export function headerOf(text: string, name: string): string {
  return new RegExp(`\\r\\n${name}[ \\t]*:[ \\t]*([^\\r\\n]*)`, 'i').exec(text)?.[1]?.trim() ?? '';
}

/** Answers a request as a callee: the headers that a response repeats, and what else is given. */
export function answerTo(
  request: string,
  status: string,
  more: readonly string[] = [],
  tag = 'callee',
  body = '',
): string {
  const vias = [...request.matchAll(/\r\nVia: [^\r\n]*/gi)].map((match) => match[0].slice(2));
  const to = headerOf(request, 'To');
  return [
    `SIP/2.0 ${status}`,
    ...vias,
    `From: ${headerOf(request, 'From')}`,
    `To: ${to.includes(';tag=') ? to : `${to};tag=${tag}`}`,
    `Call-ID: ${headerOf(request, 'Call-ID')}`,
    `CSeq: ${headerOf(request, 'CSeq')}`,
    ...more,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

/** An answer to an INVITE that nobody has sent. */
export function strayAnswer(port: number, more: readonly string[]): string {
  return [
    'SIP/2.0 200 OK',
    `Via: SIP/2.0/UDP 127.0.0.1:${port};rport;branch=z9hG4bKforgotten`,
    `From: <sip:us@127.0.0.1:${port}>;tag=ours`,
    'To: <sip:callee@127.0.0.1>;tag=theirs',
    'Call-ID: forgotten',
    'CSeq: 7 INVITE',
    ...more,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}
