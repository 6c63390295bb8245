import type { CheckedEvent } from './checked-event.js';
import type { Database } from './database.js';
import { type StateSaid, type Stored, storeBatch } from './ingest.js';

/** What the database cannot take, and why: an event or a state. */
export interface Unstorable {
  readonly gateway: string;
  readonly what: string;
  readonly why: string;
}

/**
 * Stores a batch as `storeBatch` does. Where the database cannot take something for what is in it, the batch is divided until that
 * one is alone, and the rest is stored: no gateway may keep those of others from being heard. Rejects when the database is at fault.
 */
export async function storeAround(
  db: Database,
  events: readonly CheckedEvent[],
  states: readonly StateSaid[],
  nowMs: number,
  onUnstorable: (one: Unstorable) => void,
): Promise<Stored> {
  try {
    return await storeBatch(db, events, states, nowMs);
  } catch (fault) {
    if (!isOfContent(fault)) throw fault;
    const why = fault instanceof Error ? fault.message : String(fault);
    const [event] = events;
    const [state] = states;
    if (events.length + states.length === 1) {
      if (event !== undefined) onUnstorable({ gateway: event.gateway, what: `event ${event.event.sequence}`, why });
      if (state !== undefined) onUnstorable({ gateway: state.gateway, what: state.topic, why });
      return { fresh: [], duplicates: 0, forks: [] };
    }
    // States apart from events first; then each by halves.
    const [one, two] =
      events.length > 0 && states.length > 0
        ? ([
            [events, []],
            [[], states],
          ] as const)
        : ([
            [half(events, 0), half(states, 0)],
            [half(events, 1), half(states, 1)],
          ] as const);
    const first = await storeAround(db, one[0], one[1], nowMs, onUnstorable);
    const second = await storeAround(db, two[0], two[1], nowMs, onUnstorable);
    return {
      fresh: [...first.fresh, ...second.fresh],
      duplicates: first.duplicates + second.duplicates,
      forks: [...first.forks, ...second.forks],
    };
  }
}

function half<T>(all: readonly T[], which: 0 | 1): readonly T[] {
  const middle = Math.ceil(all.length / 2);
  return which === 0 ? all.slice(0, middle) : all.slice(middle);
}

/** Whether a value is at fault and not the database: PostgreSQL's classes 22, 23 and 54 (Appendix A), or SQLite's like. */
function isOfContent(fault: unknown): boolean {
  if (fault instanceof TypeError || fault instanceof RangeError) return true;
  const code = fault instanceof Error && 'code' in fault ? String(fault.code) : '';
  return /^(22|23|54)[0-9A-Z]{3}$/.test(code) || /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE)/.test(code);
}
