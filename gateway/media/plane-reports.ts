import type { Logger } from 'pino';
import type { CallEvent, CallSink } from '../calls/ports.js';
import type { CallId } from '../policy/ids.js';

/** How a media plane speaks to the calls, and to whoever starts its process again; the same for either driver. */
export class PlaneReports {
  readonly #log: Logger;
  #sink: CallSink | undefined;
  #onLost: (why: string) => void = () => undefined;

  constructor(log: Logger, sink: CallSink | undefined) {
    this.#log = log;
    this.#sink = sink;
  }

  setSink(sink: CallSink): void {
    this.#sink = sink;
  }

  onLost(lost: (why: string) => void): void {
    this.#onLost = lost;
  }

  /** Never from inside the order itself: what gave it has not finished its own step yet. */
  tell(call: CallId, event: CallEvent): void {
    queueMicrotask(() => this.#sink?.event(call, event));
  }

  fail(call: CallId, code: string, why: string): void {
    this.#log.warn({ event: 'media.failed', call, code, why });
    this.tell(call, { type: 'media-failed', code });
  }

  /** The whole plane is gone: first the calls hear of it, then whoever respawns it. */
  lost(event: 'media.relay-lost' | 'media.rtpengine-lost', why: string): void {
    this.#log.error({ event, why }, 'contact lost');
    this.#sink?.planeLost('media', why);
    this.#onLost(why);
  }
}

/** What the handset is to be answered for the trunk's description: by its 200, or before it, so that it hears what comes early. */
export const connectedBy = (handsetAnswer: string, final: boolean): CallEvent =>
  final ? { type: 'media-connected', handsetAnswer } : { type: 'announcing', answer: handsetAnswer };
