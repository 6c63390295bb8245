import type { AgentHealthMessage, BoardHealth } from '../../config/schema/types.generated.js';
import type { Clock, Timer } from '../clock/clock.js';
import type { BoardId } from '../policy/ids.js';

/** No health for this long, and the agent is lost, milliseconds; and how long a first one may take. */
export const SILENCE_MS = 3_000;
export const FIRST_MS = 10_000;

/** What is known of a board by its agent's last word. */
export type BoardSeen = Pick<BoardHealth, 'state' | 'watchdog' | 'why' | 'panic'>;

export interface AgentContactOptions {
  readonly clock: Clock;
  readonly boards: readonly BoardId[];
  /** Something that is known of the boards changed. */
  readonly onChange: (why: string) => void;
}

/** The contact with one agent: whether it is there, and what it last said of its boards. Gone, late or silent is lost. */
export class AgentContact {
  readonly #options: AgentContactOptions;
  readonly #boards = new Map<BoardId, BoardSeen>();
  #silence: Timer | undefined;
  #isThere = false;
  #lastNs = -1n;

  constructor(options: AgentContactOptions) {
    this.#options = options;
  }

  /** From now on an agent that says nothing is a lost one. */
  start(): void {
    this.#listen(FIRST_MS);
  }

  stop(): void {
    this.#silence?.cancel();
    this.#isThere = false;
    this.#boards.clear();
  }

  get isThere(): boolean {
    return this.#isThere;
  }

  /** The agent's last word of a board; undefined when the agent is not there, or has no word of this board yet. */
  board(board: BoardId): BoardSeen | undefined {
    const seen = this.#isThere ? this.#boards.get(board) : undefined;
    return seen?.state === 'starting' ? undefined : seen;
  }

  heard(health: AgentHealthMessage): void {
    const atNs = BigInt(health.atNs);
    // A message of before is not news: it lay in a queue, or came twice.
    if (atNs <= this.#lastNs) return;
    this.#lastNs = atNs;
    const before = this.#isThere ? JSON.stringify([...this.#boards]) : '';
    this.#isThere = true;
    this.#listen(SILENCE_MS);
    this.#boards.clear();
    for (const { board, state, watchdog, why, panic } of health.boards) {
      const id = this.#options.boards.find((one) => one === board);
      if (id === undefined) continue;
      const more = { ...(why === undefined ? {} : { why }), ...(panic === undefined ? {} : { panic }) };
      this.#boards.set(id, { state, watchdog, ...more });
    }
    if (JSON.stringify([...this.#boards]) !== before) this.#options.onChange('');
  }

  /** The agent is gone, by its last will or by its supervisor's word. */
  gone(why: string): void {
    this.#silence?.cancel();
    if (!this.#isThere) return;
    this.#isThere = false;
    this.#boards.clear();
    this.#options.onChange(why);
  }

  #listen(ms: number): void {
    this.#silence?.cancel();
    this.#silence = this.#options.clock.after(ms, () => {
      const wasThere = this.#isThere;
      this.#isThere = false;
      this.#boards.clear();
      this.#options.onChange(wasThere ? `the agent has said nothing for ${ms / 1_000} s` : 'the agent has not come');
    });
  }
}
