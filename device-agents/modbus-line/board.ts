/**
 * One board, as a machine without I/O: it says which question it wants to put next and how urgently, is given the answer,
 * and knows from that what is true of its lines. The line loop puts the questions of all boards on one line.
 *
 * What it holds to: a relay is wanted closed only while its lease stands, asked anew for each write; what is reported of a
 * relay was read back from the board; nothing is reported of a board that does not answer or may not be used.
 */
import type { BoardHealth, LineStateMessage } from '../../config/schema/types.generated.js';
import type { LineReport } from '../agent.js';
import { laterOf, MS, msBetween } from '../clock.js';
import type { LeaseKeeper } from '../lease-keeper.js';
import {
  armWatchdog,
  identify,
  openAll,
  setRelays,
  setUp,
  type Verdict,
  watchdogMs,
  watchdogStands,
} from './board-procedures.js';
import type { BoardConfig } from './config.js';
import { type Answer, bitAt, type Fault, type Question, readBits } from './frame.js';
import { InputMap } from './inputs.js';
import { Patience } from './patience.js';
import { type BoardEvents, type Pace, RANK, type Wish } from './wish.js';

/** The watchdog's register is read this many times less often than the relays are read back when nothing changes. */
const WATCHDOG_EACH = 2n;
/** A relay is closed only this soon after the watchdog was seen to stand, milliseconds. */
const STANDS_MS = 100;
/** A refused board is looked at again this often, milliseconds: somebody may have exchanged or reset it. */
const REFUSED_RETRY_MS = 2_000;

type Procedure = Generator<Question, Verdict, Answer>;

export class Board {
  readonly #config: BoardConfig;
  readonly #leases: LeaseKeeper;
  readonly #events: BoardEvents;
  readonly #pollNs: bigint;
  readonly #verifyNs: bigint;
  readonly #inputs: InputMap;
  #phase: BoardHealth['state'] = 'starting';
  #why = 'not spoken to yet';
  #watchdog: BoardHealth['watchdog'] = 'unknown';
  /** When the board's watchdog was last read and held its time. */
  #standsNs = 0n;
  readonly #errors: Record<Fault, number> = { crc: 0, timeout: 0, exception: 0, answer: 0, port: 0 };
  #rttMs = 0;
  #polls = 0;
  #procedure: Procedure | undefined;
  #isSetting = false;
  #question: Question | undefined;
  /** The relays as they were read back last. */
  #relays: readonly boolean[];
  /** Those that a write since then may have closed: it was heard, perhaps, and its answer or its read-back was lost. */
  #mayBeClosed: readonly boolean[];
  /** `sentNs` of each line's last lease when its relay was last set. */
  readonly #obeyedNs = new Map<string, bigint>();
  readonly #toConfirm = new Set<string>();
  readonly #reported = new Map<string, string>();
  #toldPanic: boolean | undefined;
  readonly #patience = new Patience();
  #answerNs = 0n;
  #notBeforeNs = 0n;
  #pollAtNs = 0n;
  #verifyAtNs = 0n;
  #watchdogAtNs = 0n;

  constructor(config: BoardConfig, leases: LeaseKeeper, pace: Pace, events: BoardEvents) {
    this.#config = config;
    this.#leases = leases;
    this.#events = events;
    this.#pollNs = BigInt(pace.pollMs) * MS;
    this.#verifyNs = BigInt(Math.round(pace.verifyMs)) * MS;
    this.#inputs = new InputMap(config.device);
    this.#relays = new Array<boolean>(config.device.relays.count).fill(false);
    this.#mayBeClosed = this.#relays;
  }

  get id(): string {
    return this.#config.id;
  }

  get isLost(): boolean {
    return this.#phase !== 'ok';
  }

  get turnaroundMs(): number {
    return this.#config.device.turnaroundMs;
  }

