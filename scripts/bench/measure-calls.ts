/** Set-up delay, CPU a call, calls a second: whole calls from SIPp to SIPp through the whole program. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Reading } from './figure.js';
import { quantile } from './quantile.js';
import type { Rig } from './rig.js';
import type { SeenMessage } from './sipp.js';
import { TooBusy } from './too-busy.js';

const SET_UP_RATE = 20;
/** Below it a machine spends more on waking up for each message than on the message. */
const COST_RATE = 200;
const STEPS = [200, 300, 400, 500, 600, 700, 800] as const;
/** The share of calls that may fail at a rate that is held. */
const MAY_FAIL = 0.001;
/** A rate is offered if SIPp places calls no slower than this share of it. */
const OFFERED = 0.97;

/** The budgets are for calls without the challenge, as the references were measured; those with it are shown. */
const kind = (challenged: boolean) => (challenged ? 'challenged' : 'unchallenged');

const numberOf = (start: string): string => /sip:(\+\d+)@/.exec(start)?.[1] ?? '';

/**
 * Milliseconds from each handset's first INVITE to the trunk's, both by the peers' own stamps. The two legs have nothing in
 * common but the number: calls to the same one are taken to have kept their order.
 */
export function setUpDelays(near: readonly SeenMessage[], far: readonly SeenMessage[]): number[] {
  const firstInvites = (messages: readonly SeenMessage[], direction: SeenMessage['direction']) => {
    const begun = new Set<string>();
    return messages.filter(({ callId, ...one }) => {
      if (one.direction !== direction || !one.start.startsWith('INVITE ') || begun.has(callId)) return false;
      begun.add(callId);
      return true;
    });
  };
  const sent = new Map<string, number[]>();
  for (const { start, atMs } of firstInvites(near, 'sent')) {
    const number = numberOf(start);
    sent.set(number, [...(sent.get(number) ?? []), atMs]);
  }
  return firstInvites(far, 'received').flatMap(({ start, atMs }) => {
    const sentMs = sent.get(numberOf(start))?.shift();
    return sentMs === undefined ? [] : [atMs - sentMs];
  });
}

export async function measureSetUp(rig: Rig, challenged: boolean, seconds: number): Promise<Reading[]> {
  const going = await rig.place({ rate: SET_UP_RATE, calls: SET_UP_RATE * seconds, talkMs: 300, traced: true });
  const { failed } = await going.done();
  if (failed > 0) throw new TooBusy(`${failed} calls failed`);
  const delays = setUpDelays(going.handsets.messages, going.carrier.messages);
  const detail = { calls: delays.length, failed, maxMs: quantile(delays, 1) };
  const mode = kind(challenged);
  const reading = (share: 'p50' | 'p99', at: number, budgetMs: number, text: string): Reading => ({
    id: `set-up.${mode}.${share}`,
    title: `set-up delay ${share}, ${SET_UP_RATE} calls/s, ${mode}`,
    unit: 'ms',
    value: quantile(delays, at),
    better: 'less',
    ...(challenged ? {} : { budget: { is: 'at most', value: budgetMs }, reference: { text, measuredHere: false } }),
    detail,
  });
  return [
    reading('p50', 0.5, 1.7, 'Asterisk 1.7, drachtio pair 1.25 ms'),
    reading('p99', 0.99, 4, 'Asterisk 2.1, drachtio pair 1.9 ms'),
  ];
}

export async function measureCost(rig: Rig, challenged: boolean, seconds: number): Promise<Reading[]> {
  const calls = COST_RATE * seconds;
  const before = rig.gateway.cpu();
  const { failed } = await (await rig.place({ rate: COST_RATE, calls, talkMs: 1_000 })).done();
  if (failed > 0) throw new TooBusy(`${failed} calls failed`);
  await wait(300);
  const after = rig.gateway.cpu();
  const msByPart = Object.fromEntries(
    Object.entries(after).map(([part, cpuS]) => [part, ((cpuS - (before[part] ?? 0)) * 1_000) / calls]),
  );
  const mode = kind(challenged);
  return [
    {
      id: `cpu.${mode}`,
      title: `CPU a call, all our processes, ${COST_RATE} calls/s, ${mode}`,
      unit: 'ms',
      value: Object.values(msByPart).reduce((sum, ms) => sum + ms, 0),
      better: 'less',
      ...(challenged
        ? {}
        : {
            budget: { is: 'at most' as const, value: 2.4 },
            reference: { text: 'Asterisk 4.8 to 6.1, drachtio pair 2.5 ms', measuredHere: false },
          }),
      detail: { calls, failed, rate: COST_RATE, msByPart },
    },
  ];
}

interface Step {
  readonly rate: number;
  readonly failed: number;
  readonly retransmissions: number;
  readonly offeredRate: number;
  readonly isHeld: boolean;
}

async function step(rig: Rig, rate: number, seconds: number): Promise<Step> {
  const calls = rate * seconds;
  const { failed, retransmissions, elapsedS } = await (await rig.place({ rate, calls, talkMs: 1_000 })).done();
  const offeredRate = calls / Math.max(seconds, elapsedS - 1);
  const isHeld = failed < calls * MAY_FAIL && offeredRate >= rate * OFFERED;
  return { rate, failed, retransmissions, offeredRate, isHeld };
}

/** Steps the rate up until calls fail; a step that fails is tried once more, on a gateway that has not been overrun. */
export async function measureRate(
  start: () => Promise<Rig>,
  challenged: boolean,
  { seconds, steps = STEPS }: { readonly seconds: number; readonly steps?: readonly number[] },
): Promise<Reading[]> {
  const taken: Step[] = [];
  let rig = await start();
  let held = 0;
  try {
    for (const rate of steps) {
      let one = await step(rig, rate, seconds);
      taken.push(one);
      if (!one.isHeld) {
        await rig.stop();
        rig = await start();
        one = await step(rig, rate, seconds);
        taken.push(one);
      }
      if (!one.isHeld) break;
      held = rate;
    }
  } finally {
    await rig.stop();
  }
  const mode = kind(challenged);
  return [
    {
      id: `rate.${mode}`,
      title: `calls/s held, < 0.1 % failed, 1 s calls, ${mode}`,
      unit: '',
      value: held,
      better: 'more',
      ...(challenged
        ? {}
        : {
            budget: { is: 'at least' as const, value: 400 },
            reference: { text: 'Asterisk 355, drachtio pair 740', measuredHere: false },
          }),
      detail: { seconds, steps: taken, highestTried: taken.at(-1)?.rate },
    },
  ];
}
