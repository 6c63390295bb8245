import type { Calls } from './calls/calls.js';
import type { CutoffResult } from './calls/ports.js';
import type { CommandResult, HouseCommand } from './uplink/command-desk.js';
import { cutoffOrders, lockdownTarget } from './uplink/cutoff-order.js';
import type { NumberToken } from './uplink/number-token.js';

/** Carries out what headquarters ordered of calls, and gives what its acknowledgement is to say. */
export async function runHouseCommand(
  command: HouseCommand,
  calls: Calls,
  numberToken: NumberToken,
): Promise<CommandResult> {
  if (command.type === 'release') {
    calls.release(lockdownTarget(command.target), command.by);
    return { outcome: 'done' };
  }
  const live = calls.live().flatMap(({ call, number }) => (number === undefined ? [] : [{ call, number }]));
  const results = await Promise.all(cutoffOrders(command, live, numberToken).map((order) => calls.cutoff(order)));
  return { outcome: 'done', result: { ...joinedResult(command.id, results) } };
}

/** Several orders of one command as one result: the slowest of each measured time. */
function joinedResult(id: string, results: readonly CutoffResult[]): CutoffResult {
  const worst = (of: (result: CutoffResult) => number) => Math.max(0, ...results.map(of));
  return {
    id,
    calls: results.reduce((sum, { calls }) => sum + calls, 0),
    silentMs: worst(({ silentMs }) => silentMs),
    byesSentMs: worst(({ byesSentMs }) => byesSentMs),
    relaysOpenMs: worst(({ relaysOpenMs }) => relaysOpenMs),
    complete: results.every(({ complete }) => complete),
  };
}
