import { createServer, type Server, type Socket } from 'node:net';
import { type Answer, CONTACT_MS, LineSplitter, type Notice, parseLine, type RelaySays } from '../control-protocol.js';
import type { RelayClock, RelayTimer } from './clock.js';
import type { Contact } from './lease.js';
import { checkOrder } from './order-check.js';
import type { Relay } from './relay.js';

export interface ControlServerOptions {
  readonly clock: RelayClock;
  /** A path in a folder that only this user may enter. */
  readonly path: string;
  /** Contact was lost: every call is to fall silent now. */
  readonly onLost: (why: string) => void;
  readonly onFault: (why: string) => void;
}

/**
 * The gateway's end of the wire. One client at a time; when it goes, or beats no more for 2 s, contact is lost, and with it
 * every call. Contact can be had again, the calls cannot.
 */
export class ControlServer implements Contact {
  readonly #options: ControlServerOptions;
  readonly #server: Server;
  #relay: Relay | undefined;
  #client: Socket | undefined;
  #watch: RelayTimer | undefined;
  /** In the past while there is no client. */
  untilMs = Number.NEGATIVE_INFINITY;

  constructor(options: ControlServerOptions) {
    this.#options = options;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** Settles when the socket can be connected to. */
  listen(relay: Relay): Promise<void> {
    this.#relay = relay;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.path, () => resolve());
    });
  }

  close(): void {
    this.#watch?.cancel();
    this.#client?.destroy();
    this.#server.close();
  }

  tell(says: RelaySays): void {
    if (this.#client?.writable) this.#client.write(`${JSON.stringify(says)}\n`);
  }

  lose(why: string): void {
    const client = this.#client;
    if (client === undefined) return;
    this.#client = undefined;
    this.untilMs = Number.NEGATIVE_INFINITY;
    this.#watch?.cancel();
    this.#options.onLost(why);
    client.destroy();
  }

  #accept(client: Socket): void {
    client.on('error', (error) => this.#options.onFault(`control connection: ${error.message}`));
    if (this.#client !== undefined) {
      this.#options.onFault('a second client was turned away');
      client.destroy();
      return;
    }
    this.#client = client;
    this.#beat();
    const lines = new LineSplitter();
    client.setEncoding('utf8');
    client.on('data', (chunk: string) => {
      try {
        for (const line of lines.feed(chunk)) this.#take(client, line);
      } catch (error) {
        this.#options.onFault(String(error));
        client.destroy();
      }
    });
    // 'end' is the peer's end of the connection; waiting for 'close' would wait for our own end too.
    for (const gone of ['end', 'close'] as const)
      client.on(gone, () => {
        if (client === this.#client) this.lose('control connection closed');
      });
  }

  #take(client: Socket, line: string): void {
    if (client !== this.#client || this.#relay === undefined) return;
    const said = parseLine(line);
    if (said === undefined) {
      this.#options.onFault('a line that is no JSON object');
      return;
    }
    const order = checkOrder(said);
    if ('fault' in order) {
      this.tell({ event: 'failed', id: order.id, code: 'media.bad-order', why: order.fault });
      return;
    }
    if (order.do === 'beat') {
      this.#beat();
      this.tell({ event: 'beat' } satisfies Notice);
      return;
    }
    void this.#relay.carryOut(order).then((answer: Answer) => {
      // An answer to a client that went away is owed to nobody; its calls are gone.
      if (client === this.#client) this.tell(answer);
    });
  }

  #beat(): void {
    const { clock } = this.#options;
    this.untilMs = clock.now() + CONTACT_MS;
    this.#watch?.cancel();
    this.#watch = clock.after(CONTACT_MS, () => this.lose('no beat'));
  }
}
