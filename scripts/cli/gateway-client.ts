import { existsSync, readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { loadSite } from '../../gateway/config/site.js';
import type { ErrorView } from '../../gateway/console/api/faults.js';
import type { LiveEvents } from '../../gateway/console/api/site.js';
import { CONSOLE_SOCKET } from '../../gateway/console/socket-name.js';
import { runFolderOf } from '../../gateway/supervisor/run-folder.js';
import { UsageFault } from './command.js';

/** Where a production site is, where nothing else is said. */
const USUAL_SITE = '/etc/balise/site';
/** What names the site for every command of a shell. */
export const SITE_VARIABLE = 'BALISE_SITE';
/** No answer for this long, and the gateway is given up, milliseconds. A cut that is not confirmed takes 10 s. */
const ANSWER_MS = 20_000;

/** Nobody answers at the site's socket; the message says what to do. */
export class GatewayAway extends Error {
  override readonly name = 'GatewayAway';
}

/** The gateway answers, and does not do it; the message is its own. */
export class GatewayRefusal extends Error {
  override readonly name = 'GatewayRefusal';
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
  ) {
    super(message);
  }
}

/** One event of the live feed. */
export type LiveEvent = {
  [Name in keyof LiveEvents]: { readonly name: Name; readonly data: LiveEvents[Name] };
}[keyof LiveEvents];

/** The folder of the site that is meant: the one that is named, or $BALISE_SITE, or /etc/balise/site. */
export function siteFolderOf(named: string | undefined): string {
  const found = named ?? process.env[SITE_VARIABLE] ?? (existsSync(USUAL_SITE) ? USUAL_SITE : undefined);
  if (found !== undefined && found !== '') return found;
  throw new UsageFault(`which site? say --site <folder>, or set ${SITE_VARIABLE}; there is none at ${USUAL_SITE}`);
}

/** The gateway that runs on this machine, by its local socket: the API of the console, with an administrator's rights. */
export class GatewayClient {
  constructor(
    /** The site's folder, for messages. */
    readonly folder: string,
    readonly socket: string,
  ) {}

  /** Finds the socket of a site; whether anybody listens shows at the first question. Throws a `ConfigFault` for no site. */
  static async of(folder: string): Promise<GatewayClient> {
    const { dataFolder, runFolder } = await foldersOf(folder);
    return new GatewayClient(folder, join(runFolderOf(dataFolder, runFolder), CONSOLE_SOCKET));
  }

  /** Whether a gateway answers. */
  async isThere(): Promise<boolean> {
    try {
      await this.ask('GET', '/api/status');
      return true;
    } catch (fault) {
      if (fault instanceof GatewayAway) return false;
      throw fault;
    }
  }

  /** Asks one question. Throws `GatewayAway` or `GatewayRefusal`. */
  async ask<T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<T> {
    const response = await this.#send(method, path, body);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const { statusCode = 500 } = response;
    if (statusCode < 400) return JSON.parse(text) as T;
    throw refusalOf(statusCode, text);
  }

  /** The live events, the whole view first, until `signal` or the gateway ends them. */
  async *events(signal?: AbortSignal): AsyncGenerator<LiveEvent> {
    const response = await this.#send('GET', '/api/live', undefined, signal);
    if (response.statusCode !== 200) throw refusalOf(response.statusCode ?? 500, 'no live events');
    let name = '';
    try {
      for await (const line of createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY })) {
        if (line.startsWith('event: ')) name = line.slice(7);
        else if (line.startsWith('data: ')) yield { name, data: JSON.parse(line.slice(6)) } as LiveEvent;
      }
    } catch (fault) {
      // Ended by whoever asked; everything else is a broken connection.
      if (signal?.aborted !== true) throw new GatewayAway(`the gateway went away: ${(fault as Error).message}`);
    } finally {
      response.destroy();
    }
  }

  #send(method: string, path: string, body?: object, signal?: AbortSignal): Promise<IncomingMessage> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((settle, reject) => {
      const outgoing = request(
        {
          socketPath: this.socket,
          method,
          path,
          headers: {
            host: 'localhost',
            'x-balise-user': process.env.SUDO_USER ?? callerName(),
            ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
          },
          ...(signal === undefined ? { timeout: ANSWER_MS } : { signal }),
        },
        settle,
      );
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${ANSWER_MS / 1_000} s`)));
      outgoing.on('error', (fault) => reject(new GatewayAway(this.#why(fault))));
      outgoing.end(payload);
    });
  }

  #why(fault: NodeJS.ErrnoException): string {
    switch (fault.code) {
      case 'ENOENT':
      case 'ECONNREFUSED':
        return `no gateway of the site ${this.folder} runs on this machine: start it (systemctl start balise, or npm start -- --config ${this.folder})`;
      case 'EACCES':
        return `the gateway's socket may be opened by its own user alone: try sudo -u <the gateway's user> balise … (${this.socket})`;
      default:
        return `the gateway does not answer at ${this.socket}: ${fault.message}`;
    }
  }
}

function refusalOf(status: number, text: string): GatewayRefusal {
  let view: Partial<ErrorView> = {};
  try {
    view = JSON.parse(text) as ErrorView;
  } catch {
    // What is no JSON is told as it came.
    return new GatewayRefusal(`the gateway answers ${status}: ${text.slice(0, 200)}`, status, 'fault');
  }
  return new GatewayRefusal(view.error ?? `the gateway answers ${status}`, status, view.code ?? 'fault');
}

/** The two folders alone, so that a running gateway can be asked though somebody has broken a file of the site meanwhile. */
async function foldersOf(folder: string): Promise<{ dataFolder: string; runFolder?: string }> {
  const root = resolve(folder);
  try {
    const { dataFolder = 'data', runFolder } = JSON.parse(readFileSync(join(root, 'site.json'), 'utf8')) as {
      dataFolder?: string;
      runFolder?: string;
    };
    return {
      dataFolder: resolve(root, dataFolder),
      ...(runFolder === undefined ? {} : { runFolder: resolve(root, runFolder) }),
    };
  } catch {
    // It tells every fault with its place.
    const { dataFolder, runFolder } = await loadSite(folder);
    return { dataFolder, ...(runFolder === undefined ? {} : { runFolder }) };
  }
}

/** The user of this process; its number where the machine has no name for it. */
export function callerName(): string {
  try {
    return userInfo().username;
  } catch {
    // A user without an entry in the password file.
    return `uid-${process.getuid?.() ?? 0}`;
  }
}
