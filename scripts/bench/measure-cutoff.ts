/** How exactly calls end: 200 of them at one instant, and 200 of them ten seconds after each was answered. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Temporal } from 'temporal-polyfill';
import { EVERY_DAY } from '../peers/site.js';
import { minded } from './children.js';
import type { Reading } from './figure.js';
import { quantile } from './quantile.js';
import { type CallsGoing, Rig } from './rig.js';
import type { WitnessOrder, WitnessSays, WitnessStream } from './rtp-witness.js';
import type { SeenMessage } from './sipp.js';
import { TooBusy } from './too-busy.js';

const CALLS = 200;
const RATE = 50;
const ZONE = 'Europe/London';
const LIMIT_S = 10;
const SOCKETS_A_SIDE = 8;
const MINUTE_MS = 60_000;
/** From the start of the measurement to the instant at which the calls end, at the least. */
export const CUTOFF_LEAD_MS = 14_000;
/** The first call goes out so long before the end: four seconds of calls, and then they talk. */
const FIRST_CALL_MS = 8_000;
const PLACED_MS = (CALLS / RATE) * 1_000 + 400;
const AFTER_MS = 500;
/** What comes while nobody looks cannot be dated: no longer than one packet's interval. */
const MOST_BLIND_MS = 20;

/** When the next measurement of one instant would end, epoch milliseconds: windows have whole minutes. */
export const nextInstantMs = (nowMs: number): number => Math.ceil((nowMs + CUTOFF_LEAD_MS) / MINUTE_MS) * MINUTE_MS;

/** The stamp of each call's BYE, by Call-ID. */
export function byesReceived(messages: readonly SeenMessage[]): ReadonlyMap<string, number> {
  return firstOf(messages, ({ direction, start }) => direction === 'received' && start.startsWith('BYE '));
}

function firstOf(
  messages: readonly SeenMessage[],
  wanted: (message: SeenMessage) => boolean,
): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const message of messages)
    if (wanted(message) && !found.has(message.callId)) found.set(message.callId, message.atMs);
  return found;
}

/** Milliseconds of talk of each call from the 200 to the INVITE, in this direction, to the BYE that came. */
export function talkMs(messages: readonly SeenMessage[], answered: SeenMessage['direction']): number[] {
  const isAnswer = ({ direction, start, cseq }: SeenMessage) =>
    direction === answered && start.startsWith('SIP/2.0 200') && cseq.endsWith(' INVITE');
  const answers = firstOf(messages, isAnswer);
  const byes = byesReceived(messages);
  return [...answers].map(([callId, atMs]) => (byes.get(callId) ?? Number.POSITIVE_INFINITY) - atMs);
}

/** Windows that close for every handset at this instant, in the site's zone. */
function windowsUntil(endMs: number) {
  const end = Temporal.Instant.fromEpochMilliseconds(endMs).toZonedDateTimeISO(ZONE);
  const to = end.toPlainTime().toString({ smallestUnit: 'minute' });
  return [{ ...EVERY_DAY, to: to === '00:00' ? '24:00' : to }];
}

function streamsOf(going: CallsGoing, ports: readonly number[]): WitnessStream[] {
  const pairs = [...going.handsets.audioPorts.values(), ...going.carrier.audioPorts.values()];
  return pairs.map(({ own, relay }) => ({ socket: ports.indexOf(own), port: relay }));
}

/** 200 calls with speech both ways, all of which the handsets' hours end at the turn of a minute. */
export async function measureInstant(folder: string): Promise<Reading[]> {
  const endMs = nextInstantMs(Date.now());
  const rig = await Rig.start({ folder, challenged: true, talk: { windows: windowsUntil(endMs) } });
  const witness = minded(fork(fileURLToPath(new URL('./rtp-witness.js', import.meta.url)), { stdio: 'inherit' }));
  const order = (what: WitnessOrder) => witness.send(what);
  const said = async <Kind extends WitnessSays['says']>(kind: Kind) => {
    const [message] = (await once(witness, 'message', { signal: AbortSignal.timeout(2 * MINUTE_MS) })) as [WitnessSays];
    if (message.says !== kind) throw new Error(`the witness said ${message.says} in place of ${kind}`);
    return message as Extract<WitnessSays, { says: Kind }>;
  };
  try {
    await rig.warmUp();
    order({ do: 'bind', sockets: SOCKETS_A_SIDE * 2, address: '127.0.0.1' });
    const { ports } = await said('bound');
    const leftMs = endMs - FIRST_CALL_MS - Date.now();
    if (leftMs < 0)
      throw new TooBusy(`the gateway was not warm ${FIRST_CALL_MS / 1_000} s before the calls were to end`);
    await wait(leftMs);
    const rtpPorts = { handset: ports.slice(0, SOCKETS_A_SIDE), trunk: ports.slice(SOCKETS_A_SIDE) };
    const going = await rig.place({ rate: RATE, calls: CALLS, patienceMs: 20_000, traced: true, rtpPorts });
    await wait(PLACED_MS);
    const streams = streamsOf(going, ports);
    order({ do: 'watch', address: '127.0.0.1', streams, deadlineMs: endMs, onMs: AFTER_MS });
    await said('talking');
    const { result } = await said('done');
    const { failed } = await going.done();
    if (result.heardStreams < CALLS * 2)
      throw new TooBusy(
        `speech was heard on ${result.heardStreams} of ${CALLS * 2} streams before the end, ${failed} calls failed`,
      );
    if (result.blindMs > MOST_BLIND_MS)
      throw new TooBusy(`the far ends did not look for ${Math.round(result.blindMs)} ms around the end`);
    const byesMs = [going.handsets, going.carrier].flatMap((peer) =>
      [...byesReceived(peer.messages).values()].map((atMs) => atMs - endMs),
    );
    // A leg that was never told is told infinitely late.
    while (byesMs.length < CALLS * 2) byesMs.push(Number.POSITIVE_INFINITY);
    return instantReadings(byesMs, {
      ...result,
      lastMs: quantile(result.lastMs, 1),
      failed,
    });
  } finally {
    witness.disconnect();
    await rig.stop();
  }
}

