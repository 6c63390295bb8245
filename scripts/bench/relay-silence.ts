/**
 * How soon a call is silent: from the order to close it, and from its deadline, to the last packet that still came through,
 * by our own relay and by rtpengine in the same run. `node dist/scripts/bench/relay-silence.js [calls]` prints JSON.
 */
import { spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { Temporal } from 'temporal-polyfill';
import type { CallEvent, CallSink } from '../../gateway/calls/ports.js';
import { systemClock } from '../../gateway/clock/system-clock.js';
import type { MediaDriver } from '../../gateway/media/media-driver.js';
import { RelayPlane } from '../../gateway/media/relay-plane.js';
import { RtpenginePlane } from '../../gateway/media/rtpengine/rtpengine-plane.js';
import { type CallId, callId, handsetId } from '../../gateway/policy/ids.js';
import { STEADY_HEAP } from '../../gateway/supervisor/node-flags.js';
import { hasRtpengine, startRtpengine } from './rtpengine.js';

const ADDRESS = '127.0.0.1';
const HEADER = 12;
const SAMPLES = 160;
/** A packet each millisecond: the last one tells the end to a millisecond. */
const EVERY_MS = 1;
const AFTER_MS = 300;
const clock = systemClock(() => ({ trusted: true }));
const log = pino({ level: 'silent' });
const wait = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));

export interface Silence {
  /** From the order, or the deadline, to the sending of the last packet that arrived: milliseconds; negative before it. */
  readonly p50Ms: number;
  readonly maxMs: number;
}

/** A sender that stamps its packets, and the ear at the other end that reads the stamps. */
class Way {
  lastNs = 0n;
  #sequence = 0;
  readonly #packet = Buffer.alloc(HEADER + SAMPLES, 0xd5);
  constructor(
    readonly from: Socket,
    readonly to: Socket,
    ssrc: number,
  ) {
    this.#packet.writeUInt16BE(0x8008);
    this.#packet.writeUInt32BE(ssrc, 8);
    to.on('message', (packet) => {
      this.lastNs = packet.readBigInt64BE(HEADER);
    });
  }

  send(port: number): void {
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#packet.writeUInt16BE(this.#sequence, 2);
    this.#packet.writeUInt32BE((this.#sequence * 8) >>> 0, 4);
    this.#packet.writeBigInt64BE(clock.monotonicNs(), HEADER);
    this.from.send(Buffer.from(this.#packet), port, ADDRESS);
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, ADDRESS);
  await once(socket, 'listening');
  return socket;
}

const sdpAt = (port: number): string =>
  `v=0\r\no=- 1 1 IN IP4 ${ADDRESS}\r\ns=-\r\nc=IN IP4 ${ADDRESS}\r\nt=0 0\r\nm=audio ${port} RTP/AVP 8\r\n`;
const portIn = (sdp: string): number => Number(/m=audio (\d+)/.exec(sdp)?.[1]);

/** One call, talking, until `end` ends it; tells how long after the instant that `end` gives the last packet had been sent. */
async function silentAfterMs(plane: MediaDriver, call: CallId, how: 'close' | 'deadline'): Promise<number> {
  const events: CallEvent[] = [];
  const sink: CallSink = {
    request: () => undefined,
    planeLost: () => undefined,
    event: (_, event) => events.push(event),
  };
  plane.setSink(sink);
  const heard = async <T extends CallEvent['type']>(type: T): Promise<Extract<CallEvent, { type: T }>> => {
    for (let tries = 0; tries < 2_000; tries++) {
      const found = events.find((event) => event.type === type);
      if (found !== undefined) return found as Extract<CallEvent, { type: T }>;
      await wait(1);
    }
    throw new Error(`no ${type} among ${JSON.stringify(events)}`);
  };
  const [handset, trunk] = [await bound(), await bound()];
  const order = { handset: handsetId('bench'), earlyMedia: false, digitsAllowed: '' };
  plane.open(call, { ...order, handsetOffer: sdpAt(handset.address().port) });
  const { trunkOffer } = await heard('media-opened');
  plane.connect(call, sdpAt(trunk.address().port), true);
  const { handsetAnswer } = await heard('media-connected');
  const ways = [new Way(handset, trunk, 1), new Way(trunk, handset, 2)] as const;
  const talk = setInterval(() => {
    ways[0].send(portIn(handsetAnswer));
    ways[1].send(portIn(trunkOffer));
  }, EVERY_MS);
  const leftMs = how === 'deadline' ? 300 : 60_000;
  const monotonicNs = clock.monotonicNs() + BigInt(leftMs) * 1_000_000n;
  const wall = Temporal.Now.instant().add({ milliseconds: leftMs });
  plane.arm(call, { monotonicNs, wall, bootId: 'bench' }, []);
  await heard('armed');
  let fromNs = monotonicNs;
  if (how === 'close') {
    await wait(200);
    fromNs = clock.monotonicNs();
  } else await heard('deadline-passed');
  plane.close(call);
  await wait(AFTER_MS);
  clearInterval(talk);
  const [lastNs = 0n] = ways.map((way) => way.lastNs).sort((a, b) => Number(b - a));
  handset.close();
  trunk.close();
  return Number(lastNs - fromNs) / 1e6;
}

export interface Silences {
  readonly close: Silence;
  readonly deadline: Silence;
}

async function measure(plane: MediaDriver, calls: number): Promise<Silences> {
  const figures = async (how: 'close' | 'deadline'): Promise<Silence> => {
    const all: number[] = [];
    for (let i = 0; i < calls; i++) all.push(await silentAfterMs(plane, callId(`${how}-${i}`), how));
    all.sort((a, b) => a - b);
    return { p50Ms: all[Math.floor(all.length / 2)] ?? Number.NaN, maxMs: all.at(-1) ?? Number.NaN };
  };
  const measured = { close: await figures('close'), deadline: await figures('deadline') };
  plane.detach();
  return measured;
}

async function ofRelay(calls: number) {
  const folder = mkdtempSync(join(tmpdir(), 'balise-bench-'));
  const socket = join(folder, 'relay.sock');
  const script = fileURLToPath(new URL('../../gateway/media/relay/main.js', import.meta.url));
  const child = spawn(process.execPath, [...STEADY_HEAP, script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const config = { socket, cellAddress: ADDRESS, carrierAddress: ADDRESS, ports: null, exitWhenOrphaned: true };
  child.stdin.write(`${JSON.stringify(config)}\n`);
  await once(createInterface({ input: child.stdout }), 'line');
  const plane = new RelayPlane({ clock, log });
  await plane.attach(socket);
  try {
    return await measure(plane, calls);
  } finally {
    child.stdin.end();
    await exited;
    rmSync(folder, { recursive: true, force: true });
  }
}

async function ofRtpengine(calls: number) {
  if (!hasRtpengine()) return undefined;
  const daemon = await startRtpengine({ from: 40_000, to: 40_000 + calls * 20 + 200 });
  const plane = new RtpenginePlane({ clock, log, owner: 'bench' });
  try {
    await plane.attach(ADDRESS, daemon.ngPort);
    return await measure(plane, calls);
  } finally {
    plane.detach();
    await daemon.stop();
  }
}

/** Ends so many calls each way on our relay, and on rtpengine where that is installed. */
export async function benchSilence(
  calls: number,
): Promise<{ readonly relay: Silences; readonly rtpengine: Silences | undefined }> {
  return { relay: await ofRelay(calls), rtpengine: await ofRtpengine(calls) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const calls = Math.min(50, Number(process.argv[2] ?? 20));
  console.log(JSON.stringify({ calls, ...(await benchSilence(calls)) }, null, 2));
}
