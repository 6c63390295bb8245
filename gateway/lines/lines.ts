import type { CallSink, LinePlane } from '../calls/ports.js';
import type { Clock, Timer } from '../clock/clock.js';
import { type Deadline, msLeft } from '../clock/deadline.js';
import type { BoardId, CallId, HandsetId } from '../policy/ids.js';
import type { LineFacts, Lockdown } from '../policy/request.js';
import { BoardWatch } from './board-watch.js';
import { CONFIRM_MS, Cuts } from './cuts.js';
import type { LineFitting, LinesOptions } from './fittings.js';
import { Keypads } from './keypads.js';
import { LeaseBook, REFRESH_MS } from './lease-book.js';
import { Line } from './line.js';
import {
  GONE,
  HEALTH_FILTER,
  KEY_FILTER,
  leaseText,
  leaseTopic,
  readHealth,
  readKey,
  readState,
  STATE_FILTER,
  subjectOf,
} from './line-messages.js';
import { LineSet } from './line-set.js';
import { type LineTest, StateWaits, testLine } from './line-test.js';
import { isAimedAt, isLockedDown } from './lockdown.js';

/** Those that have keys. */
const padded = (fittings: readonly LineFitting[]): readonly HandsetId[] =>
  fittings.filter(({ hasKeypad }) => hasKeypad).map(({ handset }) => handset);

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

/** The line plane: standing leases to the device agents, and what the wires say. */
export class Lines implements LinePlane {
  readonly #options: LinesOptions;
  readonly #clock: Clock;
  readonly #book = new LeaseBook();
  readonly #lines: LineSet;
  readonly #boards: BoardWatch;
  readonly #keypads: Keypads;
  /** Lines that a technician tests now, and are not leased. */
  readonly #tested = new Set<HandsetId>();
  readonly #waits: StateWaits;
  readonly #armed = new Map<CallId, Armed>();
  readonly #cuts: Cuts;
  #lockdowns: readonly Lockdown[] = [];
  #refreshTimer: Timer | undefined;
  #started = false;
  #malformed = 0;

