import type { CallSink, LinePlane } from '../calls/ports.js';
import type { Clock, Timer } from '../clock/clock.js';
import { type Deadline, msLeft } from '../clock/deadline.js';
import type { BoardId, CallId, HandsetId, WingId } from '../policy/ids.js';
import type { LineFacts, Lockdown } from '../policy/request.js';
import { AgentContact } from './agent-contact.js';
import { alarmOf, type BoardJudgement, type BoardStatus, judgeBoard, type LineAlarm } from './board-status.js';
import { LeaseBook, REFRESH_MS } from './lease-book.js';
import { Line } from './line.js';
import {
  GONE,
  HEALTH_FILTER,
  leaseText,
  leaseTopic,
  readHealth,
  readState,
  STATE_FILTER,
  subjectOf,
} from './line-messages.js';
import { isAimedAt, isLockedDown } from './lockdown.js';

/** What the line plane needs of the bus; `gateway/bus/` is one. */
export interface LineBus {
  publish(topic: string, payload: string): void;
  subscribe(filter: string, receive: (topic: string, payload: Buffer) => void): void;
}

/** One handset's pair, as it is wired. */
export interface LineFitting {
  readonly handset: HandsetId;
  readonly wing: WingId;
  readonly board: BoardId;
}

export interface BoardFitting {
  readonly board: BoardId;
  readonly agent: string;
  readonly allowNoWatchdog: boolean;
}

export interface LinesOptions {
  readonly clock: Clock;
  readonly bootId: string;
  readonly bus: LineBus;
  readonly sink: CallSink;
  readonly boards: readonly BoardFitting[];
  readonly lines: readonly LineFitting[];
  /** Whether policy lets this handset call at all now: its windows are open. Lockdowns are seen to here. */
  readonly mayCall: (handset: HandsetId) => boolean;
  readonly onAlarm?: (alarm: LineAlarm) => void;
  /** `line/<board>` for headquarters: each change, and the first. */
  readonly onStatus?: (board: BoardId, status: BoardStatus, detail?: string) => void;
  /** What a handset's hook is believed to be: each change; it begins as unknown. */
  readonly onHook?: (handset: HandsetId, hook: LineFacts['hook']) => void;
  /** Off-hook with no call for this long is told as `line.left-off-hook`, milliseconds. */
  readonly leftOffHookMs?: number;
}

/** A cut that no board has confirmed after this long is reported with `relayOpen: false`, milliseconds. */
const CONFIRM_MS = 2_000;
const LEFT_OFF_HOOK_MS = 120_000;
/** At most this many leases in one go, so that a large site does not hold up the event loop. */
const SLICE = 32;

interface Armed {
  readonly handset: HandsetId;
  readonly deadline: Deadline;
  timer: Timer;
  toldDeadline: boolean;
  toldLost: boolean;
}

interface Cut {
  readonly call: CallId;
  readonly sentNs: bigint;
  readonly timer: Timer;
}

/** The line plane: standing leases to the device agents, and what the wires say. */
export class Lines implements LinePlane {
  readonly #options: LinesOptions;
  readonly #clock: Clock;
  readonly #book = new LeaseBook();
  readonly #lines: ReadonlyMap<HandsetId, Line>;
  readonly #boards: ReadonlyMap<BoardId, BoardFitting>;
  readonly #contacts: ReadonlyMap<string, AgentContact>;
  readonly #judged = new Map<BoardId, BoardJudgement>();
  readonly #armed = new Map<CallId, Armed>();
  readonly #cuts = new Map<HandsetId, Cut[]>();
  #lockdowns: readonly Lockdown[] = [];
  #refreshTimer: Timer | undefined;
  #started = false;
  #malformed = 0;

