import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { CallObserver } from './calls/ports.js';
import { addSipMetrics, type SipSource } from './sip-metrics.js';
import type { RoomReport } from './store/room.js';

/** What the metrics read each time that somebody looks; each must be cheap. */
export interface MetricsSource {
  calls(): number;
  /** Events written and not confirmed by headquarters' broker. */
  outboxDepth(): number;
  lastSequence(): number;
  room(): RoomReport;
  isConnected(): boolean;
  isClockTrusted(): boolean;
  readonly sip: SipSource;
}

/** The gateway as Prometheus sees it; names by its conventions: base units, `_total` for what only rises. No number, no person. */
export class GatewayMetrics {
  readonly #registry = new Registry();
  readonly #ended = this.#counter('calls_ended_total', 'Calls by why they ended; refused ones too.', ['cause']);
  readonly #refused = this.#counter('calls_refused_total', 'Refused calls by rule.', ['rule']);
  readonly #cutoffs = this.#counter('cutoffs_total', 'Cutoffs by whether every plane confirmed.', ['complete']);
  readonly #talked = this.#counter('talk_seconds_total', 'Talk of all calls.', []);
  readonly #workRefused = this.#counter('work_refused_total', 'Refused at the work desk by why.', ['why']);

  constructor(source: MetricsSource) {
    collectDefaultMetrics({ register: this.#registry });
    this.#gauge('calls', 'Calls in progress.', () => source.calls());
    this.#gauge('outbox_events', 'Events not yet confirmed by the broker.', () => source.outboxDepth());
    this.#gauge('outbox_last_sequence', 'The number of the last event.', () => source.lastSequence());
    this.#gauge('store_used_bytes', 'What the store holds.', () => source.room().usedBytes);
    this.#gauge('store_free_bytes', 'What the file system has left.', () => source.room().freeBytes);
    this.#gauge('store_has_room', '1: calls are taken. 0: they are refused (store.full).', () =>
      Number(source.room().hasRoom),
    );
    this.#gauge('uplink_connected', '1: the broker is connected.', () => Number(source.isConnected()));
    this.#gauge('clock_trusted', '1: the wall clock is believed.', () => Number(source.isClockTrusted()));
    addSipMetrics(this.#registry, source.sip);
  }

  /** To be given to `calls`. */
  readonly observer: CallObserver = {
    handset: () => undefined,
    ended: ({ cause, rule, talkMs }) => {
      this.#ended.inc({ cause });
      if (rule !== undefined) this.#refused.inc({ rule });
      this.#talked.inc(talkMs / 1_000);
    },
    cutoff: (_order, { complete }) => this.#cutoffs.inc({ complete: String(complete) }),
  };

  /** A sign-on was refused at the work desk, or a number was keyed there. */
  workRefused(why: string): void {
    this.#workRefused.inc({ why });
  }

  /** The text that Prometheus reads, and its content type. */
  async read(): Promise<{ readonly type: string; readonly text: string }> {
    return { type: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  #counter(name: string, help: string, labelNames: readonly string[]): Counter {
    return new Counter({ name: `balise_${name}`, help, labelNames: [...labelNames], registers: [this.#registry] });
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name: `balise_${name}`,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read());
      },
    });
  }
}
