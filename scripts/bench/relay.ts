/**
 * What the relay costs and how late its packets are, beside rtpengine in user space where that is installed.
 * By itself: `node dist/scripts/bench/relay.js [calls] [seconds]` prints both kinds of pacing as JSON; `relay.js sweep [seconds]`
 * goes from 50 to 800 calls, and shows the relay with its ear open for keys in the speech as well.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../gateway/clock/system-clock.js';
import { RelayLink } from '../../gateway/media/relay-link.js';
import { STEADY_HEAP } from '../../gateway/supervisor/node-flags.js';
import { minded } from './children.js';
import { cpuSeconds, memoryOf } from './processes.js';
import { type LoadResult, type LoadStream, type Pacing, RtpLoad } from './rtp-load.js';
import { hasRtpengine, startRtpengine } from './rtpengine.js';
import { TooBusy } from './too-busy.js';

const ADDRESS = '127.0.0.1';
const LOAD_SOCKETS = 8;
const WARM_UP_S = 2;
/** The least share of the packets that the load must have sent for the figures to mean anything. */
const OFFERED = 0.97;
const VOICE = { voice: [{ codec: 'pcma', payloadType: 8 }], eventsPass: true } as const;

export interface RelayFigures {
  readonly cpuPercentOfOneCore: number;
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly p50DelayMs: number;
  readonly p99DelayMs: number;
  readonly maxDelayMs: number;
  /** Resident at the end of the run, MB. */
  readonly memoryMb: number;
}

export interface RelayBench {
  readonly calls: number;
  /** At most 60. */
  readonly seconds: number;
  /** Default: bursts. */
  readonly pacing?: Pacing;
  /** The relay listens for keys in the speech of every handset. Default: no. */
  readonly listens?: boolean;
}

/** A peer to be measured: its process, and how a call is put up between two ports of the load. */
interface Subject {
  readonly pid: number;
  /** Settles with the ports at which the handset's and the trunk's packets are taken. */
  readonly call: (handsetPort: number, trunkPort: number) => Promise<{ handset: number; trunk: number }>;
  readonly stop: () => Promise<void>;
}

/** Measures our relay's own process, spawned for it. */
export async function benchRelay(bench: RelayBench): Promise<RelayFigures> {
  return measure(await startRelay(bench), bench);
}

/** Measures rtpengine under the same load; undefined where it is not installed. */
export async function benchRtpengine(bench: RelayBench): Promise<RelayFigures | undefined> {
  if (!hasRtpengine()) return undefined;
  const daemon = await startRtpengine({ from: 40_000, to: 40_000 + bench.calls * 6 + 100 });
  let last = 0;
  return measure(
    {
      pid: daemon.pid,
      stop: daemon.stop,
      call: async (handsetPort, trunkPort) => {
        const call = `bench-${++last}`;
        const trunk = portOf(await daemon.ask('offer', call, sdpAt(handsetPort)));
        const handset = portOf(await daemon.ask('answer', call, sdpAt(trunkPort)));
        return { handset, trunk };
      },
    },
    bench,
  );
}

