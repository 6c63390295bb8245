import type { Registry } from 'prom-client';
import type { CallObserver } from './calls/ports.js';
import type { MetricsSource } from './metrics-source.js';

/** One thing by its kinds. */
class Count extends Map<string, number> {
  add(kind: string): void {
    this.set(kind, (this.get(kind) ?? 0) + 1);
  }
}

/** The gateway as Prometheus sees it; names by its conventions: base units, `_total` for what only rises. No number, no person. */
export class GatewayMetrics {
  readonly #counts = {
    ended: new Count(),
    refused: new Count(),
    cutoffs: new Count(),
    workRefused: new Count(),
    talkedMs: 0,
  };
  #registry: Promise<Registry> | undefined;

  constructor(private readonly source: MetricsSource) {}

  /** To be given to `calls`. */
  readonly observer: CallObserver = {
    handset: () => undefined,
    ended: ({ cause, rule, talkMs }) => {
      this.#counts.ended.add(cause);
      if (rule !== undefined) this.#counts.refused.add(rule);
      this.#counts.talkedMs += talkMs;
    },
    cutoff: (_order, { complete }) => this.#counts.cutoffs.add(String(complete)),
  };

  /** A sign-on was refused at the work desk, or a number was keyed there. */
  workRefused(why: string): void {
    this.#counts.workRefused.add(why);
  }

  /** The text that Prometheus reads, and its content type. */
  async read(): Promise<{ readonly type: string; readonly text: string }> {
    const registry = await this.begin();
    return { type: registry.contentType, text: await registry.metrics() };
  }

  /** Loads what makes the text, and begins to measure the process itself; no handset waits for it. */
  begin(): Promise<Registry> {
    this.#registry ??= import('./metrics-registry.js').then((made) => made.metricsRegistry(this.source, this.#counts));
    return this.#registry;
  }
}