  constructor(options: LinesOptions) {
    this.#options = options;
    this.#clock = options.clock;
    const offHookMs = options.leftOffHookMs ?? LEFT_OFF_HOOK_MS;
    this.#lines = new LineSet(
      (fitting, sinceNs) => new Line(fitting, this.#clock, offHookMs, () => this.#leftOffHook(fitting), sinceNs),
    );
    // The states that the bus kept over a restart are older than this, and are of these wires.
    this.#lines.fit(options.lines, new Set(), -1n);
    this.#waits = new StateWaits(this.#clock);
    this.#cuts = new Cuts(this.#clock, (line, call, isOpen) => this.#cutSettled(line, call, isOpen));
    this.#boards = new BoardWatch({
      ...options,
      hasTamper: (board) => this.#lines.on(board).some((line) => line.tamper),
      onUnspoken: (board) => {
        for (const line of this.#lines.on(board)) line.forget();
      },
      onJudged: (board, was, isUsable) => this.#boardJudged(board, was, isUsable),
      onPanicChange: () => this.review(),
    });
    this.#keypads = new Keypads(padded(options.lines), options.bus, {
      clock: this.#clock,
      mayDial: (handset) => this.facts(handset).hook === 'off' && this.#book.calls(handset).length === 0,
      dial: (handset, digits) => options.onKeyed?.(handset, digits),
      takesKey: options.takesKey,
      isCode: options.isCode,
    });
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
    bus.subscribe(KEY_FILTER, (topic, payload) => this.#key(subjectOf(topic) as HandsetId, payload));
    this.#boards.start();
    this.#refreshFrom(0);
  }

  /** Opens every relay, so far as anybody listens, and leases no more. */
  stop(): void {
    this.#started = false;
    this.#refreshTimer?.cancel();
    this.#boards.stop();
    for (const { timer } of this.#armed.values()) timer.cancel();
    this.#cuts.stop();
    this.#keypads.stop();
    for (const line of this.#lines.all()) {
      line.stop();
      this.#send(line, false, false);
    }
    this.#armed.clear();
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
    this.#cuts.add(line, call, this.#send(line, false, true));
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
    for (const line of this.#lines.all()) {
      if (!isAimedAt(target, line)) continue;
      this.#book.endHold(line.handset);
      this.#refresh(line);
    }
  }

  /** Asks policy anew for every handset now, and not at the next refresh: a window was changed, a policy came. */
  review(): void {
    for (const line of this.#lines.all()) this.#refresh(line);
  }

  /**
   * Takes the lines as they are wired now. A wire that is there no more is opened at once; one that is in `shut` is opened, is
   * leased nothing and is not believed, because its agent does not know it yet. Calls on either are told that it is lost.
   */
  fit(fittings: LinesOptions['lines'], shut = new Set<HandsetId>(), boards: LinesOptions['boards'] = []): void {
    this.#boards.take(boards);
    const { gone, shut: closed } = this.#lines.fit(fittings, shut, this.#clock.monotonicNs());
    for (const line of gone) {
      this.#send(line, false, false);
      line.stop();
    }
    this.#keypads.fit(padded(fittings));
    for (const line of gone) if (line.believe('unknown')) this.#options.onHook?.(line.handset, 'unknown');
    const lost = new Set([...gone, ...closed].map(({ handset }) => handset));
    for (const [call, armed] of this.#armed) if (lost.has(armed.handset)) this.#tellLost(call, armed);
    for (const line of this.#lines.all()) {
      this.#lineChanged(line);
      this.#refresh(line);
    }
  }

  /** The supervisor saw the agent's process end; the last will says the same by itself, a moment later. */
  agentLost(agent: string, why: string): void {
    this.#boards.gone(agent, why);
  }

  /** Tests an idle line: opens its relay, gives it back, and tells what the board read back of both. */
  async test(handset: HandsetId): Promise<LineTest> {
    const line = this.#lines.get(handset);
    if (this.#tested.has(handset) || this.#waits.has(handset)) {
      return { outcome: 'busy', hook: this.facts(handset).hook };
    }
    return testLine({
      clock: this.#clock,
      facts: () => this.facts(handset),
      isInCall: () => this.#book.calls(handset).length > 0,
      open: () => {
        this.#tested.add(handset);
        const sentNs = line === undefined ? 0n : this.#send(line, false, true);
        return () => line !== undefined && line.relay === 'open' && line.leaseNs >= sentNs;
      },
      close: () => {
        this.#tested.delete(handset);
        if (line !== undefined) this.#refresh(line);
        return line !== undefined && this.#mayCall(line);
      },
      until: (reached, ms) => this.#waits.until(handset, reached, ms),
    });
  }

  /** Says something on the display of a handset that has one; as much of it as fits. */
  say(handset: HandsetId, text: string): void {
    this.#keypads.show(handset, { text });
  }

  /** The handset's call is over, and its keys dial again; `why` goes to the display of one that has one. */
  callOver(handset: HandsetId, why: string): void {
    this.#keypads.over(handset, why);
  }

  #isSupervised(line: Line): boolean {
    return this.#boards.isUsable(line.board) && line.isKnown && !this.#lines.isShut(line);
  }

  #mayCall(line: Line): boolean {
    if (!this.#started || isLockedDown(line, this.#lockdowns, this.#clock.wall())) return false;
    if (this.#tested.has(line.handset) || this.#lines.isShut(line)) return false;
    for (const target of this.#boards.panics) if (isAimedAt(target, line)) return false;
    // A board that is not supervised gets no lease: what it would do with it is not known.
    return this.#boards.isUsable(line.board) && this.#options.mayCall(line.handset);
  }

  /** Sends this line's lease. Returns its `sentNs`. */
  #send(line: Line, may: boolean, confirm: boolean): bigint {
    const order = this.#book.next(line.handset, this.#clock.monotonicNs(), may);
    this.#options.bus.publish(leaseTopic(line.handset), leaseText(order, this.#options.bootId, confirm));
    this.#keypads.light(line.handset, order.connected, this.#book.calls(line.handset).length > 0);
    return order.sentNs;
  }

  #refresh(line: Line): void {
    if (!this.#started) return;
    this.#pressDeadlines(line, false);
    this.#send(line, this.#mayCall(line), this.#cuts.has(line.handset));
  }

  /** Refreshes a slice of the lines, and the next after its share of the interval. */
  #refreshFrom(start: number): void {
    const lines = this.#lines.all();
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
    this.#boards.judge(line.board, '');
    this.#lineChanged(line);
    this.#cuts.look(line);
    this.#waits.look(handset);
  }

  #health(agent: string, payload: Buffer): void {
    const health = readHealth(payload);
    if (health === undefined) {
      this.#malformed += 1;
      return;
    }
    if (!this.#started) return;
    const isOurs = health === GONE ? this.#boards.gone(agent, 'the agent is gone') : this.#boards.heard(agent, health);
    if (!isOurs) this.#malformed += 1;
  }

  #key(handset: HandsetId, payload: Buffer): void {
    const key = readKey(payload);
    if (key === undefined || !this.#started || !this.#keypads.press(handset, key)) this.#malformed += 1;
  }

  #boardJudged(board: BoardId, was: boolean, isUsable: boolean): void {
    if (isUsable && !was) {
      for (const line of this.#lines.on(board)) {
        // Whoever comes back knows of no lamp.
        this.#keypads.forgetLamp(line.handset);
        this.#refresh(line);
      }
    }
    if (!isUsable && was) this.#boardLost(board);
    for (const line of this.#lines.on(board)) this.#lineChanged(line);
  }

  #boardLost(board: BoardId): void {
    for (const [call, armed] of this.#armed) {
      if (this.#lines.get(armed.handset)?.board === board) this.#tellLost(call, armed);
    }
    // Should it still hear us after all: it is leased nothing more.
    for (const line of this.#lines.on(board)) this.#refresh(line);
  }

  /** Tells what is new of a line's hook. */
  #lineChanged(line: Line): void {
    const hook = this.facts(line.handset).hook;
    if (!line.believe(hook)) return;
    this.#options.onHook?.(line.handset, hook);
    if (hook !== 'on') return;
    this.#keypads.clear(line.handset);
    for (const [call, armed] of this.#armed) {
      if (armed.handset === line.handset) this.#tell(call, { type: 'hook-on' });
    }
  }

  #cutSettled(line: Line, call: CallId, isOpen: boolean): void {
    if (!isOpen) {
      const detail = `no board has confirmed within ${CONFIRM_MS / 1_000} s that the relay is open`;
      this.#options.onAlarm?.({ code: 'line.relay-unconfirmed', handset: line.handset, board: line.board, detail });
    }
    this.#tell(call, { type: 'released', plane: 'line', relayOpen: isOpen });
  }

  #leftOffHook({ handset, board }: LineFitting): void {
    this.#options.onAlarm?.({ code: 'line.left-off-hook', handset, board, detail: 'off the hook, and no call' });
  }

  #tellLost(call: CallId, armed: Armed): void {
    if (armed.toldLost) return;
    armed.toldLost = true;
    this.#tell(call, { type: 'controller-lost' });
  }

  /** Later, and never from within an order: whoever gave it has not finished. */
  #tell(call: CallId, event: Parameters<CallSink['event']>[1]): void {
    this.#clock.after(0, () => this.#options.sink.event(call, event));
  }
}
