/**
 * What is told while room is short. Calls that were refused are counted by rule and told as one sum; records of calls go without
 * what their media was like. Alarms, records and orders stay whole: what must not be lost is not.
 */
import type { Temporal } from 'temporal-polyfill';
import type { EventDraft } from '../calls/ports.js';
import type { RoomReport } from './room.js';

const REFUSED = 'balise.call.refused';
const ENDED = 'balise.call.ended';

export interface Thinned {
  readonly drafts: readonly EventDraft[];
  /** They are on disk: what was counted counts, what was told is told. */
  readonly written: () => void;
}

export class Thinning {
  #counts = new Map<string, number>();
  #since = '';
  #isThin = false;

  /** The events as they are to be written, and what is to be called once they are. */
  of(drafts: readonly EventDraft[], room: RoomReport, at: Temporal.Instant): Thinned {
    const wasThin = this.#isThin;
    const { isShort, usedBytes, limitBytes, freeBytes } = room;
    if (!isShort && !wasThin) return { drafts, written: () => undefined };
    const data = { usedBytes, limitBytes, freeBytes };
    const turned: EventDraft[] = [];
    if (isShort && !wasThin) {
      const message = 'the disk is nearly full: telemetry is thinned, and calls are refused when it is';
      turned.push({ kind: 'alarm', type: 'balise.alarm.store.short', data: { why: 'store.short', message, ...data } });
    }
    if (!isShort) turned.push(...this.#summary(at), { kind: 'event', type: 'balise.store.roomy', data });
    return {
      drafts: [...turned, ...(isShort ? thinned(drafts) : drafts)],
      written: () => {
        this.#isThin = isShort;
        if (isShort) this.#count(drafts, at);
        else this.#counts = new Map();
      },
    };
  }

  /** A minute has gone: the refusals that were counted and not told, as one event, and whether room has turned. */
  tick(room: RoomReport, at: Temporal.Instant): Thinned {
    const { drafts, written } = this.of([], room, at);
    return {
      drafts: room.isShort ? [...drafts, ...this.#summary(at)] : drafts,
      written: () => {
        written();
        this.#counts = new Map();
      },
    };
  }

  #summary(at: Temporal.Instant): readonly EventDraft[] {
    if (this.#counts.size === 0) return [];
    const byRule = Object.fromEntries([...this.#counts].sort());
    const count = [...this.#counts.values()].reduce((sum, one) => sum + one, 0);
    const data = { from: this.#since, to: at.toString(), count, byRule };
    return [{ kind: 'event', type: 'balise.refusals.counted', data }];
  }

  #count(drafts: readonly EventDraft[], at: Temporal.Instant): void {
    for (const { type, data } of drafts) {
      if (type !== REFUSED) continue;
      if (this.#counts.size === 0) this.#since = at.toString();
      const rule = String(data.rule ?? 'unknown');
      this.#counts.set(rule, (this.#counts.get(rule) ?? 0) + 1);
    }
  }
}

function thinned(drafts: readonly EventDraft[]): readonly EventDraft[] {
  return drafts.flatMap((draft) => {
    if (draft.type === REFUSED) return [];
    if (draft.type !== ENDED) return [draft];
    const { media: _, ...data } = draft.data;
    return [{ ...draft, data }];
  });
}
