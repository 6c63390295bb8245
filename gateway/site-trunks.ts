import type { CallObserver } from './calls/ports.js';
import type { SiteFiles } from './config/site.js';
import type { TrunkView } from './console/api/parts.js';

interface Count {
  attempts: number;
  answered: number;
  failed: number;
  lastFailure?: { readonly at: string; readonly sipStatus: number };
}

/** Ends that the trunk, or whoever is behind it, brought about before an answer. */
const FAILURES: ReadonlySet<string> = new Set(['trunk-failed', 'fault.signalling']);

/** What each trunk came to since the gateway's start. It watches and decides nothing. */
export class SiteTrunks {
  readonly #counts = new Map<string, Count>();

  constructor(private readonly files: SiteFiles) {}

  /** To be given to `calls`. */
  readonly observer: CallObserver = {
    handset: () => undefined,
    cutoff: () => undefined,
    ended: ({ trunk, answeredAt, cause, sipStatus, endedAt }) => {
      if (trunk === undefined) return;
      const count = this.#counts.get(trunk) ?? { attempts: 0, answered: 0, failed: 0 };
      this.#counts.set(trunk, count);
      count.attempts += 1;
      if (answeredAt !== undefined) count.answered += 1;
      else if (FAILURES.has(cause)) {
        count.failed += 1;
        count.lastFailure = { at: endedAt.toString(), sipStatus: sipStatus ?? 0 };
      }
    },
  };

  view(): readonly TrunkView[] {
    return this.files.trunks.map(({ id, host, port, transport }) => ({
      trunk: id,
      address: `${host}:${port}`,
      transport,
      ...{ attempts: 0, answered: 0, failed: 0, ...this.#counts.get(id) },
    }));
  }
}
