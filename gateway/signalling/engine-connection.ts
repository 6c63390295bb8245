import type { EventEmitter } from 'node:events';
import type Srf from 'drachtio-srf';
import type { Logger } from 'pino';
import { EngineControl } from '../sip-engine/control/client.js';
import { JudgedSrf } from './judged-srf.js';

/** Where the SIP server is reached. */
export interface EnginePlace {
  readonly client: { readonly host: string; readonly port: number; readonly secret: string };
  /** Absent with a real drachtio server, which has no control socket. */
  readonly control?: { readonly socket: string; readonly secret: string };
  /** The listener on the cell's side: what comes in elsewhere is no handset. */
  readonly cell: { readonly address: string; readonly port: number };
}

export interface EngineHooks {
  /** Sets the routes of a fresh application, before it connects. */
  readonly routes: (srf: JudgedSrf) => void;
  /** The engine ended a dialog at its deadline. */
  readonly deadline: (dialogId: string) => void;
  /** A request has met a fault of ours, and was answered 500. */
  readonly fault: (fault: unknown, request: Srf.SrfRequest) => void;
  /** Either connection has closed, or the engine is silent; said once an attachment. */
  readonly lost: (why: string) => void;
}

/** The way to the SIP server: a drachtio application on it and, with our own engine, a client of its control socket. */
export class EngineConnection {
  readonly #log: Logger;
  readonly #hooks: EngineHooks;
  #srf: JudgedSrf | undefined;
  #control: EngineControl | undefined;
  #cell = '';

  constructor(log: Logger, hooks: EngineHooks) {
    this.#log = log;
    this.#hooks = hooks;
  }

  get srf(): JudgedSrf | undefined {
    return this.#srf;
  }

  get control(): EngineControl | undefined {
    return this.#control;
  }

  /** Joins an engine that has just been started. Rejects when it cannot be reached. */
  async attach(place: EnginePlace): Promise<void> {
    this.detach();
    const { address, port } = place.cell;
    // A listener on every address is known by its port alone.
    this.#cell = ['0.0.0.0', '::'].includes(address) ? `:${port}` : `${address}:${port}`;
    const srf = new JudgedSrf(this.#hooks.fault);
    this.#hooks.routes(srf);
    if (place.control !== undefined) {
      const control = await EngineControl.connect(place.control.socket, place.control.secret);
      control.onLost((why) => this.#lost(srf, why));
      control.onDeadline((dialogId) => this.#hooks.deadline(dialogId));
      this.#control = control;
    }
    await new Promise<void>((resolve, reject) => {
      srf.once('connect', (error: unknown) => (error ? reject(error) : resolve()));
      srf.once('error', reject);
      // Without attempts of its own to come back: who is lost has a successor, and the owner attaches to that.
      srf.connect({ ...place.client, reconnect: { maxAttempts: 1 } } as Srf.SrfConfig);
    });
    this.#srf = srf;
    srf.on('error', (error: Error) => this.#lost(srf, error.message));
    (srf as unknown as EventEmitter).on('close', () => this.#lost(srf, 'the client connection closed'));
  }

  /** Lets go of the engine on purpose: nobody is told. */
  detach(): void {
    const srf = this.#srf;
    this.#srf = undefined;
    this.#control?.close();
    this.#control = undefined;
    try {
      srf?.disconnect();
    } catch (error) {
      // drachtio-srf asserts that its socket is there, and learns of its end a turn of the loop after us.
      this.#log.debug({ event: 'engine.detach', why: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Whether a request came in on the cell's listener. */
  isFromCell(request: Srf.SrfRequest): boolean {
    const { receivedOn } = request as Srf.SrfRequest & { receivedOn?: string };
    return (
      receivedOn === undefined ||
      (this.#cell.startsWith(':') ? receivedOn.endsWith(this.#cell) : receivedOn === this.#cell)
    );
  }

  #lost(srf: Srf, why: string): void {
    if (this.#srf !== srf) return;
    this.detach();
    this.#hooks.lost(why);
  }
}
