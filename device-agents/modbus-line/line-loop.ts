import type { AgentDriver, AgentHost, HealthReport, LineReport } from '../agent.js';
import { type AgentTimer, laterOf, MS, msBetween } from '../clock.js';
import { openWire, Reopening, silenceMs, type Wire } from '../wire.js';
import { Board } from './board.js';
import type { ModbusLineConfig } from './config.js';
import { RtuMaster } from './master.js';
import { RANK } from './wish.js';

/** Boards that answer are served first; one that does not gets a turn this often, so that its time-outs do not slow the rest. */
const LOST_TURN_MS = 250;
/** A TCP connection on which no byte came for this long while we were asking is dead without knowing it, milliseconds. */
const DEAD_TCP_MS = 5_000;

/** Relays and watchdogs are read back this often, or less often where that would take more than a twentieth of the line, milliseconds. */
const VERIFY_MS = 1_000;
const LONGEST_VERIFY_MS = 4_000;
/** A question and its answer, characters of 11 bits. */
const EXCHANGE_CHARACTERS = 15;

/** Each board is read back once, and its watchdog half as often: together a twentieth of the line's time. */
function verifyMsOf({ transport, boards }: ModbusLineConfig): number {
  if (transport.kind !== 'serial') return VERIFY_MS;
  const exchangeMs = (EXCHANGE_CHARACTERS * 11_000) / transport.baud + silenceMs(transport.baud);
  return Math.min(LONGEST_VERIFY_MS, Math.max(VERIFY_MS, 30 * boards.length * exchangeMs));
}

/** The boards on one line, served one question at a time: relays that must open, then other relays, then polls. */
export class LineLoop implements AgentDriver {
  readonly #config: ModbusLineConfig;
  readonly #host: AgentHost;
  readonly #boards: readonly Board[];
  #wire: Wire | undefined;
  #stopping = false;
  #running: Promise<void> = Promise.resolve();
  #wake: () => void = () => undefined;
  #woken = false;
  #lostTurnNs = 0n;

  constructor(
    config: ModbusLineConfig,
    host: AgentHost,
    private readonly open: typeof openWire = openWire,
  ) {
    this.#config = config;
    this.#host = host;
    const events = {
      line: (handset: string, report: LineReport) => host.state(handset, report),
      health: () => host.healthChanged(),
    };
    const pace = { pollMs: config.pollMs, verifyMs: verifyMsOf(config) };
    this.#boards = config.boards.map((board) => new Board(board, host.leases, pace, events));
  }

  start(): void {
    this.#running = this.#run();
  }

