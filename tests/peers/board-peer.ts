import type { Test } from 'tap';
import { type RunningBoards, startBoard } from '../../scripts/simulators/board.js';

/** A simulated relay board and what a site's files say of it: handset `a-101` on relay 0, hook input 0. */
export interface BoardPeer {
  readonly board: RunningBoards;
  readonly boards: readonly Record<string, unknown>[];
  readonly line: { readonly board: string; readonly relay: number; readonly hook: number };
  /** Settles when the relay is as wanted; at once if it is so already. */
  relayIs(index: number, connected: boolean): Promise<bigint>;
}

export async function boardPeer(t: Test): Promise<BoardPeer> {
  const board = await startBoard({ port: 0 });
  t.teardown(() => board.close());
  let waiting: (() => void)[] = [];
  board.onRelay(() => {
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  });
  return {
    board,
    boards: [
      {
        id: 'b1',
        device: 'generic-8r8i',
        unit: 1,
        agent: 'modbus-1',
        transport: { kind: 'rtu-over-tcp', host: '127.0.0.1', port: board.port },
      },
    ],
    line: { board: 'b1', relay: 0, hook: 0 },
    async relayIs(index, connected) {
      while (board.relay(index) !== connected) await new Promise<void>((resolve) => waiting.push(resolve));
      return process.hrtime.bigint();
    },
  };
}
