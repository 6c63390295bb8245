import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { MetricsCounts, MetricsSource } from './metrics-source.js';
import { addSipMetrics } from './sip-metrics.js';

/** Everything that Prometheus may read of the gateway, worked out each time that somebody looks. */
export function metricsRegistry(source: MetricsSource, counts: MetricsCounts): Registry {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      ...{ name: `balise_${name}`, help, registers },
      collect() {
        this.set(read());
      },
    });
  };
  const counter = (name: string, help: string, label: string, counted: ReadonlyMap<string, number>): void => {
    new Counter({
      ...{ name: `balise_${name}`, help, labelNames: [label], registers },
      collect() {
        this.reset();
        for (const [value, count] of counted) this.inc({ [label]: value }, count);
      },
    });
  };
  collectDefaultMetrics({ register: registry });
  counter('calls_ended_total', 'Calls by why they ended; refused ones too.', 'cause', counts.ended);
  counter('calls_refused_total', 'Refused calls by rule.', 'rule', counts.refused);
  counter('cutoffs_total', 'Cutoffs by whether every plane confirmed.', 'complete', counts.cutoffs);
  new Counter({
    ...{ name: 'balise_talk_seconds_total', help: 'Talk of all calls.', registers },
    collect() {
      this.reset();
      this.inc(counts.talkedMs / 1_000);
    },
  });
  counter('work_refused_total', 'Refused at the work desk by why.', 'why', counts.workRefused);
  gauge('calls', 'Calls in progress.', () => source.calls());
  gauge('outbox_events', 'Events not yet confirmed by the broker.', () => source.outboxDepth());
  gauge('outbox_last_sequence', 'The number of the last event.', () => source.lastSequence());
  gauge('store_used_bytes', 'What the store holds.', () => source.room().usedBytes);
  gauge('store_free_bytes', 'What the file system has left.', () => source.room().freeBytes);
  gauge('store_has_room', '1: calls are taken. 0: they are refused (store.full).', () => Number(source.room().hasRoom));
  gauge('uplink_connected', '1: the broker is connected.', () => Number(source.isConnected()));
  gauge('clock_trusted', '1: the wall clock is believed.', () => Number(source.isClockTrusted()));
  addSipMetrics(registry, source.sip);
  return registry;
}