  leasesChanged(confirm?: string): void {
    if (confirm !== undefined) for (const board of this.#boards) board.confirm(confirm);
    this.#rouse();
  }

  states(): ReadonlyMap<string, LineReport> {
    return new Map(this.#boards.flatMap((board) => board.reports()));
  }

  health(): HealthReport {
    return {
      port: this.#wire === undefined ? 'lost' : 'open',
      boards: this.#boards.map((board) => board.health()),
    };
  }

  async stop(ms: number): Promise<void> {
    this.#stopping = true;
    this.#rouse();
    await new Promise<void>((resolve) => {
      const late = this.#host.clock.after(ms, resolve);
      void this.#running.then(() => {
        late.cancel();
        resolve();
      });
    });
    this.#wire?.close();
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#host;
    const reopening = new Reopening();
    while (!this.#stopping) {
      try {
        const wire = await this.open(this.#config.transport);
        log.info({ event: 'port.open' });
        reopening.done();
        const why = await this.#serve(wire);
        if (why === undefined) return;
        log.error({ event: 'port.lost', why });
      } catch (error) {
        // The same fault again and again is one line at each back-off, at debug.
        log.debug({ event: 'port.open-failed', err: error });
        const why = error instanceof Error ? error.message : String(error);
        for (const board of this.#boards) board.portLost(`the port cannot be opened: ${why}`, clock.nowNs());
      }
      if (this.#stopping) return;
      await this.#sleepUntil(clock.nowNs() + BigInt(reopening.next()) * MS, false);
    }
  }

  /** Serves the boards until the wire is lost (settles with why), or until all is open and the agent is stopping. */
  async #serve(wire: Wire): Promise<string | undefined> {
    const { clock, leases } = this.#host;
    const master = new RtuMaster(wire, clock);
    let lost: string | undefined;
    wire.onLost = (why) => {
      lost = why;
      // At once, and not when the loop comes round: what is no longer seen is no longer supervised.
      this.#wire = undefined;
      master.lost(why);
      for (const board of this.#boards) board.portLost(why, clock.nowNs());
      this.#host.healthChanged();
      this.#rouse();
    };
    this.#wire = wire;
    this.#host.healthChanged();
    const openNs = clock.nowNs();
    while (lost === undefined) {
      if (this.#stopping && this.#boards.every((board) => board.isOpen)) return undefined;
      await master.ready();
      if (lost !== undefined) break;
      const nowNs = clock.nowNs();
      const { board, nextNs } = this.#choose(nowNs);
      if (board === undefined) {
        const endNs = leases.nextEndNs(nowNs);
        await this.#sleepUntil(endNs !== undefined && endNs < nextNs ? endNs : nextNs, true);
        continue;
      }
      const wasLost = board.isLost;
      const answer = await master.ask(board.ask(nowNs), board.turnaroundMs);
      if (lost !== undefined) break;
      const thenNs = clock.nowNs();
      board.answered(answer, msBetween(nowNs, thenNs), thenNs);
      if (wasLost && !answer.ok) this.#lostTurnNs = thenNs + BigInt(LOST_TURN_MS) * MS;
      const heardNs = laterOf(master.lastByteNs, openNs);
      if (this.#config.transport.kind === 'rtu-over-tcp' && msBetween(heardNs, thenNs) > DEAD_TCP_MS) {
        wire.onLost(`nothing came over the connection for ${DEAD_TCP_MS / 1_000} s`);
        wire.close();
      }
    }
    return lost;
  }

  /** The board whose question goes next, or none and when to look again. */
  #choose(nowNs: bigint): { readonly board?: Board; readonly nextNs: bigint } {
    let best: { readonly board: Board; readonly rank: number; readonly atNs: bigint } | undefined;
    let nextNs = nowNs + 1_000n * MS;
    const isAnyUsable = this.#boards.some((board) => !board.isLost);
    for (const board of this.#boards) {
      const wish = board.wish(nowNs);
      const isHeldBack = wish.rank === RANK.lost && isAnyUsable && this.#lostTurnNs > wish.atNs;
      const atNs = isHeldBack ? this.#lostTurnNs : wish.atNs;
      if (atNs > nowNs) {
        if (atNs < nextNs) nextNs = atNs;
        continue;
      }
      // A lost board whose turn has come ranks with the polls; else a busy line would never look at it again.
      const rank = Math.min(wish.rank, RANK.poll);
      if (best === undefined || rank < best.rank || (rank === best.rank && atNs < best.atNs)) {
        best = { board, rank, atNs };
      }
    }
    return best === undefined ? { nextNs } : { board: best.board, nextNs };
  }

  #rouse(): void {
    this.#woken = true;
    this.#wake();
  }

  /** Waits until the instant; `early` lets a change of a lease end the wait, and one that came before it began counts. */
  #sleepUntil(atNs: bigint, early: boolean): Promise<void> {
    if (early && this.#woken) {
      this.#woken = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      let timer: AgentTimer | undefined;
      const done = () => {
        timer?.cancel();
        this.#wake = () => undefined;
        resolve();
      };
      timer = this.#host.clock.after(msBetween(this.#host.clock.nowNs(), atNs), done);
      this.#wake = () => {
        if (!early && !this.#stopping) return;
        this.#woken = false;
        done();
      };
    });
  }
}
