/**
 * The load of the relay's benchmark, a process of its own: two-way G.711 calls, one packet each 20 ms and way, and what
 * came of them. Started by `fork`; it ends when told, when done, or when its parent goes.
 */
import type { Socket } from 'node:dgram';
import { performance } from 'node:perf_hooks';
import { bindRtp, RTP_HEADER, RTP_PAYLOAD, rtpPacket } from './rtp-socket.js';

/** One way of one call: from which of our sockets, to which port of the relay. */
export interface LoadStream {
  readonly socket: number;
  readonly port: number;
}

export type LoadOrder =
  | { readonly do: 'bind'; readonly sockets: number; readonly address: string }
  | {
      readonly do: 'run';
      readonly address: string;
      readonly streams: readonly LoadStream[];
      readonly warmUpS: number;
      readonly seconds: number;
      readonly pacing: Pacing;
    };

/**
 * `even`: each packet leaves at its own instant, as those of many telephones do; the load then keeps a core for itself.
 * `bursts`: those of a millisecond leave together, and the load sleeps between.
 */
export type Pacing = 'even' | 'bursts';

export interface LoadResult {
  readonly sent: number;
  readonly received: number;
  readonly p50DelayMs: number;
  readonly p99DelayMs: number;
  readonly maxDelayMs: number;
}

export type LoadSays =
  | { readonly says: 'bound'; readonly ports: readonly number[] }
  | { readonly says: 'measuring' }
  | { readonly says: 'measured' }
  | { readonly says: 'done'; readonly result: LoadResult };

const PACKET_MS = 20;
const DRAIN_MS = 500;
const PCMA = 8;
/** In the payload: the instant of sending, and whether the packet counts. */
const STAMP_AT = RTP_HEADER;
const COUNTS_AT = RTP_HEADER + 8;
/** So many packets leave between two looks at what came back. */
const BURST = 2;

let sockets: Socket[] = [];
let received = 0;
let delays = new Float64Array(0);

const say = (said: LoadSays): void => {
  process.send?.(said);
};

function take(packet: Buffer): void {
  const nowMs = performance.now();
  if (packet.length !== RTP_HEADER + RTP_PAYLOAD || packet[COUNTS_AT] !== 1) return;
  if (received < delays.length) delays[received] = nowMs - packet.readDoubleBE(STAMP_AT);
  received++;
}

async function bind(count: number, address: string): Promise<void> {
  sockets = await bindRtp(count, address);
  for (const socket of sockets) socket.on('message', take);
  say({ says: 'bound', ports: sockets.map((socket) => socket.address().port) });
}

async function run({ address, streams, warmUpS, seconds, pacing }: Extract<LoadOrder, { do: 'run' }>): Promise<void> {
  const packets = streams.map((_, index) => rtpPacket(index, PCMA));
  delays = new Float64Array(Math.ceil(((seconds * 1_000) / PACKET_MS + 2) * streams.length));
  const beginMs = performance.now();
  const measureMs = beginMs + warmUpS * 1_000;
  const endMs = measureMs + seconds * 1_000;
  let sent = 0;
  let next = 0;
  let measuring = false;

  // Packet k of the whole load is due k/n of an interval after the start, so that the streams are spread evenly.
  const send = (): boolean => {
    const index = next % streams.length;
    const round = Math.floor(next / streams.length);
    const dueMs = beginMs + (round + index / streams.length) * PACKET_MS;
    const nowMs = performance.now();
    const stream = streams[index];
    const packet = packets[index];
    if (stream === undefined || packet === undefined || dueMs > nowMs) return false;
    next++;
    packet.writeUInt16BE(round & 0xffff, 2);
    packet.writeUInt32BE((round * RTP_PAYLOAD) >>> 0, 4);
    packet.writeDoubleBE(nowMs, STAMP_AT);
    packet[COUNTS_AT] = measuring ? 1 : 0;
    if (measuring) sent++;
    sockets[stream.socket]?.send(packet, stream.port, address);
    return true;
  };

  await new Promise<void>((resolve) => {
    const pump = (): void => {
      const nowMs = performance.now();
      if (!measuring && nowMs >= measureMs) {
        measuring = true;
        say({ says: 'measuring' });
      }
      if (nowMs >= endMs) {
        resolve();
        return;
      }
      let busy = true;
      for (let i = 0; i < BURST && busy; i++) busy = send();
      if (busy || pacing === 'even') setImmediate(pump);
      else setTimeout(pump, 1);
    };
    pump();
  });
  say({ says: 'measured' });
  await new Promise((resolve) => setTimeout(resolve, DRAIN_MS));
  const sorted = delays.subarray(0, Math.min(received, delays.length)).sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  say({
    says: 'done',
    result: { sent, received, p50DelayMs: at(0.5), p99DelayMs: at(0.99), maxDelayMs: at(1) },
  });
}

process.on('disconnect', () => process.exit(0));
process.on('message', (order: LoadOrder) => {
  const doing = order.do === 'bind' ? bind(order.sockets, order.address) : run(order);
  doing.catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