  /** Nothing of this board is known to be connected, nor may be: it said so itself, or it is beyond our reach. */
  get isOpen(): boolean {
    return (
      this.#phase !== 'ok' ||
      (this.#toConfirm.size === 0 && !this.#relays.includes(true) && !this.#mayBeClosed.includes(true))
    );
  }

  /** When, and how urgently, this board wants its next question to be put. */
  wish(nowNs: bigint): Wish {
    if (this.#phase !== 'ok') return { rank: RANK.lost, atNs: this.#notBeforeNs };
    const wanted = this.#wanted(nowNs);
    if (this.#mustOpen(wanted)) {
      return { rank: RANK.openRelay, atNs: this.#notBeforeNs };
    }
    const differs = wanted.some((closed, relay) => closed && !this.#relays[relay]);
    if (differs || this.#toConfirm.size > 0 || this.#isSetting) return { rank: RANK.setRelay, atNs: this.#notBeforeNs };
    if (this.#procedure !== undefined) return { rank: RANK.poll, atNs: this.#notBeforeNs };
    return { rank: RANK.poll, atNs: laterOf(this.#pollAtNs, this.#notBeforeNs) };
  }

  /** The question to put now. */
  ask(nowNs: bigint): Question {
    const mustSet = this.#phase === 'ok' && this.wish(nowNs).rank < RANK.poll;
    // A relay does not wait for the rest of a poll; the poll begins anew afterwards.
    if (mustSet && !this.#isSetting && this.#procedure !== undefined) {
      this.#drop();
      this.#pollAtNs = nowNs;
    }
    this.#procedure ??= this.#begin(mustSet, nowNs);
    this.#question ??= this.#advance(undefined, nowNs);
    if (this.#question === undefined) throw new Error('a procedure of a board begins with a question');
    return this.#question;
  }

  /** What came of the question. */
  answered(answer: Answer, tookMs: number, nowNs: bigint): void {
    if (answer.ok || answer.fault === 'exception') {
      this.#rttMs = this.#rttMs === 0 ? tookMs : this.#rttMs * 0.9 + tookMs * 0.1;
    }
    if (!answer.ok) {
      this.#failed(answer.fault, answer.detail, nowNs);
      return;
    }
    this.#answerNs = nowNs;
    this.#notBeforeNs = nowNs;
    this.#question = this.#advance(answer, nowNs);
  }

  /** The line to the boards is gone, and this one with it. */
  portLost(why: string, nowNs: bigint): void {
    this.#errors.port += 1;
    this.#lost(why);
    this.#notBeforeNs = nowNs;
  }

  /** Reads this line's relay back, and reports it whatever comes of it. */
  confirm(handset: string): void {
    if (this.#config.lines.some((line) => line.handset === handset)) this.#toConfirm.add(handset);
  }

  reports(): [string, LineReport][] {
    return this.#config.lines.map((line) => [line.handset, this.#report(line)]);
  }

  health(): BoardHealth {
    return {
      board: this.#config.id,
      state: this.#phase,
      ...(this.#phase === 'ok' ? {} : { why: this.#why }),
      rttMs: Math.round(this.#rttMs * 100) / 100,
      polls: this.#polls,
      errors: { ...this.#errors },
      watchdog: this.#watchdog,
      ...(this.#panic === undefined ? {} : { panic: this.#panic }),
    };
  }

  /** Whether the panic button is pressed; undefined without one, and while the board does not answer. */
  get #panic(): boolean | undefined {
    const { panic } = this.#config;
    if (panic === undefined || this.#phase !== 'ok') return undefined;
    return this.#inputs.isLifted(panic.input) !== panic.normallyClosed;
  }

  #wanted(nowNs: bigint): boolean[] {
    const wanted = new Array<boolean>(this.#relays.length).fill(false);
    for (const { handset, relay } of this.#config.lines) {
      if (this.#leases.connected(handset, nowNs)) wanted[relay] = true;
    }
    return wanted;
  }

  #begin(mustSet: boolean, nowNs: bigint): Procedure {
    this.#isSetting = mustSet;
    if (mustSet) return this.#mayClose(nowNs) ? this.#setting(nowNs) : this.#seeWatchdog();
    return this.#phase === 'ok' ? this.#poll(nowNs) : this.#start();
  }

  /** Runs the procedure to its next question; at its end, draws the conclusion. */
  #advance(answer: Answer | undefined, nowNs: bigint): Question | undefined {
    const step = answer === undefined ? this.#procedure?.next() : this.#procedure?.next(answer);
    if (step === undefined) return undefined;
    if (!step.done) return step.value;
    this.#drop();
    const verdict = step.value;
    switch (verdict.is) {
      case 'done':
        this.#patience.done(nowNs);
        this.#reportChanges();
        break;
      case 'failed':
        this.#failed('answer', verdict.why, nowNs);
        break;
      case 'reset':
        this.#lost(verdict.why);
        break;
      case 'refused':
        this.#phase = 'refused';
        this.#why = verdict.why;
        this.#notBeforeNs = nowNs + BigInt(REFUSED_RETRY_MS) * MS;
        this.#reportChanges();
        this.#events.health();
        break;
    }
    return undefined;
  }

  #drop(): void {
    this.#procedure = undefined;
    this.#question = undefined;
    this.#isSetting = false;
  }

  /** From unknown to usable. Relays are opened before anything else that changes the board. */
  *#start(): Procedure {
    const { unit, device, allowNoWatchdog } = this.#config;
    // What we may have closed we open, before anything that could keep us from it.
    if (this.#mayBeClosed.includes(true)) {
      const ours = yield* openAll(unit, device);
      if (ours.is !== 'done') return ours;
      this.#readBack(this.#relays.map(() => false));
    }
    const who = yield* identify(unit, device);
    if (who.is !== 'done') return who;
    const opened = yield* openAll(unit, device);
    if (opened.is !== 'done') return opened;
    const ready = yield* setUp(unit, device);
    if (ready.is !== 'done') return ready;
    const armed = yield* armWatchdog(unit, device);
    this.#watchdog = armed.watchdog;
    if (armed.watchdog !== 'armed' && !allowNoWatchdog) return { is: 'refused', why: armed.why };
    this.#readBack(this.#relays.map(() => false));
    this.#obeyedNs.clear();
    yield* this.#readInputs();
    this.#phase = 'ok';
    this.#verifyAtNs = 0n;
    this.#watchdogAtNs = 0n;
    this.#events.health();
    return { is: 'done' };
  }

  #mustOpen(wanted: readonly boolean[]): boolean {
    return this.#relays.some((closed, relay) => (closed || this.#mayBeClosed[relay]) && !wanted[relay]);
  }

  #readBack(relays: readonly boolean[]): void {
    this.#relays = relays;
    this.#mayBeClosed = relays;
  }

  /** A board that was reset since we last looked would hold a relay without us: the look comes first, in a step of its own. */
  #mayClose(nowNs: bigint): boolean {
    const wanted = this.#wanted(nowNs);
    const closes = wanted.some((closed, relay) => closed && !this.#relays[relay]);
    if (!closes || this.#mustOpen(wanted) || this.#watchdog !== 'armed') return true;
    return msBetween(this.#standsNs, nowNs) <= STANDS_MS;
  }

  *#seeWatchdog(): Procedure {
    if (!(yield* watchdogStands(this.#config.unit, this.#config.device))) {
      this.#watchdog = 'unknown';
      return { is: 'reset', why: 'the watchdog has lost its time: the board was reset' };
    }
    this.#standsNs = this.#answerNs;
    return { is: 'done' };
  }

  *#setting(nowNs: bigint): Procedure {
    const { unit, device, lines } = this.#config;
    const leased = this.#wanted(nowNs);
    // What must open does not wait for what may close.
    const wanted = this.#mustOpen(leased)
      ? leased.map((closed, relay) => closed && this.#relays[relay] === true)
      : leased;
    const obeyed = lines.map(({ handset }) => [handset, this.#leases.lastNs(handset)] as const);
    const confirming = [...this.#toConfirm];
    this.#mayBeClosed = this.#mayBeClosed.map((closed, relay) => closed || wanted[relay] === true);
    const { verdict, relays } = yield* setRelays(unit, device, wanted);
    if (relays !== undefined) this.#readBack(relays);
    if (verdict.is !== 'done') return verdict;
    for (const [handset, sentNs] of obeyed) this.#obeyedNs.set(handset, sentNs);
    for (const handset of confirming) {
      this.#toConfirm.delete(handset);
      this.#reported.delete(handset);
    }
    return verdict;
  }

  *#poll(nowNs: bigint): Procedure {
    const { unit, device } = this.#config;
    this.#pollAtNs = nowNs + this.#pollNs;
    yield* this.#readInputs();
    this.#polls += 1;
    this.#reportChanges();
    if (nowNs >= this.#verifyAtNs) {
      this.#verifyAtNs = nowNs + this.#verifyNs;
      const answer = yield readBits(unit, 'coil', device.relays.base, device.relays.count);
      if (!answer.ok) return { is: 'failed', why: answer.detail };
      const read = this.#relays.map((_, relay) => bitAt(answer.data, relay));
      const fell = this.#relays.findIndex((closed, relay) => closed && !read[relay]);
      this.#readBack(read);
      if (fell !== -1) return { is: 'reset', why: `relay ${fell} opened by itself: the board was reset, or missed us` };
    }
    if (this.#watchdog === 'armed' && nowNs >= this.#watchdogAtNs) {
      this.#watchdogAtNs = nowNs + this.#verifyNs * WATCHDOG_EACH;
      return yield* this.#seeWatchdog();
    }
    return { is: 'done' };
  }

  *#readInputs(): Generator<Question, void, Answer> {
    for (const { table, base, count } of this.#inputs.reads) {
      const answer = yield readBits(this.#config.unit, table, base, count);
      if (answer.ok) this.#inputs.take(table, base, count, answer.data, this.#answerNs);
    }
  }

  #failed(fault: Fault, detail: string, nowNs: bigint): void {
    this.#drop();
    this.#errors[fault] += 1;
    // Whatever it was, the board may have been reset by it.
    this.#standsNs = 0n;
    const { againMs, isLost } = this.#patience.failed(nowNs, !this.isLost);
    this.#notBeforeNs = nowNs + BigInt(againMs) * MS;
    if (this.isLost) this.#leaveAlone(nowNs);
    if (this.isLost || isLost) this.#lost(`${fault}: ${detail}`);
  }

  /** What it may hold closed it could not be brought to open: its watchdog does, if no question of ours feeds it. */
  #leaveAlone(nowNs: bigint): void {
    const ms = watchdogMs(this.#config.device);
    if (ms === undefined || !this.#mayBeClosed.includes(true)) return;
    this.#notBeforeNs = nowNs + BigInt(ms) * MS;
    this.#readBack(this.#relays.map(() => false));
  }

  #lost(why: string): void {
    const isNew = this.#phase === 'ok' || this.#why !== why;
    this.#drop();
    this.#phase = 'lost';
    this.#why = why;
    this.#reportChanges();
    if (isNew) this.#events.health();
  }

  #report({ handset, relay, hook }: BoardConfig['lines'][number]): LineReport {
    const leaseNs = this.#obeyedNs.get(handset) ?? 0n;
    if (this.#phase !== 'ok') return { hook: 'unknown', relay: 'unknown', tamper: this.#inputs.tamper, leaseNs };
    const lifted: LineStateMessage['hook'] =
      hook === undefined ? 'unknown' : this.#inputs.isLifted(hook) ? 'off' : 'on';
    return {
      hook: lifted,
      relay: this.#relays[relay] ? 'connected' : 'open',
      tamper: this.#inputs.tamper,
      leaseNs,
    };
  }

  #reportChanges(): void {
    const panic = this.#panic;
    if (panic !== this.#toldPanic) {
      this.#toldPanic = panic;
      this.#events.health();
    }
    for (const line of this.#config.lines) {
      const report = this.#report(line);
      const said = `${report.hook} ${report.relay} ${report.tamper}`;
      if (this.#reported.get(line.handset) === said) continue;
      this.#reported.set(line.handset, said);
      this.#events.line(line.handset, report);
    }
  }
}
