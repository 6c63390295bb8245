import { type AgentClock, type AgentTimer, msBetween } from '../clock.js';
import type { Wire } from '../wire.js';
import { type Answer, type Question, readAnswer } from './frame.js';

/** Beyond the time on the wire and the board's own turnaround, milliseconds: the serial driver, the scheduler, a busy machine. */
const MARGIN_MS = 100;
/** The line must have been silent this long after a failed exchange, milliseconds: late answers fall into that silence. */
const QUIET_MS = 20;
const LONGEST_QUIET_MS = 200;

/**
 * The master on one line: one question at a time, its answer or its fault, and the silence that the line needs between.
 * Who asks decides what goes first; there is no queue here in which a relay's order could wait behind polls.
 */
export class RtuMaster {
  readonly #wire: Wire;
  readonly #clock: AgentClock;
  #came: Buffer = Buffer.alloc(0);
  #pending: { readonly asked: Question; readonly settle: (answer: Answer) => void } | undefined;
  #lastByteNs = 0n;
  #dirty = false;
  #lost: string | undefined;

  constructor(wire: Wire, clock: AgentClock) {
    this.#wire = wire;
    this.#clock = clock;
    wire.onData = (bytes) => this.#data(bytes);
  }

  /** The instant of the last byte that came, or 0: a line on which nothing comes any more may be dead without knowing it. */
  get lastByteNs(): bigint {
    return this.#lastByteNs;
  }

  /**
   * Settles when a question may be put: the line is silent, and the gap between frames is over. What to ask is chosen
   * after this, so that no order that was right before the wait goes out when it is wrong.
   */
  async ready(): Promise<void> {
    if (this.#dirty) await this.#quiet();
    await this.#gap();
  }

  /** Asks at once, and settles with the answer or the fault; it never rejects. Only when `ready`, and one at a time. */
  async ask(asked: Question, turnaroundMs: number): Promise<Answer> {
    if (this.#lost !== undefined) return { ok: false, fault: 'port', detail: this.#lost };
    const waitMs = this.#wire.onWireMs(asked.bytes.length + asked.answerLength) + turnaroundMs + MARGIN_MS;
    const answer = await new Promise<Answer>((resolve) => {
      let timer: AgentTimer | undefined;
      const settle = (answer: Answer) => {
        timer?.cancel();
        this.#pending = undefined;
        resolve(answer);
      };
      timer = this.#clock.after(waitMs, () => {
        const cut = this.#came.length > 0;
        settle({ ok: false, fault: cut ? 'crc' : 'timeout', detail: `after ${Math.round(waitMs)} ms` });
      });
      this.#pending = { asked, settle };
      this.#came = Buffer.alloc(0);
      this.#wire.write(asked.bytes);
    });
    this.#came = Buffer.alloc(0);
    this.#dirty = !answer.ok && answer.fault !== 'exception' && answer.fault !== 'port';
    return answer;
  }

  /** The wire is gone: the open question fails, and every later one. */
  lost(why: string): void {
    this.#lost = why;
    this.#pending?.settle({ ok: false, fault: 'port', detail: why });
  }

  #data(bytes: Buffer): void {
    this.#lastByteNs = this.#clock.nowNs();
    // Bytes that nobody asked for are a late answer: what follows them is not to be trusted before the line is silent.
    if (this.#pending === undefined) {
      this.#dirty = true;
      return;
    }
    this.#came = this.#came.length === 0 ? bytes : Buffer.concat([this.#came, bytes]);
    const answer = readAnswer(this.#pending.asked, this.#came);
    if (answer !== undefined) this.#pending.settle(answer);
  }

  async #quiet(): Promise<void> {
    const startNs = this.#clock.nowNs();
    let quietSinceNs = startNs;
    for (;;) {
      const nowNs = this.#clock.nowNs();
      if (this.#lastByteNs > quietSinceNs) quietSinceNs = this.#lastByteNs;
      const leftMs = QUIET_MS - msBetween(quietSinceNs, nowNs);
      if (leftMs <= 0 || msBetween(startNs, nowNs) > LONGEST_QUIET_MS || this.#lost !== undefined) break;
      await this.#wait(leftMs);
    }
    this.#dirty = false;
  }

  async #gap(): Promise<void> {
    const leftMs = this.#wire.gapMs - msBetween(this.#lastByteNs, this.#clock.nowNs());
    if (leftMs > 0) await new Promise<void>((resolve) => this.#clock.soon(leftMs, resolve));
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(ms, resolve));
  }
}
