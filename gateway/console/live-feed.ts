import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../clock/clock.js';
import type { ErrorCode } from './api/faults.js';
import type { HandsetView } from './api/handsets.js';
import type { LiveEvents, SiteView } from './api/site.js';
import type { Session } from './sessions.js';
import type { ConsoleSource } from './source.js';

/** How often the view is compared with the one before while somebody looks, milliseconds. */
const LOOK_MS = 1_000;
/** After something happened, so that what happens together is told together, milliseconds. */
const SOON_MS = 30;
/** A line that says nothing, so that a connection that has died is found out, milliseconds. */
const COMMENT_MS = 15_000;
/** A client with more than this unread is let go; it comes back to a fresh view. Bytes. */
const MOST_UNREAD = 512 * 1024;
export const MOST_CLIENTS = 64;

interface Client {
  readonly response: ServerResponse;
  readonly session: Session | undefined;
}

export interface LiveFeedOptions {
  readonly clock: Clock;
  readonly source: Pick<ConsoleSource, 'view' | 'listen'>;
  /** Whether a session's time is not over. */
  readonly isAlive: (session: Session) => boolean;
  /** For tests. Bytes. */
  readonly mostUnread?: number;
}

/** One event as it stands on the wire (HTML standard, server-sent events). */
function eventText<Name extends keyof LiveEvents>(name: Name, value: LiveEvents[Name]): string {
  return `event: ${name}\ndata: ${JSON.stringify(value)}\n\n`;
}

/** What is compared of a handset: the seconds that run down are not news. */
const newsOf = ({ leftS, ...rest }: HandsetView): string => JSON.stringify(rest);

/** Tells everybody who looks on what changes. Nothing is worked out while nobody does; one view is compared for all of them. */
export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #clients = new Set<Client>();
  /** What was told last, by event and, for handsets, by id. */
  readonly #told = new Map<string, string>();
  #unlisten: (() => void) | undefined;
  #look: Timer | undefined;
  #soon: Timer | undefined;
  #comment: Timer | undefined;
  #dropped = 0;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** Clients that were let go because they did not read. */
  get dropped(): number {
    return this.#dropped;
  }

  get isFull(): boolean {
    return this.#clients.size >= MOST_CLIENTS;
  }

  /** Begins to write to a response whose head has been sent: the whole view, then whatever changes. */
  add(response: ServerResponse, session: Session | undefined): void {
    const client: Client = { response, session };
    const view = this.#options.source.view();
    if (this.#clients.size === 0) this.#begin(view);
    this.#clients.add(client);
    response.on('close', () => this.#remove(client));
    // A peer that resets the connection is one that has gone.
    response.on('error', () => this.#remove(client));
    this.#write(client, `retry: 2000\n\n${eventText('view', view)}`);
  }

  /** The session was ended: whoever looks on by it is told so, and let go. */
  sessionEnded(session: Session, code: ErrorCode = 'session.none'): void {
    for (const client of [...this.#clients]) if (client.session === session) this.#bye(client, code);
  }

  stop(): void {
    for (const client of [...this.#clients]) {
      client.response.end();
      this.#remove(client);
    }
  }

  #begin(view: SiteView): void {
    const { clock, source } = this.#options;
    this.#told.clear();
    for (const [key, , text] of parts(view)) this.#told.set(key, text);
    this.#unlisten = source.listen({
      changed: () => {
        this.#soon ??= clock.after(SOON_MS, () => {
          this.#soon = undefined;
          this.#compare();
        });
      },
      ended: (ended) => this.#tell(eventText('ended', ended)),
      alarm: (alarm) => this.#tell(eventText('alarm', alarm)),
    });
    const look = (): void => {
      this.#look = clock.after(LOOK_MS, look);
      this.#compare();
    };
    this.#look = clock.after(LOOK_MS, look);
    const comment = (): void => {
      this.#comment = clock.after(COMMENT_MS, comment);
      for (const client of [...this.#clients]) {
        if (client.session !== undefined && !this.#options.isAlive(client.session)) this.#bye(client, 'session.none');
      }
      this.#tell(':\n\n');
    };
    this.#comment = clock.after(COMMENT_MS, comment);
  }

  #compare(): void {
    for (const [key, event, text] of parts(this.#options.source.view())) {
      if (this.#told.get(key) === text) continue;
      this.#told.set(key, text);
      this.#tell(event());
    }
  }

  #tell(text: string): void {
    for (const client of [...this.#clients]) this.#write(client, text);
  }

  #write(client: Client, text: string): void {
    const { response } = client;
    if (response.writableLength > (this.#options.mostUnread ?? MOST_UNREAD)) {
      this.#dropped += 1;
      this.#remove(client);
      response.destroy();
      return;
    }
    response.write(text);
  }

  #bye(client: Client, code: ErrorCode): void {
    client.response.end(eventText('bye', { code }));
    this.#remove(client);
  }

  #remove(client: Client): void {
    if (!this.#clients.delete(client) || this.#clients.size > 0) return;
    for (const timer of [this.#look, this.#soon, this.#comment]) timer?.cancel();
    this.#soon = undefined;
    this.#unlisten?.();
    this.#unlisten = undefined;
  }
}

/** A view in the parts that are told one by one: a key, the event, and what it is compared by. */
function parts(view: SiteView): readonly (readonly [key: string, event: () => string, compared: string])[] {
  const { planes, boards, scan, uplink, handsets, wings, cut, clock } = view;
  return [
    // What has no event of its own is told by a whole view.
    ['site', () => eventText('view', view), JSON.stringify([wings, cut, clock])],
    ['planes', () => eventText('planes', planes), JSON.stringify(planes)],
    ['boards', () => eventText('boards', boards), JSON.stringify(boards)],
    ...(scan === undefined ? [] : [['scan', () => eventText('scan', scan), JSON.stringify(scan)] as const]),
    ['uplink', () => eventText('uplink', uplink), JSON.stringify(uplink)],
    ...handsets.map((one) => [`handset ${one.handset}`, () => eventText('handset', one), newsOf(one)] as const),
  ];
}
