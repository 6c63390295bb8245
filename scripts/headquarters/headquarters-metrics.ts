import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Database } from './records/database.js';

/** Headquarters as Prometheus sees it; names by its conventions (base units, `_total` for counters). */
export class HeadquartersMetrics {
  readonly #registry = new Registry();
  readonly stored = this.#counter('events_stored_total', 'Events stored for the first time.');
  readonly duplicates = this.#counter('events_duplicate_total', 'Events that came again and were dropped.');
  readonly refused = this.#counter('messages_refused_total', 'Messages that were not believed.');
  readonly asked = this.#counter('gaps_asked_total', 'Ranges of events that were asked for again.');
  readonly seconds = new Histogram({
    name: 'balise_headquarters_store_seconds',
    help: 'How long one transaction took.',
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
    registers: [this.#registry],
  });

  /** @param db is asked for what it holds each time that somebody looks. */
  constructor(db: Database) {
    collectDefaultMetrics({ register: this.#registry });
    this.#gauge(db, 'gateways', 'Gateways known.', 'SELECT count(*) AS value FROM gateway');
    this.#gauge(db, 'gateways_silent', 'Gateways not heard.', 'SELECT count(*) AS value FROM gateway WHERE silent = 1');
    this.#gauge(
      db,
      'events_missing',
      'Events known to exist above the whole part of each stream, and what hangs on them.',
      'SELECT coalesce(sum(highest - contiguous), 0) AS value FROM gateway',
    );
    this.#gauge(
      db,
      'alarms_open',
      'Alarms not acknowledged.',
      'SELECT count(*) AS value FROM alarm WHERE acked_ms IS NULL',
    );
  }

  async read(): Promise<{ readonly type: string; readonly text: string }> {
    return { type: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  #counter(name: string, help: string): Counter {
    return new Counter({ name: `balise_headquarters_${name}`, help, registers: [this.#registry] });
  }

  #gauge(db: Database, name: string, help: string, text: string): void {
    new Gauge({
      name: `balise_headquarters_${name}`,
      help,
      registers: [this.#registry],
      async collect() {
        const [row] = await db.all<{ value: number | string }>(text);
        this.set(Number(row?.value ?? 0));
      },
    });
  }
}
