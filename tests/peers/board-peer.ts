import type { Test } from 'tap';
import { startBoard } from '../../scripts/simulators/board.js';
import { SerialLine } from '../device-agents/serial-line.js';

/** A relay board and what a site's files say of it: handset `a-101` on relay 0, hook input 0. */
export interface BoardPeer {
  readonly boards: readonly Record<string, unknown>[];
  readonly line: { readonly board: string; readonly relay: number; readonly hook: number };
  /** Lifts the handset (`off`) or puts it down. */
  setHook(input: number, off: boolean): void;
  /** Settles when the relay is as wanted, at once if it is so already; CLOCK_MONOTONIC nanoseconds. */
  relayIs(index: number, connected: boolean): Promise<bigint>;
}

/** Wakes whoever waits for a relay, at each change of any. */
function relayWaiter(isConnected: (index: number) => boolean) {
  let waiting: (() => void)[] = [];
  return {
    changed: () => {
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
    },
    relayIs: async (index: number, connected: boolean) => {
      while (isConnected(index) !== connected) await new Promise<void>((resolve) => waiting.push(resolve));
      return process.hrtime.bigint();
    },
  };
}

const BOARD = { id: 'b1', device: 'generic-8r8i', unit: 1, agent: 'modbus-1' };
const LINE = { board: 'b1', relay: 0, hook: 0 };

/** Our own simulated board behind a simulated device server (Modbus RTU over TCP). */
export async function boardPeer(t: Test): Promise<BoardPeer> {
  const board = await startBoard({ port: 0 });
  t.teardown(() => board.close());
  const { changed, relayIs } = relayWaiter((index) => board.relay(index));
  board.onRelay(changed);
  const transport = { kind: 'rtu-over-tcp', host: '127.0.0.1', port: board.port };
  return {
    boards: [{ ...BOARD, transport }],
    line: LINE,
    setHook: (input, off) => board.setHook(input, off),
    relayIs,
  };
}

/** A board that is not ours: Debian's pymodbus at the far end of a serial line on ptys (socat). */
export async function serialBoardPeer(t: Test): Promise<BoardPeer> {
  const line = new SerialLine();
  await line.start(t);
  const { changed, relayIs } = relayWaiter((index) => line.relay(index));
  line.onCoils = changed;
  const transport = { kind: 'serial', path: line.path, baud: 115_200, parity: 'none', stopBits: 1 };
  return {
    boards: [{ ...BOARD, transport }],
    line: LINE,
    setHook: (input, off) => line.hook(input, off),
    relayIs,
  };
}
