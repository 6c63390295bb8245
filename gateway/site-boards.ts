import type { BoardHealth } from '../config/schema/types.generated.js';
import type { Clock } from './clock/clock.js';
import type { SiteFiles } from './config/site.js';
import type { BoardView } from './console/api/parts.js';
import type { BoardStatus } from './lines/board-status.js';
import { GONE, HEALTH_FILTER, readHealth } from './lines/line-messages.js';

type Board = SiteFiles['boards'][number];

/** What the boards of a site say, for people: the line plane's judgement, and each agent's own figures. */
export class SiteBoards {
  readonly #status = new Map<string, { readonly state: BoardStatus; readonly detail: string }>();
  readonly #health = new Map<string, { readonly at: string; readonly port: string; readonly health: BoardHealth }>();

  constructor(
    private readonly files: SiteFiles,
    private readonly clock: Clock,
  ) {}

  /** The line plane has judged a board. */
  status(board: string, state: BoardStatus, detail = ''): void {
    this.#status.set(board, { state, detail });
  }

  /** Listens to what the agents say of themselves. The bus must have started. */
  listenTo(bus: { subscribe(filter: string, receive: (topic: string, payload: Buffer) => void): void }): void {
    bus.subscribe(HEALTH_FILTER, (_topic, payload) => {
      const said = readHealth(payload);
      // A last will, and what cannot be read, are the line plane's to judge.
      if (said === undefined || said === GONE) return;
      const at = this.clock.wall().toString();
      for (const health of said.boards) this.#health.set(health.board, { at, port: said.port, health });
    });
  }

  view(): readonly BoardView[] {
    return this.files.boards.map((board) => this.#view(board));
  }

  /** Why what a board says of its lines is not believed. */
  detail(board: string): string {
    const { state = 'lost', detail = '' } = this.#status.get(board) ?? {};
    if (detail !== '') return detail;
    return state === 'ok' ? 'nothing is known of this wire yet' : state;
  }

  #view({ id, device, transport }: Board): BoardView {
    const { state, detail } = this.#status.get(id) ?? { state: 'starting', detail: '' };
    const heard = this.#health.get(id);
    const port = transport.kind === 'serial' ? transport.path : `${transport.host}:${transport.port}`;
    return {
      board: id,
      device,
      state,
      detail,
      port,
      handsets: this.files.handsets.filter(({ line }) => line?.board === id).map((handset) => handset.id),
      ...(heard === undefined
        ? {}
        : {
            rttMs: heard.health.rttMs,
            polls: heard.health.polls,
            errors: { ...heard.health.errors },
            watchdog: heard.health.watchdog,
            at: heard.at,
          }),
    };
  }
}
