import pino from 'pino';
import type { Device } from '../../config/schema/types.generated.js';
import { MS } from '../../device-agents/clock.js';
import { type Lease, LeaseKeeper } from '../../device-agents/lease-keeper.js';
import { readConfig } from '../../device-agents/modbus-line/config.js';
import { LineLoop } from '../../device-agents/modbus-line/line-loop.js';
import { readDevice } from '../../gateway/lines/agent-plan.js';
import { type Exchange, VirtualAgentClock, VirtualBoard } from './virtual-line.js';

export const BOOT = 'a-boot';
const WELL: Exchange = { ms: 3, fate: 'well' };

const log = pino({ level: 'silent' });
const configOf = (device: Partial<Device>) =>
  readConfig({
    agent: 'modbus-1',
    bus: { address: '127.0.0.1', port: 1, name: 'modbus-1', secret: 'not used in virtual time' },
    transport: { kind: 'serial', path: '/dev/null', baud: 115_200 },
    boards: [
      {
        id: 'b1',
        unit: 1,
        device: { ...readDevice('generic-8r8i'), ...device },
        lines: ['h0', 'h1', 'h2'].map((handset, relay) => ({ handset, relay, hook: relay })),
      },
    ],
  });
export const HANDSETS = ['h0', 'h1', 'h2'] as const;

/** The agent's driver with a board, both in virtual time; every closing and opening is judged as it happens. */
export class VirtualAgent {
  readonly clock = new VirtualAgentClock();
  readonly leases = new LeaseKeeper(HANDSETS, BOOT);
  readonly faults: string[] = [];
  readonly closed = new Set<number>();
  /** Until when each handset may be connected by what was delivered. */
  readonly endNs = new Map<number, bigint>();
  exchanges: Exchange[] = [];
  /** What becomes of a question when nothing else was ordered. */
  standing: (question: Buffer) => Exchange = () => WELL;
  readonly board: VirtualBoard;
  readonly loop: LineLoop;

  constructor(device: Partial<Device> = {}) {
    this.board = new VirtualBoard(
      this.clock,
      (question) => this.exchanges.shift() ?? this.standing(question),
      (relay, closed) => {
        if (!closed) this.closed.delete(relay);
        else {
          this.closed.add(relay);
          if (this.clock.nowNs() >= (this.endNs.get(relay) ?? 0n)) this.faults.push(`relay ${relay} closed unleased`);
        }
      },
    );
    const host = {
      clock: this.clock,
      log,
      leases: this.leases,
      state: () => undefined,
      key: () => undefined,
      healthChanged: () => undefined,
    };
    this.loop = new LineLoop(configOf(device), host, async () => this.board);
    this.loop.start();
  }

  deliver(index: number, lease: Lease): void {
    const nowNs = this.clock.nowNs();
    if (this.leases.accept(HANDSETS[index] ?? '', lease, nowNs) === 'obeyed') {
      const byReceipt = nowNs + BigInt(lease.forMs) * MS;
      const endNs = lease.untilNs < byReceipt ? lease.untilNs : byReceipt;
      this.endNs.set(index, lease.connected ? endNs : nowNs);
    }
    this.loop.leasesChanged();
  }

  loseContact(): void {
    this.leases.endAll();
    for (const index of HANDSETS.keys()) {
      const endNs = this.endNs.get(index) ?? 0n;
      if (endNs > this.clock.nowNs()) this.endNs.set(index, this.clock.nowNs());
    }
    this.loop.leasesChanged();
  }

  /** Goes on in small steps; a relay that is closed later than `graceMs` after its lease's end is a fault. */
  async go(ms: number, graceMs: number): Promise<void> {
    for (let left = ms; left > 0; left -= 10) {
      await this.clock.go(Math.min(left, 10));
      for (const relay of this.closed) {
        const lateNs = this.clock.nowNs() - (this.endNs.get(relay) ?? 0n);
        if (lateNs > BigInt(graceMs) * MS) this.faults.push(`relay ${relay} closed ${lateNs / MS} ms past its lease`);
      }
      if (this.faults.length > 0) throw new Error(this.faults.join('; '));
    }
  }

  async end(): Promise<void> {
    this.leases.endAll();
    this.exchanges = [];
    this.standing = () => WELL;
    const stopped = this.loop.stop(1_200);
    await this.clock.go(1_300);
    await stopped;
    this.board.close();
  }
}
