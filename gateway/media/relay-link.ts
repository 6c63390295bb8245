import { connect, type Socket } from 'node:net';
import type { Clock, Timer } from '../clock/clock.js';
import {
  type Answer,
  BEAT_MS,
  CONTACT_MS,
  LineSplitter,
  type Notice,
  type OrderBody,
  PROTOCOL_VERSION,
  parseLine,
  type RelaySays,
} from './control-protocol.js';

/** How long an order may take before it has failed. */
export const ORDER_MS = 2_000;

/** An order that brought no answer: the relay said so, it took too long, or it is gone. */
export interface OrderFailed {
  readonly event: 'failed';
  readonly code: string;
  readonly why: string;
}

type AnswerTo<Body extends OrderBody> = Extract<
  Answer,
  {
    event: {
      hello: 'hello';
      open: 'opened';
      connect: 'connected';
      arm: 'armed';
      hold: 'held';
      announce: 'playing';
      ring: 'ringing';
      echo: 'echoing';
      attend: 'attending';
      say: 'saying';
      hush: 'hushed';
      key: 'keyed';
      learn: 'learnt';
      tap: 'tapped';
      measure: 'measured';
      close: 'closed';
      status: 'status';
      retire: 'retiring';
    }[Body['do']];
  }
>;

export interface LinkOptions {
  readonly clock: Clock;
  readonly onNotice: (notice: Exclude<Notice, { event: 'beat' }>) => void;
  /** Called once after a hello, unless `close` came first. */
  readonly onLost: (why: string) => void;
}

interface Waiting {
  readonly settle: (answer: Answer | OrderFailed) => void;
  readonly timeout: Timer;
}

/** The gateway's end of one connection to a relay's process: orders with their answers, beats, and the loss of it. */
export class RelayLink {
  readonly #options: LinkOptions;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #beats: Timer | undefined;
  #silence: Timer | undefined;
  #open = true;
  #greeted = false;

  private constructor(socket: Socket, options: LinkOptions) {
    this.#socket = socket;
    this.#options = options;
    const lines = new LineSplitter();
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      try {
        for (const line of lines.feed(chunk)) this.#take(line);
      } catch (error) {
        this.#lose(String(error));
      }
    });
    socket.on('error', (error) => this.#lose(error.message));
    socket.on('close', () => this.#lose('control connection closed'));
    this.#heard();
    this.#beat();
  }

  /** Connects, and settles when the relay has said hello. Rejects when it cannot be reached or speaks another version. */
  static async connect(path: string, options: LinkOptions): Promise<RelayLink> {
    const socket = await new Promise<Socket>((resolve, reject) => {
      const opening = connect(path, () => {
        opening.removeListener('error', reject);
        resolve(opening);
      });
      opening.once('error', reject);
    });
    const link = new RelayLink(socket, options);
    const hello = await link.order({ do: 'hello', version: PROTOCOL_VERSION });
    if (hello.event === 'hello' && hello.version === PROTOCOL_VERSION) {
      link.#greeted = true;
      return link;
    }
    link.close();
    throw new Error(
      hello.event === 'hello'
        ? `the relay speaks version ${hello.version} of the control protocol, this gateway ${PROTOCOL_VERSION}`
        : `the relay did not say hello: ${hello.why}`,
    );
  }

  /** Sends an order; settles with its answer, or with `failed` after 2 s or when the relay is gone. It never rejects. */
  order<Body extends OrderBody>(body: Body): Promise<AnswerTo<Body> | OrderFailed> {
    if (!this.#open) return Promise.resolve({ event: 'failed', code: 'media.lost', why: 'the relay is gone' });
    this.#lastId++;
    const id = this.#lastId;
    return new Promise((settle) => {
      const timeout = this.#options.clock.after(ORDER_MS, () => {
        this.#waiting.delete(id);
        settle({ event: 'failed', code: 'media.timeout', why: `no answer within ${ORDER_MS} ms` });
      });
      this.#waiting.set(id, { settle: settle as Waiting['settle'], timeout });
      this.#socket.write(`${JSON.stringify({ ...body, id })}\n`);
    });
  }

  get alive(): boolean {
    return this.#open;
  }

  /** Ends contact on purpose: the relay drops every call, and `onLost` is not called. */
  close(): void {
    this.#end('closed');
  }

  #take(line: string): void {
    const said = parseLine(line) as RelaySays | undefined;
    if (said === undefined || !this.#open) return;
    if ('id' in said) {
      const waiting = this.#waiting.get(said.id);
      this.#waiting.delete(said.id);
      waiting?.timeout.cancel();
      waiting?.settle(said);
    } else if (said.event === 'beat') this.#heard();
    else this.#options.onNotice(said);
  }

  #beat(): void {
    this.#socket.write('{"do":"beat"}\n');
    this.#beats = this.#options.clock.after(BEAT_MS, () => this.#beat());
  }

  #heard(): void {
    this.#silence?.cancel();
    this.#silence = this.#options.clock.after(CONTACT_MS, () => this.#lose('no beat for 2 s'));
  }

  #lose(why: string): void {
    if (this.#end(why) && this.#greeted) this.#options.onLost(why);
  }

  #end(why: string): boolean {
    if (!this.#open) return false;
    this.#open = false;
    this.#beats?.cancel();
    this.#silence?.cancel();
    this.#socket.destroy();
    for (const { settle, timeout } of this.#waiting.values()) {
      timeout.cancel();
      settle({ event: 'failed', code: 'media.lost', why });
    }
    this.#waiting.clear();
    return true;
  }
}