function instantReadings(
  byesMs: readonly number[],
  heard: { readonly cameLate: number; readonly lastMs: number; readonly [more: string]: unknown },
): Reading[] {
  const title = `${CALLS} calls that end at one instant`;
  const detail = { ...heard, earliestByeMs: quantile(byesMs, 0), p50ByeMs: quantile(byesMs, 0.5) };
  return [
    {
      id: 'cutoff.packets',
      title: `${title}: packets heard later than 5 ms`,
      unit: '',
      value: heard.cameLate,
      better: 'less',
      budget: { is: 'at most', value: 0 },
      reference: { text: 'one packet interval, 20 ms', measuredHere: false },
      detail,
    },
    { id: 'cutoff.last', title: `${title}: last packet heard`, unit: 'ms', value: heard.lastMs, better: 'less' },
    {
      id: 'cutoff.bye.p99',
      title: `${title}: BYE at both far ends, p99`,
      unit: 'ms',
      value: quantile(byesMs, 0.99),
      better: 'less',
      budget: { is: 'at most', value: 100 },
    },
    {
      id: 'cutoff.bye.max',
      title: `${title}: BYE at both far ends, the last`,
      unit: 'ms',
      value: quantile(byesMs, 1),
      better: 'less',
      budget: { is: 'at most', value: 250 },
    },
  ];
}

/** 200 calls limited to ten seconds, started at 50/s: from the 200 to the BYE, both as the handset saw them. */
export async function measureLimit(folder: string): Promise<Reading[]> {
  const rig = await Rig.start({ folder, challenged: true, talk: { maxTalkS: LIMIT_S, warningsS: [] } });
  try {
    await rig.warmUp();
    const going = await rig.place({ rate: RATE, calls: CALLS, patienceMs: (LIMIT_S + 5) * 1_000, traced: true });
    const { failed } = await going.done();
    if (failed > 0) throw new TooBusy(`${failed} calls failed`);
    const over = (ms: number) => ms - LIMIT_S * 1_000;
    const near = talkMs(going.handsets.messages, 'received').map(over);
    const far = talkMs(going.carrier.messages, 'sent').map(over);
    while (near.length < CALLS) near.push(Number.POSITIVE_INFINITY);
    const detail = {
      failed,
      atCarrierMs: { earliest: quantile(far, 0), p50: quantile(far, 0.5), p99: quantile(far, 0.99) },
    };
    const title = `${CALLS} calls limited to ${LIMIT_S} s`;
    const reading = (id: string, words: string, value: number, most: number, text?: string): Reading => ({
      id: `limit.${id}`,
      title: `${title}: BYE at the handset ${words}`,
      unit: 'ms',
      value,
      better: 'less',
      budget: { is: 'at most', value: most },
      ...(text === undefined ? {} : { reference: { text, measuredHere: false } }),
      detail,
    });
    return [
      reading('p50', 'after the limit, p50', quantile(near, 0.5), 8, 'Asterisk +12 ms'),
      reading('p99', 'after the limit, p99', quantile(near, 0.99), 15, 'Asterisk +16 ms'),
      {
        id: 'limit.carrier',
        title: `${title}: BYE at the carrier after its 200 and the limit, p99`,
        unit: 'ms',
        value: quantile(far, 0.99),
        better: 'less',
      },
      reading('early', 'before the limit, the earliest', Math.max(0, -quantile(near, 0)), 5),
    ];
  } finally {
    await rig.stop();
  }
}
