/**
 * The audio ends of the calls that are cut off, a process of its own: both ways of each call send G.711 every 20 ms and go on
 * after the deadline; what was heard, and when, is the far ends' own word. Started by `fork`; it ends when told, when done,
 * or when its parent goes.
 */
import type { Socket } from 'node:dgram';
import { performance } from 'node:perf_hooks';
import { bindRtp, RTP_HEADER, rtpPacket } from './rtp-socket.js';

/** One way of one call: from which of our sockets, to which port of the relay. */
export interface WitnessStream {
  readonly socket: number;
  readonly port: number;
}

export type WitnessOrder =
  | { readonly do: 'bind'; readonly sockets: number; readonly address: string }
  | {
      readonly do: 'watch';
      readonly address: string;
      readonly streams: readonly WitnessStream[];
      /** The instant at which all calls end, wall clock, epoch milliseconds. */
      readonly deadlineMs: number;
      /** How long to go on sending after it. */
      readonly onMs: number;
    };

export interface Witnessed {
  /** Streams of which anything was heard. */
  readonly heardStreams: number;
  readonly heardPackets: number;
  /** For each stream that was heard: its last packet, milliseconds after the deadline (before it: negative). */
  readonly lastMs: readonly number[];
  /**
   * Packets that came more than 5 ms after the deadline, which is what reading two clocks may err by: this process had looked
   * after that instant, and they were not there yet.
   */
  readonly cameLate: number;
  /** The longest that this process did not look, around the deadline and after it, milliseconds. */
  readonly blindMs: number;
  /** Packets that left us after the deadline and came through all the same. */
  readonly leftLate: number;
}

export type WitnessSays =
  | { readonly says: 'bound'; readonly ports: readonly number[] }
  | { readonly says: 'talking' }
  | { readonly says: 'done'; readonly result: Witnessed };

const PACKET_MS = 20;
const READING_MS = 5;
/** In the payload: the instant of sending, and which stream it is of. */
const STAMP_AT = RTP_HEADER;
const STREAM_AT = RTP_HEADER + 8;

let sockets: Socket[] = [];
const say = (said: WitnessSays): void => {
  process.send?.(said);
};

/** What to add to this process's monotonic milliseconds for wall clock ones, read at the turn of a millisecond. */
function wallOffsetMs(): number {
  const begun = Date.now();
  for (;;) {
    const wall = Date.now();
    if (wall !== begun) return wall - performance.now();
  }
}

function watch({ address, streams, deadlineMs, onMs }: Extract<WitnessOrder, { do: 'watch' }>): void {
  const deadline = deadlineMs - wallOffsetMs();
  const last = new Float64Array(streams.length).fill(Number.NaN);
  let heardPackets = 0;
  let cameLate = 0;
  let leftLate = 0;
  let lookedMs = performance.now();
  let blindMs = 0;
  for (const socket of sockets) {
    socket.on('message', (packet) => {
      const now = performance.now();
      heardPackets += 1;
      last[packet.readUInt32BE(STREAM_AT)] = now;
      if (lookedMs > deadline + READING_MS) cameLate += 1;
      if (packet.readDoubleBE(STAMP_AT) > deadline) leftLate += 1;
    });
  }
  const packets = streams.map((_, index) => {
    const packet = rtpPacket(index, 0);
    packet.writeUInt32BE(index, STREAM_AT);
    return packet;
  });
  const begun = performance.now();
  let next = 0;
  const pump = setInterval(() => {
    const now = performance.now();
    // Timers run before sockets are read: whatever had come by the last turn of this timer has been read since.
    if (now > deadline - PACKET_MS) blindMs = Math.max(blindMs, now - lookedMs);
    lookedMs = now;
    // Packet k of the whole is due k/n of an interval after the start, so that the streams are spread evenly.
    for (;;) {
      const index = next % streams.length;
      const round = Math.floor(next / streams.length);
      const stream = streams[index];
      const packet = packets[index];
      if (stream === undefined || packet === undefined) break;
      if (begun + (round + index / streams.length) * PACKET_MS > now) break;
      next += 1;
      packet.writeUInt16BE(round & 0xffff, 2);
      packet.writeUInt32BE((round * 160) >>> 0, 4);
      packet.writeDoubleBE(performance.now(), STAMP_AT);
      sockets[stream.socket]?.send(packet, stream.port, address);
    }
    if (now < deadline + onMs) return;
    clearInterval(pump);
    const lastMs = [...last].filter((at) => !Number.isNaN(at)).map((at) => at - deadline);
    say({ says: 'done', result: { heardStreams: lastMs.length, heardPackets, lastMs, cameLate, leftLate, blindMs } });
  }, 1);
  say({ says: 'talking' });
}

process.on('disconnect', () => process.exit(0));
process.on('message', (order: WitnessOrder) => {
  if (order.do === 'watch') {
    watch(order);
    return;
  }
  bindRtp(order.sockets, order.address).then(
    (bound) => {
      sockets = bound;
      say({ says: 'bound', ports: bound.map((socket) => socket.address().port) });
    },
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
