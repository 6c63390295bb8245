import type { AgentClock, AgentTimer } from '../../device-agents/clock.js';
import { MS } from '../../device-agents/clock.js';
import { crc16 } from '../../device-agents/crc16.js';
import type { Wire } from '../../device-agents/wire.js';

interface Waiting {
  readonly atNs: bigint;
  readonly order: number;
  readonly run: () => void;
}

/** Lets everything run that waits for nothing but its turn. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** An agent's clock that goes only when it is told to. */
export class VirtualAgentClock implements AgentClock {
  #nowNs = 1_000_000_000_000n;
  #order = 0;
  readonly #waiting = new Set<Waiting>();

  nowNs(): bigint {
    return this.#nowNs;
  }

  wall(): string {
    return '2026-01-01T00:00:00Z';
  }

  after(ms: number, run: () => void): AgentTimer {
    const waiting = { atNs: this.#nowNs + BigInt(Math.ceil(Math.max(0, ms))) * MS, order: this.#order++, run };
    this.#waiting.add(waiting);
    return { cancel: () => void this.#waiting.delete(waiting) };
  }

  soon(ms: number, run: () => void): void {
    this.after(ms, run);
  }

  /** Goes on by `ms` milliseconds, running each timer at its instant and what follows from it before the next. */
  async go(ms: number): Promise<void> {
    const endNs = this.#nowNs + BigInt(ms) * MS;
    await settle();
    for (;;) {
      const next = [...this.#waiting]
        .filter(({ atNs }) => atNs <= endNs)
        .sort((a, b) => (a.atNs === b.atNs ? a.order - b.order : a.atNs < b.atNs ? -1 : 1))[0];
      if (next === undefined) break;
      this.#waiting.delete(next);
      if (next.atNs > this.#nowNs) this.#nowNs = next.atNs;
      next.run();
      await settle();
    }
    this.#nowNs = endNs;
  }
}

/** What becomes of one exchange: how long the answer takes, milliseconds, and what of it is lost. */
export interface Exchange {
  readonly ms: number;
  readonly fate: 'well' | 'question-lost' | 'answer-lost' | 'answer-spoilt' | 'exception';
}

const sealed = (bytes: Buffer) => {
  const crc = crc16(bytes);
  return Buffer.concat([bytes, Buffer.from([crc & 0xff, crc >> 8])]);
};

/** A board of eight relays and a watchdog of seconds in register 8, in virtual time, and the wire to it. */
export class VirtualBoard implements Wire {
  readonly gapMs = 1.75;
  readonly relays = new Array<boolean>(8).fill(false);
  readonly #registers = new Map<number, number>();
  #watchdog: AgentTimer | undefined;
  onData: (bytes: Buffer) => void = () => undefined;
  onLost: (why: string) => void = () => undefined;

  constructor(
    private readonly clock: AgentClock,
    private readonly next: (question: Buffer) => Exchange,
    /** Each change of a relay, as it happens. */
    private readonly onRelay: (relay: number, closed: boolean, by: 'master' | 'watchdog') => void,
  ) {}

  onWireMs(): number {
    return 1;
  }

  close(): void {
    this.#watchdog?.cancel();
  }

  write(question: Buffer): void {
    const { ms, fate } = this.next(question);
    if (fate === 'question-lost') return;
    const reply = fate === 'exception' ? Buffer.from([1, (question[1] ?? 0) | 0x80, 4]) : this.#answer(question);
    this.#feed();
    if (fate === 'answer-lost') return;
    const bytes = sealed(reply);
    if (fate === 'answer-spoilt') bytes[2] = (bytes[2] ?? 0) ^ 0xff;
    this.clock.after(ms, () => this.onData(bytes));
  }

  reset(): void {
    this.#registers.clear();
    this.#watchdog?.cancel();
    for (const relay of this.relays.keys()) this.#set(relay, false, 'master');
  }

  #answer(question: Buffer): Buffer {
    const first = question.readUInt16BE(2);
    const second = question.readUInt16BE(4);
    switch (question[1]) {
      case 1:
        return Buffer.from([1, 1, 1, this.relays.reduce((bits, on, at) => bits | (on ? 1 << at : 0), 0)]);
      case 2:
        return Buffer.from([1, 2, Math.ceil(second / 8), ...new Array<number>(Math.ceil(second / 8)).fill(0)]);
      case 3: {
        const value = this.#registers.get(first) ?? 0;
        return Buffer.from([1, 3, 2, value >> 8, value & 0xff]);
      }
      case 6:
        this.#registers.set(first, second);
        return question.subarray(0, 6);
      case 15:
        for (const relay of this.relays.keys()) this.#set(relay, (((question[7] ?? 0) >> relay) & 1) === 1, 'master');
        return question.subarray(0, 6);
      default:
        throw new Error(`a question of function ${question[1]} that no board has`);
    }
  }

  #set(relay: number, closed: boolean, by: 'master' | 'watchdog'): void {
    if (this.relays[relay] === closed) return;
    this.relays[relay] = closed;
    this.onRelay(relay, closed, by);
  }

  #feed(): void {
    this.#watchdog?.cancel();
    const seconds = this.#registers.get(8) ?? 0;
    if (seconds === 0) return;
    this.#watchdog = this.clock.after(seconds * 1_000, () => {
      for (const relay of this.relays.keys()) this.#set(relay, false, 'watchdog');
    });
  }
}
