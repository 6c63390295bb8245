/**
 * What the SIP engine costs: parsing and printing, and whole calls through a bare drachtio-srf B2BUA with SIPp on both sides.
 * By itself: `node dist/scripts/bench/engine.js [--calls 200000]`. CPU is that of the engine's and the application's process,
 * from the operating system's accounting.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkMandatory } from '../../gateway/sip-engine/message/check.js';
import { DEFAULT_MESSAGE_LIMITS } from '../../gateway/sip-engine/message/limits.js';
import { isFault, parseMessage } from '../../gateway/sip-engine/message/parse.js';
import { printMessage } from '../../gateway/sip-engine/message/print.js';

export interface EngineFigures {
  /** An INVITE of 700 bytes with everything checked that is checked of a request from the network. */
  readonly parsedPerS: number;
  readonly printedPerS: number;
  /** CPU of engine and application for one call through the B2BUA, INVITE to BYE, milliseconds. */
  readonly cpuMsPerCall: number;
  readonly engineCpuMsPerCall: number;
  /** The highest offered rate of those tried at which fewer than 0.1 % of the calls failed; 0 when none. */
  readonly callsPerS: number;
  /** Resident memory of the engine in the second and third fifth of the run, and in its last two. */
  readonly memoryEarly: MemorySpan;
  readonly memoryLate: MemorySpan;
  readonly calls: number;
  readonly failed: number;
}

/**
 * The least and the most of some time, MiB. A transaction is kept for 32 s (RFC 3261 §17) and is old by then: V8 sweeps it away
 * when it thinks fit, so memory is a saw, and what would grow if something were never given back is its least.
 */
export interface MemorySpan {
  readonly leastMiB: number;
  readonly mostMiB: number;
}

export interface EngineBenchOptions {
  /** Calls of the longest run; 200,000 to see that memory stays flat. */
  readonly calls?: number;
  /** Calls a second of that run. */
  readonly rate?: number;
  /** Rates to try, a few seconds each. */
  readonly rates?: readonly number[];
}

const CLOCK_TICKS_PER_S = 100;
const MEMORY_LOOK_MS = 500;
const HERE = fileURLToPath(new URL('.', import.meta.url));
const ENGINE = join(HERE, '..', '..', 'gateway', 'sip-engine', 'main.js');

const SDP =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.20\r\ns=-\r\nc=IN IP4 192.0.2.20\r\nt=0 0\r\nm=audio 7000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n';
const INVITE = [
  'INVITE sip:00441632960123@192.0.2.10:5060 SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bK4b43c2ff8.1;rport',
  'Max-Forwards: 70',
  'From: "Cell 101" <sip:a101@192.0.2.10>;tag=ed3f2a1b',
  'To: <sip:00441632960123@192.0.2.10>',
  'Call-ID: 3848276298220188511@192.0.2.20',
  'CSeq: 102 INVITE',
  'Contact: <sip:a101@192.0.2.20:5060>',
  'Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, INFO',
  'Supported: timer, 100rel',
  'User-Agent: phone/1.2',
  'Content-Type: application/sdp',
  `Content-Length: ${SDP.length}`,
  '',
  SDP,
].join('\r\n');

function perSecond(work: () => void, forMs: number): number {
  for (let warm = 0; warm < 20_000; warm++) work();
  const fromMs = performance.now();
  let done = 0;
  while (performance.now() - fromMs < forMs) {
    for (let at = 0; at < 500; at++) work();
    done += 500;
  }
  return Math.round(done / ((performance.now() - fromMs) / 1000));
}

/** CPU that a process has used so far, seconds (proc(5)). */
function cpuS(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_S;
}

function residentMiB(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return Math.round(Number(line?.[1] ?? 0) / 102.4) / 10;
}

/** Of what was seen between two shares of the time. */
function spanOf(seenMiB: readonly number[], from: number, to: number): MemorySpan {
  const part = seenMiB.slice(Math.floor(seenMiB.length * from), Math.max(1, Math.ceil(seenMiB.length * to)));
  return { leastMiB: Math.min(...part), mostMiB: Math.max(...part) };
}

/** Resolves with the first line of a child that `wanted` accepts; rejects when it ends before. */
function lineOf(child: ChildProcess, wanted: (line: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`a process of the bench ended with status ${code}`)));
    if (child.stdout === null) return reject(new Error('no output to read'));
    createInterface({ input: child.stdout }).on('line', (line) => wanted(line) && resolve(line));
  });
}

