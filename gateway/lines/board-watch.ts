import type { AgentHealthMessage } from '../../config/schema/types.generated.js';
import type { Clock } from '../clock/clock.js';
import type { BoardId } from '../policy/ids.js';
import { AgentContact } from './agent-contact.js';
import { alarmOf, type BoardJudgement, judgeBoard } from './board-status.js';
import type { BoardFitting, LinesOptions, PanicTarget } from './fittings.js';

export interface BoardWatchOptions extends Pick<LinesOptions, 'boards' | 'onAlarm' | 'onStatus' | 'onPanic'> {
  readonly clock: Clock;
  /** The case of one of the board's lines is open. */
  readonly hasTamper: (board: BoardId) => boolean;
  /** Nobody speaks for the board any more: what it said of its lines is not believed. */
  readonly onUnspoken: (board: BoardId) => void;
  /** Something that is known of the board may have changed. */
  readonly onJudged: (board: BoardId, was: boolean, isUsable: boolean) => void;
  /** A panic button was pressed or let go. */
  readonly onPanicChange: () => void;
}

/** What every board is worth, by its agent's last word; statuses and alarms go out from here. */
export class BoardWatch {
  readonly #options: BoardWatchOptions;
  readonly #boards = new Map<BoardId, BoardFitting>();
  readonly #contacts = new Map<string, AgentContact>();
  readonly #judged = new Map<BoardId, BoardJudgement>();
  readonly #panics = new Map<BoardId, PanicTarget>();
  #isStarted = false;

  constructor(options: BoardWatchOptions) {
    this.#options = options;
    this.take(options.boards);
  }

  /** Takes boards that came, each with an agent that had none before; those that are known stay as they are. */
  take(fittings: readonly BoardFitting[]): void {
    const comers = fittings.filter(({ board, agent }) => !this.#boards.has(board) && !this.#contacts.has(agent));
    for (const fitting of comers) this.#boards.set(fitting.board, fitting);
    for (const agent of new Set(comers.map((fitting) => fitting.agent))) {
      const boards = comers.filter((fitting) => fitting.agent === agent).map(({ board }) => board);
      const onChange = (why: string) => this.#contactChanged(boards, why);
      const contact = new AgentContact({ clock: this.#options.clock, boards, onChange });
      this.#contacts.set(agent, contact);
      if (this.#isStarted) contact.start();
    }
  }

  start(): void {
    this.#isStarted = true;
    for (const contact of this.#contacts.values()) contact.start();
  }

  stop(): void {
    this.#isStarted = false;
    for (const contact of this.#contacts.values()) contact.stop();
  }

  /** Its lines may be leased, and what it says of them is believed. */
  isUsable(board: BoardId): boolean {
    return this.#judged.get(board)?.isUsable === true;
  }

  /** Those whose panic buttons are pressed now. */
  get panics(): Iterable<PanicTarget> {
    return this.#panics.values();
  }

  /** Takes an agent's health; false for an agent that is none of this site's. */
  heard(agent: string, health: AgentHealthMessage): boolean {
    const contact = this.#contacts.get(agent);
    contact?.heard(health);
    return contact !== undefined;
  }

  /** The agent is gone, by its last will or by its supervisor's word; false for one that is none of this site's. */
  gone(agent: string, why: string): boolean {
    const contact = this.#contacts.get(agent);
    contact?.gone(why);
    return contact !== undefined;
  }

  /** Draws the conclusion for a board, and tells what is new in it. */
  judge(board: BoardId, why: string): void {
    const { onStatus, onAlarm, hasTamper, onJudged } = this.#options;
    const { agent = '', allowNoWatchdog = false } = this.#boards.get(board) ?? {};
    const seen = this.#contacts.get(agent)?.board(board);
    const before = this.#judged.get(board);
    // Before the agent's first word, or its failure to come, there is nothing to conclude.
    if (seen === undefined && before === undefined && why === '') return;
    const detail = why !== '' || before?.status !== 'lost' ? why : (before.detail ?? '');
    const now = judgeBoard(seen, hasTamper(board), allowNoWatchdog, detail);
    this.#judged.set(board, now);
    if (before?.status !== now.status || before.detail !== now.detail) onStatus?.(board, now.status, now.detail);
    const code = before?.status === now.status ? undefined : alarmOf(now.status);
    if (code !== undefined) onAlarm?.({ code, board, detail: now.detail ?? now.status });
    onJudged(board, before?.isUsable === true, now.isUsable);
    this.#lookAtPanic(board, seen?.panic);
  }

  #contactChanged(boards: readonly BoardId[], why: string): void {
    for (const board of boards) {
      const { agent } = this.#boards.get(board) ?? {};
      const isThere = agent !== undefined && this.#contacts.get(agent)?.isThere === true;
      if (!isThere) this.#options.onUnspoken(board);
      this.judge(board, why);
    }
  }

  /** A board that does not answer says nothing of its button: what it said last stands until it answers again. */
  #lookAtPanic(board: BoardId, isPressed: boolean | undefined): void {
    const target = this.#boards.get(board)?.panic;
    if (target === undefined || isPressed === undefined || isPressed === this.#panics.has(board)) return;
    const { onAlarm, onPanic, onPanicChange } = this.#options;
    if (!isPressed) this.#panics.delete(board);
    else {
      this.#panics.set(board, target);
      const whose = target.kind === 'site' ? 'the site' : `wing ${target.wing}`;
      onAlarm?.({ code: 'line.panic', board, detail: `the panic button of ${whose} is pressed` });
      onPanic?.(target, board);
    }
    onPanicChange();
  }
}
