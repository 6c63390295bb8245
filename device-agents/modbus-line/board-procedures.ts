/**
 * What is done with a board, as procedures that yield questions and are given answers. A procedure that is dropped half
 * way does no harm: each begins from what the board says.
 */
import type { BoardHealth, Device } from '../../config/schema/types.generated.js';
import { type Answer, bitAt, type Question, readBits, readRegister, writeCoils, writeRegister } from './frame.js';

/** How a procedure ended. `failed` is tried again; `refused` needs a technician; `reset` begins from the start. */
export type Verdict =
  | { readonly is: 'done' }
  | { readonly is: 'failed'; readonly why: string }
  | { readonly is: 'reset'; readonly why: string }
  | { readonly is: 'refused'; readonly why: string };

type Steps<T> = Generator<Question, T, Answer>;

const DONE: Verdict = { is: 'done' };
/** The board counts by a clock of its own. */
const OTHER_CLOCK_MS = 500;
const WATCHDOG_UNIT_MS = { s: 1_000, '100ms': 100, '32ms': 32 } as const;

function* registerOf(unit: number, register: number): Steps<number | undefined> {
  const answer = yield readRegister(unit, register);
  return answer.ok ? answer.data.readUInt16BE(0) : undefined;
}

/** Whether this is the kind of board that the file describes. */
export function* identify(unit: number, { identity }: Device): Steps<Verdict> {
  if (identity === undefined) return DONE;
  const found = yield* registerOf(unit, identity.register);
  if (found === identity.expect) return DONE;
  return {
    is: 'refused',
    why: `register ${identity.register} holds ${found} and not ${identity.expect}: another board`,
  };
}

/** Opens every relay of the board, those of no handset too, and reads them back. */
export function* openAll(unit: number, device: Device): Steps<Verdict> {
  const { verdict } = yield* setRelays(unit, device, new Array<boolean>(device.relays.count).fill(false));
  return verdict;
}

/** Writes all relays at once and reads them back: the echo of a write tells nothing of what the board did with it. */
export function* setRelays(
  unit: number,
  { relays: { base, count } }: Device,
  wanted: readonly boolean[],
): Steps<{ readonly verdict: Verdict; readonly relays?: readonly boolean[] }> {
  yield writeCoils(unit, base, wanted);
  const answer = yield readBits(unit, 'coil', base, count);
  if (!answer.ok) return { verdict: { is: 'failed', why: answer.detail } };
  const relays = wanted.map((_, relay) => bitAt(answer.data, relay));
  const wrong = relays.findIndex((closed, relay) => closed !== wanted[relay]);
  if (wrong === -1) return { verdict: DONE, relays };
  const verdict: Verdict = { is: 'failed', why: `relay ${wrong} reads back ${relays[wrong] ? 'closed' : 'open'}` };
  return { verdict, relays };
}

/** Writes each register of the set-up that holds another value, and reads it back. */
export function* setUp(unit: number, { setup }: Device): Steps<Verdict> {
  for (const { register, value } of setup) {
    if ((yield* registerOf(unit, register)) === value) continue;
    yield writeRegister(unit, register, value);
    const found = yield* registerOf(unit, register);
    if (found !== value) return { is: 'refused', why: `register ${register} reads back ${found} and not ${value}` };
  }
  return DONE;
}

export interface Armed {
  readonly watchdog: BoardHealth['watchdog'];
  readonly why: string;
}

/** Writes the board's watchdog and reads it back. */
export function* armWatchdog(unit: number, { watchdog }: Device): Steps<Armed> {
  if (watchdog === undefined) return { watchdog: 'absent', why: 'this kind of board has no watchdog of its own' };
  const { register, value, takesEffect } = watchdog;
  if (takesEffect === 'after-reset' && (yield* registerOf(unit, register)) === value) {
    return { watchdog: 'armed', why: '' };
  }
  yield writeRegister(unit, register, value);
  const found = yield* registerOf(unit, register);
  if (found !== value) {
    return { watchdog: 'mismatch', why: `watchdog register ${register} reads back ${found} and not ${value}` };
  }
  if (takesEffect === 'at-once') return { watchdog: 'armed', why: '' };
  return {
    watchdog: 'after-reset',
    why: 'the watchdog is written, and counts only after the board is reset: reset it',
  };
}

/** After so long without a question, milliseconds, the board has opened its relays by itself; undefined for one that does not. */
export function watchdogMs({ watchdog }: Device): number | undefined {
  return watchdog && watchdog.value * WATCHDOG_UNIT_MS[watchdog.unit] + OTHER_CLOCK_MS;
}

/** Whether the watchdog still holds its time. */
export function* watchdogStands(unit: number, { watchdog }: Device): Steps<boolean> {
  if (watchdog === undefined) return true;
  return (yield* registerOf(unit, watchdog.register)) === watchdog.value;
}
