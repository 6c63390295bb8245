import type { Temporal } from 'temporal-polyfill';
import type { CallObserver } from './calls/ports.js';
import type { Clock } from './clock/clock.js';
import type { SiteFiles } from './config/site.js';
import type { EndedView, HandsetView, PlaneView, SiteView } from './console/site-view.js';
import { type HandsetId, handsetId } from './policy/ids.js';
import type { LineFacts } from './policy/request.js';

const MOST_SHOWN = 50;

interface Shown {
  phase: HandsetView['phase'];
  call?: string;
  until?: Temporal.Instant;
}

/** What the rest of the gateway says of a handset at the moment it is asked. */
export interface SiteSources {
  readonly line: (handset: HandsetId) => LineFacts;
  readonly isRegistered: (handset: HandsetId) => boolean;
  readonly planes: () => readonly PlaneView[];
}

/** Remembers what the technicians' page shows: phases, the last calls, the last alarms. It watches and decides nothing. */
export class SiteWatch {
  readonly #phases = new Map<string, Shown>();
  readonly #ended: EndedView[] = [];
  readonly #alarms: { at: string; code: string; detail: string }[] = [];

  constructor(
    private readonly files: SiteFiles,
    private readonly clock: Clock,
    private readonly sources: SiteSources,
  ) {}

  /** To be given to `calls`. */
  readonly observer: CallObserver = {
    handset: (handset, phase, { call, until }) => {
      if (phase === 'ended' || phase === 'idle') this.#phases.delete(handset);
      else this.#phases.set(handset, { phase, call, ...(until && { until }) });
    },
    ended: (record) => {
      const { call, handset, endedAt, cause, rule, fact, talkMs } = record;
      this.#ended.unshift({
        call,
        handset,
        at: endedAt.toString(),
        cause,
        talkS: Math.round(talkMs / 1000),
        ...(rule !== undefined && { rule }),
        ...(fact !== undefined && { fact }),
      });
      this.#ended.length = Math.min(this.#ended.length, MOST_SHOWN);
    },
    cutoff: (order, result) => this.alarm('cutoff', `${order.reason}: ${result.calls} calls cut, by ${order.by}`),
  };

  alarm(code: string, detail: string): void {
    this.#alarms.unshift({ at: this.clock.wall().toString(), code, detail });
    this.#alarms.length = Math.min(this.#alarms.length, MOST_SHOWN);
  }

  view(): SiteView {
    const { site } = this.files;
    const now = this.clock.wall();
    const trust = this.clock.trust();
    return {
      site: site.site,
      gateway: site.gateway,
      at: now.toString(),
      clock: trust.trusted ? 'clock trusted' : `clock not trusted: ${trust.why}`,
      planes: this.sources.planes(),
      handsets: this.files.handsets.map(({ id, wing }) => this.#handset(id, wing, now)),
      ended: this.#ended,
      alarms: this.#alarms,
    };
  }

  #handset(id: string, wing: string, now: Temporal.Instant): HandsetView {
    const { fitted, hook, relay } = this.sources.line(handsetId(id));
    const shown = this.#phases.get(id);
    const until = shown?.phase === 'talking' ? shown.until : undefined;
    return {
      handset: id,
      wing,
      phase: shown?.phase ?? 'idle',
      hook: fitted ? hook : 'none',
      relay: fitted ? relay : 'none',
      registered: this.sources.isRegistered(handsetId(id)),
      ...(shown?.call !== undefined && { call: shown.call }),
      ...(until && { leftS: Math.max(0, Math.floor((until.epochMilliseconds - now.epochMilliseconds) / 1000)) }),
    };
  }
}