  constructor(options: LinesOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#boards = new Map(options.boards.map((fitting) => [fitting.board, fitting]));
    const offHookMs = options.leftOffHookMs ?? LEFT_OFF_HOOK_MS;
    this.#lines = new Map(
      options.lines.map((fitting) => [
        fitting.handset,
        new Line(fitting, this.#clock, offHookMs, () => this.#leftOffHook(fitting)),
      ]),
    );
    const agents = [...new Set(options.boards.map(({ agent }) => agent))];
    this.#contacts = new Map(
      agents.map((agent) => {
        const boards = options.boards.filter((fitting) => fitting.agent === agent).map(({ board }) => board);
        return [
          agent,
          new AgentContact({ clock: this.#clock, boards, onChange: (why) => this.#contactChanged(boards, why) }),
        ];
      }),
    );
  }

  /** Messages that could not be read. */
  get malformed(): number {
    return this.#malformed;
  }

  /** Begins to lease. The bus must have started; the agents come after this. */
  start(): void {
    const { bus } = this.#options;
    this.#started = true;
    bus.subscribe(STATE_FILTER, (topic, payload) => this.#state(subjectOf(topic) as HandsetId, payload));
    bus.subscribe(HEALTH_FILTER, (topic, payload) => this.#health(subjectOf(topic), payload));
    for (const contact of this.#contacts.values()) contact.start();
    this.#refreshFrom(0);
  }

  /** Opens every relay, so far as anybody listens, and leases no more. */
  stop(): void {
    this.#started = false;
    this.#refreshTimer?.cancel();
    for (const contact of this.#contacts.values()) contact.stop();
    for (const { timer } of this.#armed.values()) timer.cancel();
    for (const cuts of this.#cuts.values()) for (const { timer } of cuts) timer.cancel();
    for (const line of this.#lines.values()) {
      line.stop();
      this.#send(line, false, false);
    }
    this.#armed.clear();
    this.#cuts.clear();
  }

  facts(handset: HandsetId): LineFacts {
    const line = this.#lines.get(handset);
    if (line === undefined) return { fitted: false, hook: 'unknown', supervised: false, relay: 'unknown' };
    const supervised = this.#isSupervised(line);
    return {
      fitted: true,
      hook: supervised ? line.hook : 'unknown',
      supervised,
      relay: supervised ? line.relay : 'unknown',
    };
  }

  /** A handset without a line is armed as well: nothing of it is ours to hold. */
  arm(call: CallId, handset: HandsetId, deadline: Deadline): void {
    const line = this.#lines.get(handset);
    if (line === undefined) {
      this.#tell(call, { type: 'armed', plane: 'line' });
      return;
    }
    if (deadline.bootId !== this.#options.bootId) {
      this.#tell(call, { type: 'arm-failed', plane: 'line', why: 'a deadline of another boot' });
      return;
    }
    const before = this.#armed.get(call);
    before?.timer.cancel();
    const armed: Armed = {
      handset,
      deadline,
      timer: this.#clock.after(msLeft(this.#clock, deadline), () => this.#pressDeadlines(line)),
      toldDeadline: before?.toldDeadline ?? false,
      toldLost: before?.toldLost ?? false,
    };
    this.#armed.set(call, armed);
    line.callBegan();
    this.#pressDeadlines(line);
    this.#tell(call, { type: 'armed', plane: 'line' });
    // What changed while it was ringing is told now: the wire counts from the first word.
    if (!this.#isSupervised(line)) this.#tellLost(call, armed);
    else if (line.hook === 'on') this.#tell(call, { type: 'hook-on' });
  }

  /** Confirmed by the board, read back; or after 2 s not, with an alarm. */
  cut(call: CallId, handset: HandsetId, holdMs: number): void {
    this.#disarm(call, handset);
    const line = this.#lines.get(handset);
    if (line === undefined) {
      this.#tell(call, { type: 'released', plane: 'line', relayOpen: true });
      return;
    }
    this.#book.hold(handset, this.#clock.monotonicNs() + BigInt(Math.ceil(holdMs)) * 1_000_000n);
    const sentNs = this.#send(line, false, true);
    const timer = this.#clock.after(CONFIRM_MS, () => this.#unconfirmed(line, call));
    this.#cuts.set(handset, [...(this.#cuts.get(handset) ?? []), { call, sentNs, timer }]);
  }

  release(call: CallId, handset: HandsetId): void {
    this.#disarm(call, handset);
    this.#tell(call, { type: 'released', plane: 'line', relayOpen: this.facts(handset).relay === 'open' });
  }

  setLockdowns(lockdowns: readonly Lockdown[]): void {
    this.#lockdowns = [...lockdowns];
    this.review();
  }

  endHolds(target: Lockdown['target']): void {
    for (const line of this.#lines.values()) {
      if (!isAimedAt(target, line)) continue;
      this.#book.endHold(line.handset);
      this.#refresh(line);
    }
  }

  /** Asks policy anew for every handset now, and not at the next refresh: a window was changed, a policy came. */
  review(): void {
    for (const line of this.#lines.values()) this.#refresh(line);
  }

  /** The supervisor saw the agent's process end; the last will says the same by itself, a moment later. */
  agentLost(agent: string, why: string): void {
    this.#contacts.get(agent)?.gone(why);
  }

  #isSupervised(line: Line): boolean {
    return this.#judged.get(line.board)?.isUsable === true && line.isKnown;
  }

  #mayCall(line: Line): boolean {
    if (!this.#started || isLockedDown(line, this.#lockdowns, this.#clock.wall())) return false;
    // A board that is not supervised gets no lease: what it would do with it is not known.
    return this.#judged.get(line.board)?.isUsable === true && this.#options.mayCall(line.handset);
  }

  /** Sends this line's lease. Returns its `sentNs`. */
  #send(line: Line, may: boolean, confirm: boolean): bigint {
    const order = this.#book.next(line.handset, this.#clock.monotonicNs(), may);
    this.#options.bus.publish(leaseTopic(line.handset), leaseText(order, this.#options.bootId, confirm));
    return order.sentNs;
  }

  #refresh(line: Line): void {
    if (!this.#started) return;
    this.#pressDeadlines(line, false);
    this.#send(line, this.#mayCall(line), this.#cuts.has(line.handset));
  }

  /** Refreshes a slice of the lines, and the next after its share of the interval. */
  #refreshFrom(start: number): void {
    const lines = [...this.#lines.values()];
    for (const line of lines.slice(start, start + SLICE)) this.#refresh(line);
    const slices = Math.max(1, Math.ceil(lines.length / SLICE));
    const next = start + SLICE >= lines.length ? 0 : start + SLICE;
    this.#refreshTimer = this.#clock.after(REFRESH_MS / slices, () => this.#refreshFrom(next));
  }

  /** Holds the book to each deadline by whichever clock says less, and tells those that have passed. */
  #pressDeadlines(line: Line, send = true): void {
    let changed = false;
    for (const [call, armed] of this.#armed) {
      if (armed.handset !== line.handset) continue;
      const leftMs = msLeft(this.#clock, armed.deadline);
      const endNs = this.#clock.monotonicNs() + BigInt(Math.floor(leftMs * 1e6));
      this.#book.arm(call, line.handset, endNs);
      changed = true;
      if (leftMs > 0 || armed.toldDeadline) continue;
      armed.toldDeadline = true;
      this.#tell(call, { type: 'deadline-passed', by: 'line' });
    }
    if (changed && send) this.#send(line, this.#mayCall(line), this.#cuts.has(line.handset));
  }

  #disarm(call: CallId, handset: HandsetId): void {
    this.#armed.get(call)?.timer.cancel();
    this.#armed.delete(call);
    this.#book.release(call, handset);
    if (this.#book.calls(handset).length === 0) this.#lines.get(handset)?.callEnded();
  }

  #state(handset: HandsetId, payload: Buffer): void {
    const line = this.#lines.get(handset);
    const state = readState(payload);
    if (line === undefined || state === undefined) {
      this.#malformed += 1;
      return;
    }
    if (!this.#started || !line.take(state)) return;
    this.#judge(line.board, '');
    this.#lineChanged(line);
    this.#confirmCuts(line);
  }

  #health(agent: string, payload: Buffer): void {
    const contact = this.#contacts.get(agent);
    const health = readHealth(payload);
    if (contact === undefined || health === undefined) {
      this.#malformed += 1;
      return;
    }
    if (!this.#started) return;
    if (health === GONE) contact.gone('the agent is gone');
    else contact.heard(health);
  }

  #contactChanged(boards: readonly BoardId[], why: string): void {
    for (const board of boards) {
      const { agent } = this.#boards.get(board) ?? {};
      const isThere = agent !== undefined && this.#contacts.get(agent)?.isThere === true;
      for (const line of this.#linesOf(board)) if (!isThere) line.forget();
      this.#judge(board, why);
      for (const line of this.#linesOf(board)) this.#lineChanged(line);
    }
  }

  /** Draws the conclusion for a board, and tells what is new in it. */
  #judge(board: BoardId, why: string): void {
    const { agent = '', allowNoWatchdog = false } = this.#boards.get(board) ?? {};
    const seen = this.#contacts.get(agent)?.board(board);
    const before = this.#judged.get(board);
    // Before the agent's first word, or its failure to come, there is nothing to conclude.
    if (seen === undefined && before === undefined && why === '') return;
    const tamper = this.#linesOf(board).some((line) => line.tamper);
    const detail = why !== '' || before?.status !== 'lost' ? why : (before.detail ?? '');
    const now = judgeBoard(seen, tamper, allowNoWatchdog, detail);
    this.#judged.set(board, now);
    if (before?.status !== now.status || before.detail !== now.detail) {
      this.#options.onStatus?.(board, now.status, now.detail);
    }
    const code = before?.status === now.status ? undefined : alarmOf(now.status);
    if (code !== undefined) this.#options.onAlarm?.({ code, board, detail: now.detail ?? now.status });
    if (now.isUsable && before?.isUsable !== true) for (const line of this.#linesOf(board)) this.#refresh(line);
    if (!now.isUsable && before?.isUsable === true) this.#boardLost(board);
  }

  #boardLost(board: BoardId): void {
    for (const [call, armed] of this.#armed) {
      if (this.#lines.get(armed.handset)?.board === board) this.#tellLost(call, armed);
    }
    // Should it still hear us after all: it is leased nothing more.
    for (const line of this.#linesOf(board)) this.#refresh(line);
  }

  /** Tells what is new of a line's hook. */
  #lineChanged(line: Line): void {
    const hook = this.facts(line.handset).hook;
    if (!line.believe(hook)) return;
    this.#options.onHook?.(line.handset, hook);
    if (hook !== 'on') return;
    for (const [call, armed] of this.#armed) {
      if (armed.handset === line.handset) this.#tell(call, { type: 'hook-on' });
    }
  }

  #confirmCuts(line: Line): void {
    const cuts = this.#cuts.get(line.handset);
    if (cuts === undefined || line.relay !== 'open') return;
    for (const cut of cuts.filter(({ sentNs }) => sentNs <= line.leaseNs)) {
      cut.timer.cancel();
      this.#dropCut(line.handset, cut.call);
      this.#tell(cut.call, { type: 'released', plane: 'line', relayOpen: true });
    }
  }

  #unconfirmed(line: Line, call: CallId): void {
    this.#dropCut(line.handset, call);
    const detail = `no board has confirmed within ${CONFIRM_MS / 1_000} s that the relay is open`;
    this.#options.onAlarm?.({ code: 'line.relay-unconfirmed', handset: line.handset, board: line.board, detail });
    this.#tell(call, { type: 'released', plane: 'line', relayOpen: false });
  }

  #dropCut(handset: HandsetId, call: CallId): void {
    const left = (this.#cuts.get(handset) ?? []).filter((cut) => cut.call !== call);
    if (left.length === 0) this.#cuts.delete(handset);
    else this.#cuts.set(handset, left);
  }

  #leftOffHook({ handset, board }: LineFitting): void {
    this.#options.onAlarm?.({ code: 'line.left-off-hook', handset, board, detail: 'off the hook, and no call' });
  }

  #tellLost(call: CallId, armed: Armed): void {
    if (armed.toldLost) return;
    armed.toldLost = true;
    this.#tell(call, { type: 'controller-lost' });
  }

  #linesOf(board: BoardId): readonly Line[] {
    return [...this.#lines.values()].filter((line) => line.board === board);
  }

  /** Later, and never from within an order: whoever gave it has not finished. */
  #tell(call: CallId, event: Parameters<CallSink['event']>[1]): void {
    this.#clock.after(0, () => this.#options.sink.event(call, event));
  }
}
