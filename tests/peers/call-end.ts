import type { Test } from 'tap';
import type { CallUp } from './call-up.js';

/** When a call ended, as each far end saw it: milliseconds from an instant, negative before it. */
export interface EndTimes {
  readonly handsetToldMs: number;
  readonly trunkToldMs: number;
  readonly relayOpenMs: number;
  /** When the last packet that came to each end had been sent. */
  readonly cellSilentMs: number;
  readonly trunkSilentMs: number;
  /** Something is heard that was sent when both legs had been told and the relay was open. */
  readonly isHeardAfter: boolean;
}

/** Settles when both legs have been told and the relay is open; `sinceNs` is of CLOCK_MONOTONIC. */
export async function endTimes(call: CallUp, sinceNs: bigint): Promise<EndTimes> {
  const ms = (ns: bigint) => Number(ns - sinceNs) / 1e6;
  const told = (peer: CallUp['near']) =>
    peer.saw(({ direction, kind }) => direction === 'received' && kind === 'BYE').then(() => process.hrtime.bigint());
  const [near, far, relay] = await Promise.all([told(call.near), told(call.far), call.line.relayIs(0, false)]);
  // Both probes go on talking: whatever the relay still forwarded would be heard in these turns.
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  const [cell, trunk] = [call.cellProbe.lastPassedNs(call.trunkProbe), call.trunkProbe.lastPassedNs(call.cellProbe)];
  return {
    ...{ handsetToldMs: ms(near), trunkToldMs: ms(far), relayOpenMs: ms(relay) },
    ...{ cellSilentMs: ms(cell), trunkSilentMs: ms(trunk) },
    isHeardAfter: [cell, trunk].some((last) => [near, far, relay].every((over) => last > over)),
  };
}

/** Milliseconds at the most until neither end hears anything, both peers have been told, and the relay is open. */
export interface EndBound {
  readonly silentMs: number;
  readonly toldMs: number;
  readonly openMs: number;
}

/** The call is over everywhere within its bounds, and nothing is heard after that. */
export function endsWithin(t: Test, times: EndTimes, bound: EndBound): void {
  t.ok(times.trunkSilentMs < bound.silentMs, `far end silent after ${times.trunkSilentMs} ms`);
  t.ok(times.cellSilentMs < bound.silentMs, `handset silent after ${times.cellSilentMs} ms`);
  t.ok(times.handsetToldMs < bound.toldMs, `handset told after ${times.handsetToldMs} ms`);
  t.ok(times.trunkToldMs < bound.toldMs, `far end told after ${times.trunkToldMs} ms`);
  t.ok(times.relayOpenMs < bound.openMs, `relay open after ${times.relayOpenMs} ms`);
  t.notOk(times.isHeardAfter);
}
