import type { Bus } from './bus/bus.js';
import type { CallObserver } from './calls/ports.js';
import type { Clock } from './clock/clock.js';
import type { SiteFiles } from './config/site.js';
import type { UplinkView } from './console/api/parts.js';
import type { RunningConsole } from './console/console.js';
import type { BoardStatus } from './lines/board-status.js';
import { BoardScan } from './site-board-scan.js';
import { SiteBoards } from './site-boards.js';
import type { SiteConsoleParts } from './site-console.js';
import type { SitePolicy } from './site-policy.js';
import { RefusedSeal } from './site-refused.js';
import { SiteTrunks } from './site-trunks.js';
import { type SiteSources, SiteWatch } from './site-watch.js';
import { factWordsOf, WhyBook } from './site-why.js';
import { contactKey } from './store/contact-key.js';
import type { Store } from './store/store.js';
import type { Uplink } from './uplink/uplink.js';

export interface SiteDeskOptions
  extends Pick<SiteSources, 'line' | 'isRegistered' | 'planes' | 'lockdowns' | 'uplink' | 'audioTest'> {
  readonly files: SiteFiles;
  readonly clock: Clock;
  readonly policy: SitePolicy;
  readonly store: Pick<Store, 'whys'>;
}

/** Everything that watches a site for the people who look at it, and the console that shows it to them. */
export class SiteDesk {
  readonly watch: SiteWatch;
  /** Judges in policy's name, and remembers why. */
  readonly judge: WhyBook;
  readonly #options: SiteDeskOptions;
  readonly #boards: SiteBoards;
  readonly #scan: BoardScan;
  readonly #trunks: SiteTrunks;

  constructor(options: SiteDeskOptions) {
    const { files, clock, policy } = options;
    this.#options = options;
    this.#boards = new SiteBoards(files, clock);
    this.#scan = new BoardScan(files, clock, () => this.watch.changed());
    this.#trunks = new SiteTrunks(files);
    this.judge = new WhyBook(policy, options.store.whys, () => new RefusedSeal(contactKey(files.dataFolder)));
    this.watch = new SiteWatch(files, clock, {
      ...options,
      isEnabled: (handset) => policy.compiled.handsets.get(handset)?.enabled === true,
      boards: () => this.#boards.view(),
      facts: (call) => factWordsOf(this.judge.of(call)),
      scan: () => this.#scan.view,
      boardDetail: (board) => this.#boards.detail(board),
    });
  }

  /** To be given to `calls`. */
  get observers(): readonly CallObserver[] {
    const why: CallObserver = {
      handset: () => undefined,
      ended: (record) => this.judge.ended(record),
      cutoff: () => undefined,
    };
    return [why, this.#trunks.observer, this.watch.observer];
  }

  /** The line plane has judged a board. */
  board(board: string, state: BoardStatus, detail?: string): void {
    this.#boards.status(board, state, detail);
    this.watch.changed();
  }

  /** Opens the console; the bus must have started. */
  async open(
    parts: Omit<SiteConsoleParts, 'files' | 'clock' | 'policy' | 'watch' | 'boards' | 'scan' | 'trunks' | 'whys'> & {
      readonly bus: Pick<Bus, 'subscribe'>;
    },
  ): Promise<RunningConsole> {
    const { files, clock, policy } = this.#options;
    this.#boards.listenTo(parts.bus);
    const own = {
      files,
      clock,
      policy,
      watch: this.watch,
      boards: this.#boards,
      scan: this.#scan,
      trunks: this.#trunks,
      whys: this.judge,
    };
    // The web server is loaded when the planes are up: no handset waits for it.
    const { openSiteConsole } = await import('./site-console.js');
    return openSiteConsole({ ...parts, ...own });
  }
}

/** How the way to headquarters stands. */
export function uplinkView({ uplink }: SiteFiles, running: Uplink | undefined, { outbox }: Store): UplinkView {
  const counts = { waiting: outbox.depth(), lastSequence: outbox.last() };
  if (uplink === undefined) return { configured: false, connected: false, ...counts };
  return { configured: true, connected: running?.connected ?? false, broker: uplink.url, ...counts };
}

/** Those who watch calls, as one. */
export function allOf(observers: readonly CallObserver[]): CallObserver {
  return {
    handset: (...said) => {
      for (const one of observers) one.handset(...said);
    },
    ended: (record) => {
      for (const one of observers) one.ended(record);
    },
    cutoff: (...said) => {
      for (const one of observers) one.cutoff(...said);
    },
  };
}
