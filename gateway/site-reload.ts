import type { Logger } from 'pino';
import type { Boards, Handsets } from '../config/schema/types.generated.js';
import type { EventDraft } from './calls/ports.js';
import { ConfigFault, formatFaults } from './config/fault.js';
import { loadSite, type SiteFiles } from './config/site.js';
import {
  answerOrder,
  type BoardChange,
  boardChangesBetween,
  type ChangeAnswer,
  changesBetween,
  type FoundOrder,
  type HandsetChange,
  takeOrders,
} from './site-changes.js';

/** A site whose handsets can change while it runs, and that boards can be added to; all else of it stays as it was loaded. */
export class LiveSite {
  /** To be given to every part: `handsets` and `boards` are always what they are now. */
  readonly files: SiteFiles;
  #handsets: Handsets;
  #boards: Boards;

  constructor(files: SiteFiles) {
    this.#handsets = files.handsets;
    this.#boards = files.boards;
    const live = { ...files };
    Object.defineProperty(live, 'handsets', { enumerable: true, get: () => this.#handsets });
    Object.defineProperty(live, 'boards', { enumerable: true, get: () => this.#boards });
    this.files = Object.freeze(live);
  }

  setHandsets(handsets: Handsets): void {
    this.#handsets = handsets;
  }

  setBoards(boards: Boards): void {
    this.#boards = boards;
  }
}

export interface SiteReloadParts {
  readonly live: LiveSite;
  readonly log: Logger;
  /** Has every part take the handsets as they are now, and every live call judged again; returns what a person should know. */
  readonly handsetsChanged: () => readonly string[];
  /** Starts the agents of boards that came. Rejects when one does not start; none of them stays then. */
  readonly startAgents: (boards: Boards) => Promise<void>;
  readonly append: (events: readonly EventDraft[]) => void;
  readonly alarm: (code: string, detail: string) => void;
}

/** What runs on nothing that changes while a gateway runs: these files take a restart. */
const FIXED = ['site', 'wings', 'profiles', 'lists', 'trunks', 'uplink', 'callingHours'] as const;

/**
 * Takes changed handsets, and boards that come with a new agent, while calls run. The whole site is checked as at a start; with any fault nothing is changed. Each
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
    for (const order of this.#take()) this.#append(order, order.changes, order.boards ?? [], { whileStopped: true });
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
    const { handsets: before, boards: held } = live.files;
    const fresh = await loadSite(live.files.folder);
    const comers = boardsToTake(held, fresh.boards);
    this.#checkAgainstRunning(fresh, [...held, ...comers]);
    const changes = changesBetween(before, fresh.handsets);
    if (comers.length > 0) await this.#parts.startAgents(comers);
    live.setBoards([...held, ...comers]);
    live.setHandsets(fresh.handsets);
    let remarks: readonly string[];
    try {
      remarks = this.#parts.handsetsChanged();
    } catch (fault) {
      // The boards stay: their agents run, and a board without handsets is no harm.
      live.setHandsets(before);
      this.#parts.handsetsChanged();
      throw fault;
    }
    const [order] = orders;
    const boards = boardChangesBetween(held, live.files.boards);
    if (order === undefined) this.#append({ by: 'SIGHUP', command: 'reload', notes: [], uid: -1 }, changes, boards, {});
    else {
      this.#append(order, changes, order.boards ?? boards, {});
      for (const other of orders.slice(1)) this.#append(other, [], other.boards ?? [], {});
    }
    const told = [...changes.map(({ handset, what }) => `${handset} ${what}`), ...boards.map(({ board }) => board)];
    log.info({ event: 'site.reloaded', changes: told });
    return { outcome: 'taken', remarks: [...remarks, ...this.#restartRemarks(fresh)] };
  }

  /** A handset may lean on nothing that the running gateway has not loaded. */
  #checkAgainstRunning(fresh: SiteFiles, boards: Boards): void {
    const { wings, profiles } = this.#loaded;
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
    const boards = boardChangesBetween(this.#parts.live.files.boards, fresh.boards).map(({ board }) => board);
    return [
      ...stale.map(
        (name) => `${name === 'callingHours' ? 'calling-hours/' : `${name}.json`} has changed too, and takes a restart`,
      ),
      ...(boards.length === 0
        ? []
        : [
            `boards.json: ${boards.join(', ')} takes a restart of the gateway (systemctl restart balise), which ends every call; other boards go on as they are until then`,
          ]),
    ];
  }

  #take(): readonly FoundOrder[] {
    const { live, alarm } = this.#parts;
    return takeOrders(live.files.dataFolder, (file, why) => alarm('site.order-unreadable', `${file}: ${why}`));
  }

  #append(
    order: Pick<FoundOrder, 'by' | 'command' | 'reason' | 'notes' | 'uid'>,
    changes: readonly HandsetChange[],
    boards: readonly BoardChange[],
    more: Readonly<Record<string, unknown>>,
  ): void {
    const { by, command, reason, notes, uid } = order;
    const who = { by, ...(uid >= 0 ? { uid } : {}), command, ...(reason === undefined ? {} : { reason }), ...more };
    const event = (type: string, data: object): EventDraft => ({ kind: 'event', type, data: { ...who, ...data } });
    this.#parts.append([
      ...changes.map((change) => event('balise.handset.changed', change)),
      ...boards.map((change) => event('balise.board.changed', change)),
      ...notes.map((note) => event('balise.handset.provisioning', note)),
    ]);
  }
}

/**
 * The boards that can come while the gateway runs: each with an agent that has no board yet. A new board of an agent that runs
 * would have to open the relays of its others; where a known board has changed or gone, its port may be the new one's. Pure.
 */
function boardsToTake(held: Boards, fresh: Boards): Boards {
  const changes = boardChangesBetween(held, fresh);
  if (changes.some(({ what }) => what !== 'added')) return [];
  const agents = new Set(held.map(({ agent }) => agent));
  const known = new Set(held.map(({ id }) => id));
  return fresh.filter(({ id, agent }) => !known.has(id) && !agents.has(agent));
}
