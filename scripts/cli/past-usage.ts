import { Temporal } from 'temporal-polyfill';
import { NO_USAGE, type PastCall, type Subject, type UsageBook } from '../../gateway/policy/request.js';
import type { LedgerRow } from './site-books.js';

/** The ledger as it stood at instants of the past: what had ended by then is counted, what was up then is up. */
export class PastUsage {
  readonly #bySubject = new Map<string, LedgerRow[]>();

  /** @param rows oldest first; they reach back as far as the longest period of a limit. */
  constructor(rows: readonly LedgerRow[]) {
    for (const row of rows) {
      if (row.attempted === 0) continue;
      const { handset, person, number, campaign } = row;
      for (const [kind, id] of Object.entries({ handset, person, number, campaign })) {
        if (id === null) continue;
        const key = `${kind} ${id}`;
        const known = this.#bySubject.get(key);
        if (known === undefined) this.#bySubject.set(key, [row]);
        else known.push(row);
      }
    }
  }

  /** The ledger at an instant, without the call that is asked about. */
  at(ms: number, call: string): UsageBook {
    const past = ({ kind, id }: Subject): readonly LedgerRow[] =>
      (this.#bySubject.get(`${kind} ${id}`) ?? []).filter((row) => row.startedMs <= ms && row.call !== call);
    return {
      used: (subject, sinceMs) => {
        let { attempts, calls, talkMs, live, liveTalkMs } = NO_USAGE;
        let lastMs = Number.NEGATIVE_INFINITY;
        for (const row of past(subject)) {
          const isLive = row.endedMs > ms;
          if (!isLive) lastMs = Math.max(lastMs, row.endedMs);
          if (!isLive && row.startedMs < sinceMs) continue;
          attempts += 1;
          calls += isLive ? 1 : row.answered;
          talkMs += row.talkMs;
          live += isLive ? 1 : 0;
          liveTalkMs += isLive ? row.talkMs : 0;
        }
        const lastEnded = Number.isFinite(lastMs) && { lastEndedAt: Temporal.Instant.fromEpochMilliseconds(lastMs) };
        return { attempts, calls, talkMs, live, liveTalkMs, ...lastEnded };
      },
      callsSince: (subject, sinceMs) =>
        past(subject)
          .filter((row) => row.endedMs <= ms && row.startedMs >= sinceMs)
          .map(({ startedMs, talkMs, answered }): PastCall => ({ startedMs, talkMs, answered: answered === 1 })),
    };
  }
}