async function startRelay({ seconds, listens }: RelayBench): Promise<Subject> {
  const folder = mkdtempSync(join(tmpdir(), 'balise-bench-'));
  const socket = join(folder, 'relay.sock');
  const script = fileURLToPath(new URL('../../gateway/media/relay/main.js', import.meta.url));
  const child = minded(spawn(process.execPath, [...STEADY_HEAP, script], { stdio: ['pipe', 'pipe', 'inherit'] }));
  const exited = once(child, 'exit');
  const config = { socket, cellAddress: ADDRESS, carrierAddress: ADDRESS, ports: null, exitWhenOrphaned: true };
  child.stdin.write(`${JSON.stringify(config)}\n`);
  const lines = createInterface({ input: child.stdout });
  await once(lines, 'line');

  const clock = systemClock(() => ({ trusted: true }));
  const link = await RelayLink.connect(socket, {
    clock,
    onNotice: () => undefined,
    onLost: (why) => console.error(`the relay was lost: ${why}`),
  });
  const atNs = String(clock.monotonicNs() + BigInt(seconds + WARM_UP_S + 60) * 1_000_000_000n);
  let last = 0;
  return {
    pid: child.pid ?? 0,
    call: async (handsetPort, trunkPort) => {
      const call = `bench-${++last}`;
      const peer = (port: number) => ({ address: ADDRESS, port, rtcpPort: 0, networks: [] });
      const opened = await link.order({
        do: 'open',
        call,
        handset: peer(handsetPort),
        earlyMedia: false,
        digitsAllowed: '',
        digitsInSpeech: listens === true,
      });
      if (opened.event === 'failed') throw new Error(`${opened.code}: ${opened.why}`);
      await link.order({ do: 'connect', call, trunk: peer(trunkPort), toTrunk: VOICE, toHandset: VOICE });
      const armed = await link.order({ do: 'arm', call, atNs, warningsS: [] });
      if (armed.event === 'failed') throw new Error(`${armed.code}: ${armed.why}`);
      return { handset: opened.handsetSide.port, trunk: opened.trunkSide.port };
    },
    stop: async () => {
      link.close();
      child.stdin.end();
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function measure(subject: Subject, { calls, seconds, pacing = 'bursts' }: RelayBench): Promise<RelayFigures> {
  if (seconds > 60 || calls > 5_000) throw new RangeError('at most 60 s and 5,000 calls');
  const load = new RtpLoad();
  try {
    load.order({ do: 'bind', sockets: LOAD_SOCKETS * 2, address: ADDRESS });
    const { ports } = await load.said('bound');
    const streams: LoadStream[] = [];
    for (let i = 0; i < calls; i++) {
      const handset = i % LOAD_SOCKETS;
      const trunk = LOAD_SOCKETS + handset;
      const ends = await subject.call(ports[handset] ?? 0, ports[trunk] ?? 0);
      streams.push({ socket: handset, port: ends.handset }, { socket: trunk, port: ends.trunk });
    }
    load.order({ do: 'run', address: ADDRESS, streams, warmUpS: WARM_UP_S, seconds, pacing });
    await load.said('measuring');
    const before = cpuSeconds(subject.pid);
    await load.said('measured');
    const cpuS = cpuSeconds(subject.pid) - before;
    const memoryMb = memoryOf(subject.pid).residentMb;
    const { result } = await load.said('done');
    const due = calls * 2 * (seconds * 50);
    if (result.sent < due * OFFERED) throw new TooBusy(`the load sent ${result.sent} of ${due} packets`);
    return figures(result, (cpuS / seconds) * 100, memoryMb);
  } finally {
    await load.stop();
    await subject.stop();
  }
}

function figures(result: LoadResult, cpuPercentOfOneCore: number, memoryMb: number): RelayFigures {
  return { cpuPercentOfOneCore, ...result, lost: result.sent - result.received, memoryMb };
}

const sdpAt = (port: number): string =>
  `v=0\r\no=- 1 1 IN IP4 ${ADDRESS}\r\ns=-\r\nc=IN IP4 ${ADDRESS}\r\nt=0 0\r\nm=audio ${port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n`;

function portOf(sdp: string): number {
  const port = /m=audio (\d+)/.exec(sdp)?.[1];
  if (port === undefined) throw new Error('rtpengine gave no port');
  return Number(port);
}

/** A load that this machine cannot make is said, and what comes after it is still measured. */
async function orTooBusy<T>(measured: Promise<T>): Promise<T | { readonly notMeasured: string }> {
  try {
    return await measured;
  } catch (fault) {
    if (fault instanceof TooBusy) return { notMeasured: fault.message };
    throw fault;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sweeps = process.argv[2] === 'sweep';
  for (const calls of sweeps ? [50, 100, 200, 400, 600, 800] : []) {
    const bench = { calls, seconds: Number(process.argv[3] ?? 5), pacing: 'even' } as const;
    const relay = await orTooBusy(benchRelay(bench));
    const listening = await orTooBusy(benchRelay({ ...bench, listens: true }));
    const rtpengine = await orTooBusy(benchRtpengine(bench));
    console.log(JSON.stringify({ ...bench, relay, listening, rtpengine }));
  }
  if (sweeps) process.exit(0);
  const calls = Number(process.argv[2] ?? 400);
  const seconds = Number(process.argv[3] ?? 10);
  for (const pacing of ['bursts', 'even'] as const) {
    const bench = { calls, seconds, pacing };
    const [relay, rtpengine] = [await benchRelay(bench), await benchRtpengine(bench)];
    console.log(JSON.stringify({ ...bench, relay, rtpengine }, null, 2));
  }
}