/** One run of SIPp as caller; says how many calls failed. */
async function load(folder: string, port: number, rate: number, calls: number): Promise<number> {
  const stats = join(folder, `calls-${rate}-${calls}.csv`);
  const args = [
    `127.0.0.1:${port}`,
    '-sn',
    'uac',
    '-i',
    '127.0.0.1',
    '-nostdin',
    '-d',
    '0',
    '-r',
    String(rate),
    '-m',
    String(calls),
  ];
  const limit = ['-l', String(Math.max(200, rate * 4)), '-timeout', String(Math.ceil(calls / rate) + 60)];
  const caller = spawn('sipp', [...args, ...limit, '-trace_stat', '-stf', stats, '-fd', '1'], {
    stdio: 'ignore',
    cwd: folder,
  });
  const [code] = (await once(caller, 'exit')) as [number];
  const rows = readFileSync(stats, 'latin1').trim().split('\n');
  const column = rows[0]?.split(';').indexOf('FailedCall(C)') ?? -1;
  const failed = Number(rows.at(-1)?.split(';')[column] ?? Number.NaN);
  if (Number.isNaN(failed)) throw new Error(`sipp ended with status ${code} and without figures`);
  return failed;
}

/** Measures. Rejects when SIPp is missing or a process of its own ends. Takes about 25 s with the defaults. */
export async function measureEngine(options: EngineBenchOptions = {}): Promise<EngineFigures> {
  const { calls = 2_000, rate = 200, rates = [200, 400] } = options;
  const parsedPerS = perSecond(() => {
    const message = parseMessage(INVITE, DEFAULT_MESSAGE_LIMITS);
    if (isFault(message) || checkMandatory(message) !== undefined)
      throw new Error('the INVITE of the bench is refused');
  }, 1_000);
  const parsed = parseMessage(INVITE, DEFAULT_MESSAGE_LIMITS);
  if (isFault(parsed)) throw new Error(parsed.why);
  const printedPerS = perSecond(() => void printMessage(parsed), 1_000);

  const folder = mkdtempSync(join(tmpdir(), 'balise-bench-engine-'));
  const children: ChildProcess[] = [];
  const start = (args: readonly string[]): ChildProcess => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    return child;
  };
  try {
    // What SIPp offers from one address is more than one handset's.
    const limits = ['--contact', 'sip:127.0.0.1:0;transport=udp', '--admin', '127.0.0.1:0'];
    const engine = start(['--max-semi-space-size=16', ENGINE, ...limits]);
    const ready = JSON.parse(await lineOf(engine, (line) => line.includes('"ready"'))) as {
      readonly client: { readonly port: number };
      readonly listeners: readonly { readonly port: number }[];
    };
    const port = ready.listeners[0]?.port ?? 0;
    const calleePort = 20_000 + (process.pid % 20_000);
    const callee = spawn('sipp', ['-sn', 'uas', '-i', '127.0.0.1', '-p', String(calleePort), '-nostdin'], {
      stdio: 'ignore',
      cwd: folder,
    });
    children.push(callee);
    callee.once('error', (error) => process.stderr.write(`sipp: ${error.message}\n`));
    const application = start([
      join(HERE, 'engine-application.js'),
      String(ready.client.port),
      `sip:callee@127.0.0.1:${calleePort}`,
    ]);
    await lineOf(application, (line) => line === 'connected');
    const [enginePid, applicationPid] = [engine.pid ?? 0, application.pid ?? 0];
    // Warm, and the routes are known.
    await load(folder, port, 50, 100);

    const [engineFromS, applicationFromS] = [cpuS(enginePid), cpuS(applicationPid)];
    const memory = [residentMiB(enginePid)];
    const look = setInterval(() => memory.push(residentMiB(enginePid)), MEMORY_LOOK_MS);
    const failed = await load(folder, port, rate, calls).finally(() => clearInterval(look));
    const engineS = cpuS(enginePid) - engineFromS;
    const applicationS = cpuS(applicationPid) - applicationFromS;
    let callsPerS = 0;
    for (const offered of rates) {
      if ((await load(folder, port, offered, offered * 5)) < offered * 5 * 0.001) callsPerS = offered;
    }
    return {
      parsedPerS,
      printedPerS,
      cpuMsPerCall: Math.round(((engineS + applicationS) * 100_000) / calls) / 100,
      engineCpuMsPerCall: Math.round((engineS * 100_000) / calls) / 100,
      callsPerS,
      memoryEarly: spanOf(memory, 0.2, 0.6),
      memoryLate: spanOf(memory, 0.6, 1),
      calls,
      failed,
    };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { calls: { type: 'string' }, rate: { type: 'string' }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    process.stdout.write(
      'Usage: node dist/scripts/bench/engine.js [--calls 2000] [--rate 200]\nNeeds SIPp (Debian: sip-tester).\n',
    );
  } else {
    const figures = await measureEngine({
      ...(values.calls !== undefined && { calls: Number(values.calls) }),
      ...(values.rate !== undefined && { rate: Number(values.rate) }),
    });
    process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
  }
}
