import { connect, type Socket } from 'node:net';
import { LineReader } from './line-reader.js';
import {
  BEAT_EVERY_MS,
  type Challenged,
  type ControlNotice,
  type ControlOrder,
  type EngineStatus,
  type LostDialog,
  type Proof,
  SILENCE_MS,
} from './protocol.js';

export type { Challenged, EngineStatus, LostDialog, Proof } from './protocol.js';

/** What became of an order; `why` is told by the engine, or says that the engine is lost. */
export type Outcome = { readonly ok: true } | { readonly ok: false; readonly why: string };

/** `status` is the peer's final answer, 408 for none; `challenged` is what it asks for where it does not believe us. */
export type RestoreOutcome =
  | { readonly ok: true; readonly status: number; readonly challenged?: Challenged }
  | { readonly ok: false; readonly why: string };

type Reply = Extract<ControlNotice, { id: number }>;

const LOST = 'the engine is lost';

/**
 * The gateway's end of the engine's control socket. It beats by itself; as long as it lives and beats, the engine's calls
 * may live, and when it stops, they end (with `guard` in the engine's configuration).
 */
export class EngineControl {
  readonly #waiting = new Map<number, (reply: Reply | undefined) => void>();
  readonly #onLost: ((why: string) => void)[] = [];
  readonly #onDeadline: ((dialogId: string, lateMs: number) => void)[] = [];
  readonly #beat: NodeJS.Timeout;
  readonly #silence: NodeJS.Timeout;
  #lastId = 0;
  #lostBy: string | undefined;

  private constructor(readonly socket: Socket) {
    this.#beat = setInterval(() => this.#send({ do: 'beat' }), BEAT_EVERY_MS);
    this.#silence = setTimeout(() => this.#lose('no beat from the engine for 2 s'), SILENCE_MS);
  }

  /** Connects and says hello. Rejects when the socket cannot be reached, the secret is refused, or nobody answers within 2 s. */
  static connect(path: string, secret: string, options: { readonly observer?: boolean } = {}): Promise<EngineControl> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      const reader = new LineReader();
      let control: EngineControl | undefined;
      const patience = setTimeout(() => socket.destroy(new Error('the engine does not answer')), SILENCE_MS);
      socket.setEncoding('utf8');
      socket.once('connect', () => {
        const observer = options.observer === true ? { observer: true } : {};
        socket.write(`${JSON.stringify({ do: 'hello', secret, ...observer })}\n`);
      });
      socket.on('error', (error) => {
        clearTimeout(patience);
        if (control === undefined) reject(error);
      });
      socket.on('close', () => {
        clearTimeout(patience);
        if (control === undefined) reject(new Error('the engine refused the secret'));
        else control.#lose('control connection closed');
      });
      socket.on('data', (chunk: string) => {
        reader.take(chunk, (line) => {
          const notice = JSON.parse(line) as ControlNotice;
          if (control === undefined && notice.event === 'welcome') {
            clearTimeout(patience);
            control = new EngineControl(socket);
            resolve(control);
          } else if (control !== undefined) control.#hear(notice);
        });
      });
    });
  }

  /** Ends the dialog at `atNs` (CLOCK_MONOTONIC, nanoseconds), unless it is set to end sooner. */
  async deadline(dialogId: string, atNs: bigint): Promise<Outcome> {
    const reply = await this.#ask((id) => ({ do: 'deadline', id, dialog: dialogId, atNs: atNs.toString() }));
    return outcome(reply);
  }

  /** Sends the BYE or CANCEL that an engine before this one owed. Answers after 32 s at the latest. */
  async restore(dialog: LostDialog, proof?: Proof): Promise<RestoreOutcome> {
    const reply = await this.#ask((id) => ({ do: 'restore', id, dialog, ...(proof && { proof }) }));
    if (reply?.event === 'restored') {
      const { status, challenged } = reply;
      return { ok: true, status, ...(challenged && { challenged }) };
    }
    return { ok: false, why: reply?.event === 'failed' ? reply.why : LOST };
  }

  /** Ends every dialog of every application. */
  async endAll(reason: string): Promise<Outcome> {
    return outcome(await this.#ask((id) => ({ do: 'end-all', id, reason })));
  }

  /** The engine's counts; undefined when it is lost. */
  async status(): Promise<EngineStatus | undefined> {
    const reply = await this.#ask((id) => ({ do: 'status', id }));
    return reply?.event === 'status' ? reply.status : undefined;
  }

  /** Ends everything and then the engine's process. */
  async retire(): Promise<Outcome> {
    return outcome(await this.#ask((id) => ({ do: 'retire', id })));
  }

  /** Told once, when the connection closes or the engine is silent for 2 s; at once if that has happened already. */
  onLost(tell: (why: string) => void): void {
    if (this.#lostBy === undefined) this.#onLost.push(tell);
    else tell(this.#lostBy);
  }

  /** Told of each dialog that the engine ended at its instant, and how late that was, milliseconds. */
  onDeadline(tell: (dialogId: string, lateMs: number) => void): void {
    this.#onDeadline.push(tell);
  }

  /** Hangs up. With `guard` the engine ends every call. Nobody is told of a loss. */
  close(): void {
    this.#onLost.length = 0;
    this.#lose('closed');
  }

  #ask(order: (id: number) => ControlOrder): Promise<Reply | undefined> {
    if (this.#lostBy !== undefined) return Promise.resolve(undefined);
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#send(order(id));
    });
  }

  /** Orders of one go, such as both deadlines of a call, leave in one piece. */
  #send(order: ControlOrder): void {
    if (this.#lostBy !== undefined) return;
    this.socket.cork();
    this.socket.write(`${JSON.stringify(order)}\n`);
    process.nextTick(() => this.socket.uncork());
  }

  #hear(notice: ControlNotice): void {
    this.#silence.refresh();
    if (notice.event === 'deadline') {
      for (const tell of this.#onDeadline) tell(notice.dialog, notice.lateMs);
    } else if ('id' in notice) {
      this.#waiting.get(notice.id)?.(notice);
      this.#waiting.delete(notice.id);
    }
  }

  #lose(why: string): void {
    if (this.#lostBy !== undefined) return;
    this.#lostBy = why;
    clearInterval(this.#beat);
    clearTimeout(this.#silence);
    this.socket.destroy();
    for (const settle of this.#waiting.values()) settle(undefined);
    this.#waiting.clear();
    for (const tell of this.#onLost) tell(why);
  }
}

function outcome(reply: Reply | undefined): Outcome {
  if (reply?.event === 'done') return { ok: true };
  return { ok: false, why: reply?.event === 'failed' ? reply.why : LOST };
}
