import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { Clock, Timer } from '../../clock/clock.js';
import { type Bencoded, bdecode, bencode } from './bencode.js';

/** An order is sent again this often, and given up after this long, milliseconds. The daemon answers a repeated cookie from memory. */
const AGAIN_MS = 250;
const GIVE_UP_MS = 2_000;

export type NgFields = Readonly<Record<string, Bencoded>>;

export interface NgFailed {
  readonly result: 'failed';
  readonly code: string;
  readonly why: string;
}

export type NgAnswer = { readonly result: 'ok'; readonly fields: NgFields } | NgFailed;

interface Waiting {
  readonly settle: (answer: NgAnswer) => void;
  again: Timer;
  readonly giveUp: Timer;
}

/** One end of rtpengine's ng protocol: a cookie, a blank and a bencoded dictionary in each datagram. */
export class NgClient {
  readonly #clock: Clock;
  readonly #socket: Socket;
  readonly #port: number;
  readonly #address: string;
  readonly #waiting = new Map<string, Waiting>();
  /** Nobody else can guess what an answer of ours is called. */
  readonly #name = randomBytes(8).toString('hex');
  #last = 0;
  #open = true;

  private constructor(clock: Clock, socket: Socket, address: string, port: number) {
    this.#clock = clock;
    this.#socket = socket;
    this.#address = address;
    this.#port = port;
    socket.on('message', (message, from) => {
      if (from.port === port) this.#take(message.toString('latin1'));
    });
    // A daemon that is away shows in orders that nobody answers.
    socket.on('error', () => undefined);
  }

  static async open(clock: Clock, address: string, port: number): Promise<NgClient> {
    const family = isIPv6(address) ? 6 : 4;
    // The daemon is named by its address: what is sent is on its way before `ask` returns, and before `close` after it.
    const socket = createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      lookup: (host, _options, found) => found(null, host, family),
    });
    // With such a lookup it may listen before `bind` returns.
    const listening = once(socket, 'listening');
    socket.bind(0);
    await listening;
    return new NgClient(clock, socket, address, port);
  }

  /** Sends a command; settles with its answer, or with `media.timeout` after 2 s. It never rejects. */
  ask(command: string, fields: NgFields = {}): Promise<NgAnswer> {
    if (!this.#open) return Promise.resolve({ result: 'failed', code: 'media.lost', why: 'the client is closed' });
    this.#last++;
    const cookie = `${this.#name}_${this.#last}`;
    const datagram = Buffer.from(`${cookie} ${bencode({ ...fields, command })}`, 'latin1');
    const send = (): void => this.#socket.send(datagram, this.#port, this.#address);
    return new Promise((settle) => {
      const again = (): Timer =>
        this.#clock.after(AGAIN_MS, () => {
          send();
          waiting.again = again();
        });
      const giveUp = this.#clock.after(GIVE_UP_MS, () =>
        this.#settle(cookie, { result: 'failed', code: 'media.timeout', why: `no answer within ${GIVE_UP_MS} ms` }),
      );
      const waiting: Waiting = { settle, again: again(), giveUp };
      this.#waiting.set(cookie, waiting);
      send();
    });
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const cookie of [...this.#waiting.keys()])
      this.#settle(cookie, { result: 'failed', code: 'media.lost', why: 'the client is closed' });
    this.#socket.close();
  }

  #take(text: string): void {
    const blank = text.indexOf(' ');
    const cookie = text.slice(0, blank);
    if (!this.#waiting.has(cookie)) return;
    this.#settle(cookie, read(text.slice(blank + 1)));
  }

  #settle(cookie: string, answer: NgAnswer): void {
    const waiting = this.#waiting.get(cookie);
    this.#waiting.delete(cookie);
    waiting?.again.cancel();
    waiting?.giveUp.cancel();
    waiting?.settle(answer);
  }
}

function read(text: string): NgAnswer {
  let value: Bencoded;
  try {
    value = bdecode(text);
  } catch (error) {
    return { result: 'failed', code: 'media.rtpengine', why: `no bencoding: ${String(error)}` };
  }
  if (typeof value !== 'object' || Array.isArray(value))
    return { result: 'failed', code: 'media.rtpengine', why: 'no dictionary' };
  const fields = value as NgFields;
  if (fields.result === 'ok' || fields.result === 'pong') return { result: 'ok', fields };
  return { result: 'failed', code: 'media.rtpengine', why: String(fields['error-reason'] ?? fields.result) };
}
