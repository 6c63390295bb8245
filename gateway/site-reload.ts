import type { Logger } from 'pino';
import type { Handsets } from '../config/schema/types.generated.js';
import type { EventDraft } from './calls/ports.js';
import { ConfigFault, formatFaults } from './config/fault.js';
import { loadSite, type SiteFiles } from './config/site.js';
import {
  answerOrder,
  type ChangeAnswer,
  changesBetween,
  type FoundOrder,
  type HandsetChange,
  takeOrders,
} from './site-changes.js';

/** A site whose handsets can change while it runs; everything else of it stays as it was loaded. */
export class LiveSite {
  /** To be given to every part: `handsets` is always what it is now. */
  readonly files: SiteFiles;
  #handsets: Handsets;

  constructor(files: SiteFiles) {
    this.#handsets = files.handsets;
    const live = { ...files };
    Object.defineProperty(live, 'handsets', { enumerable: true, get: () => this.#handsets });
    this.files = Object.freeze(live);
  }

  setHandsets(handsets: Handsets): void {
    this.#handsets = handsets;
  }
}

export interface SiteReloadParts {
  readonly live: LiveSite;
  readonly log: Logger;
  /** Has every part take the handsets as they are now, and every live call judged again; returns what a person should know. */
  readonly handsetsChanged: () => readonly string[];
  readonly append: (events: readonly EventDraft[]) => void;
  readonly alarm: (code: string, detail: string) => void;
}

/** What runs on nothing that changes while a gateway runs: these files take a restart. */
const FIXED = ['site', 'wings', 'profiles', 'lists', 'trunks', 'boards', 'uplink', 'callingHours'] as const;

/**
 * Takes changed handsets while calls run. The whole site is checked as at a start; with any fault nothing is changed. Each
 * change goes into the audit chain: who, what, before, after.
 */
export class SiteReload {
  #last: Promise<void> = Promise.resolve();
  readonly #parts: SiteReloadParts;
  /** The site as it was loaded: what a restart would have taken beside the handsets. */
  readonly #loaded: SiteFiles;

  constructor(parts: SiteReloadParts) {
    this.#parts = parts;
    this.#loaded = { ...parts.live.files };
  }

  /** At a start: what was ordered while no gateway ran is in force already, and goes into the audit chain now. */
  recordWaiting(): void {
    for (const order of this.#take()) this.#append(order, order.changes, { whileStopped: true });
  }

  /** Looks at the site's files now, one look after another. Never rejects: what is wrong is told. */
  reload(): Promise<void> {
    this.#last = this.#last.then(() => this.#reloadOnce());
    return this.#last;
  }

  async #reloadOnce(): Promise<void> {
    const { live, log, alarm } = this.#parts;
    const orders = this.#take();
    let answer: ChangeAnswer;
    try {
      answer = await this.#attempt(orders);
    } catch (fault) {
      const why =
        fault instanceof ConfigFault ? formatFaults(fault) : `${fault instanceof Error ? fault.message : fault}`;
      answer = { outcome: 'refused', remarks: [why] };
      alarm('site.reload-refused', `the site's files are not taken: ${why.split('\n', 1)[0]}`);
      log.error({ event: 'site.reload-refused', err: fault });
    }
    for (const { id } of orders) {
      try {
        answerOrder(live.files.dataFolder, id, answer);
      } catch (fault) {
        log.error({ event: 'site.reload-unanswered', err: fault });
      }
    }
  }

  async #attempt(orders: readonly FoundOrder[]): Promise<ChangeAnswer> {
    const { live, log } = this.#parts;
    const before = live.files.handsets;
    const fresh = await loadSite(live.files.folder);
    this.#checkAgainstRunning(fresh);
    const changes = changesBetween(before, fresh.handsets);
    live.setHandsets(fresh.handsets);
    let remarks: readonly string[];
    try {
      remarks = this.#parts.handsetsChanged();
    } catch (fault) {
      live.setHandsets(before);
      this.#parts.handsetsChanged();
      throw fault;
    }
    const [order] = orders;
    if (order === undefined) this.#append({ by: 'SIGHUP', command: 'reload', notes: [], uid: -1 }, changes, {});
    else {
      this.#append(order, changes, {});
      for (const other of orders.slice(1)) this.#append(other, [], {});
    }
    log.info({ event: 'site.reloaded', changes: changes.map(({ handset, what }) => `${handset} ${what}`) });
    return { outcome: 'taken', remarks: [...remarks, ...this.#restartRemarks(fresh)] };
  }

  /** A handset may lean on nothing that the running gateway has not loaded. */
  #checkAgainstRunning(fresh: SiteFiles): void {
    const { wings, profiles, boards } = this.#loaded;
    const has = (entries: readonly { readonly id: string }[], id: string) => entries.some((entry) => entry.id === id);
    for (const { id, wing, profile, line } of fresh.handsets) {
      const missing =
        (!has(wings, wing) && `wing ${wing}`) ||
        (!has(profiles, profile) && `profile ${profile}`) ||
        (line !== undefined && !has(boards, line.board) && `board ${line.board}`);
      if (missing) throw new Error(`handset ${id} needs ${missing}, which is new: restart the gateway to take it`);
    }
  }

  #restartRemarks(fresh: SiteFiles): string[] {
    const stale = FIXED.filter((name) => JSON.stringify(fresh[name]) !== JSON.stringify(this.#loaded[name]));
    return stale.map(
      (name) => `${name === 'callingHours' ? 'calling-hours/' : `${name}.json`} has changed too, and takes a restart`,
    );
  }

  #take(): readonly FoundOrder[] {
    const { live, alarm } = this.#parts;
    return takeOrders(live.files.dataFolder, (file, why) => alarm('site.order-unreadable', `${file}: ${why}`));
  }

  #append(
    order: Pick<FoundOrder, 'by' | 'command' | 'reason' | 'notes' | 'uid'>,
    changes: readonly HandsetChange[],
    more: Readonly<Record<string, unknown>>,
  ): void {
    const { by, command, reason, notes, uid } = order;
    const who = { by, ...(uid >= 0 ? { uid } : {}), command, ...(reason === undefined ? {} : { reason }), ...more };
    const event = (type: string, data: object): EventDraft => ({ kind: 'event', type, data: { ...who, ...data } });
    this.#parts.append([
      ...changes.map((change) => event('balise.handset.changed', change)),
      ...notes.map((note) => event('balise.handset.provisioning', note)),
    ]);
  }
}
