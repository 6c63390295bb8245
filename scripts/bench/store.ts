/**
 * What the disk and the way to headquarters carry: durable events one by one and in batches, whole calls, usage as the ledger
 * grows, and the drain of the outbox to mosquitto where that is installed.
 * By itself: `node dist/scripts/bench/store.js [calls in the ledger]`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Temporal } from 'temporal-polyfill';
import type { CallRequest, EventDraft } from '../../gateway/calls/ports.js';
import type { CallRecord } from '../../gateway/calls/record.js';
import { systemClock } from '../../gateway/clock/system-clock.js';
import type { Grant } from '../../gateway/policy/decision.js';
import { callId, type E164, handsetId } from '../../gateway/policy/ids.js';
import { DATABASE_FILE, openStore } from '../../gateway/store/open.js';
import type { Store } from '../../gateway/store/store.js';
import { uuid7 } from '../../gateway/store/uuid7.js';
import { Uplink } from '../../gateway/uplink/uplink.js';
import { aDialog, aGrant, aRecord } from '../peers/call.js';
import { answers, freePort } from '../peers/free-port.js';
import { minded } from './children.js';

export interface StoreFigures {
  /** Each a transaction past fsync. */
  readonly singleEventsPerS: number;
  /** A hundred a transaction, past fsync. */
  readonly batchedEventsPerS: number;
  /** Open, two dialogs, deadline (past fsync), record with its event (past fsync). */
  readonly callsPerS: number;
  /** A look at a handset's and a number's usage, with few calls in the ledger and with many, microseconds. */
  readonly usageUs: { readonly calls: number; readonly us: number }[];
  /** Events of 1 kB confirmed by mosquitto; absent where it is not installed. */
  readonly drainPerS?: number;
  /** Opening and checking the store with all that in it, milliseconds. */
  readonly openMs: number;
}

const clock = systemClock(() => ({ trusted: true }));
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const HANDSETS = 50;
/** Calls in the small ledger. */
const SMALL = 1_000;
const MOSQUITTO = ['/usr/sbin/mosquitto', '/usr/bin/mosquitto', '/usr/local/sbin/mosquitto'].find(existsSync);

function seconds(work: () => void): number {
  const from = clock.monotonicNs();
  work();
  return Number(clock.monotonicNs() - from) / 1e9;
}

const draft: EventDraft = { kind: 'event', type: 'balise.bench.event', data: { text: 'x'.repeat(600), n: 1 } };

function aCall(n: number, at: Temporal.Instant): { request: CallRequest; grant: Grant; record: CallRecord } {
  const call = callId(uuid7(at.epochMilliseconds));
  const number = `+4420794600${String(n % 100).padStart(2, '0')}` as E164;
  const of = { handset: handsetId(`h-${n % HANDSETS}`), number };
  return {
    request: { call, handset: of.handset, dialled: number, at, offer: 'v=0\r\n'.repeat(60), source: '127.0.0.1' },
    grant: aGrant(at, of),
    record: aRecord(call, at, of),
  };
}

async function wholeCall(store: Store, n: number, at: Temporal.Instant): Promise<void> {
  const { request, grant, record } = aCall(n, at);
  const dialogs = [aDialog('handset', request.call), aDialog('trunk', request.call)];
  store.calls.open(request, grant);
  store.calls.saveDialogs(request.call, dialogs);
  const deadline = { wall: grant.notAfter, monotonicNs: 1n, bootId: 'bench' };
  await new Promise<void>((resolve, reject) => {
    const done = (fault?: Error): void => (fault === undefined ? resolve() : reject(fault));
    store.calls.commitDeadline(request.call, at, deadline, dialogs, done);
  });
  store.calls.record(record, [draft]);
}

/** One call of the site each so many milliseconds. */
const APART_MS = 5_000;

/** Fills the ledger up to now, past the store's own door: a bench need not wait for a million fsyncs. */
function fill(store: Store, calls: number): void {
  const from = clock.wall().subtract({ milliseconds: APART_MS * calls });
  store.inOneTransaction(() => {
    for (let n = 0; n < calls; n += 1) {
      store.calls.record(aCall(n, from.add({ milliseconds: APART_MS * n })).record, []);
    }
  });
}

function usageUs(store: Store): number {
  const sinceMs = clock.wall().subtract({ hours: 1 }).epochMilliseconds;
  const looks = 5_000;
  const took = seconds(() => {
    for (let n = 0; n < looks; n += 1) {
      const number = `+4420794600${String(n % 100).padStart(2, '0')}`;
      store.calls.used({ kind: 'handset', id: `h-${n % HANDSETS}` }, sinceMs);
      store.calls.used({ kind: 'number', id: number }, sinceMs);
    }
  });
  return (took / looks) * 1e6;
}

/** Measures on a folder of its own below the system's temporary folder, and takes about 20 s with a million calls. */
export async function benchStore(ledgerCalls = 1_000_000): Promise<StoreFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'balise-bench-store-'));
  const open = () => openStore({ folder, clock, gatewayId: 'bench/gw-1', bootId: 'bench', log: quiet });
  let store = open();
  try {
    const singles = 5_000;
    const single = seconds(() => {
      for (let n = 0; n < singles; n += 1) store.calls.append([draft]);
    });
    const batch = Array.from({ length: 100 }, () => draft);
    const batched = seconds(() => {
      for (let n = 0; n < 300; n += 1) store.calls.append(batch);
    });
    const drainPerS = await drain(store);
    const calls = 1_000;
    const callsFromNs = clock.monotonicNs();
    for (let n = 0; n < calls; n += 1) await wholeCall(store, n, clock.wall().subtract({ hours: 1_400 }));
    const called = Number(clock.monotonicNs() - callsFromNs) / 1e9;
    // As many calls in the last hour both times, so that only the ledger's size differs.
    fill(store, SMALL);
    const few = { calls: calls + SMALL, us: usageUs(store) };
    store.close();
    rmSync(join(folder, DATABASE_FILE));
    store = open();
    fill(store, ledgerCalls);
    const many = { calls: ledgerCalls, us: usageUs(store) };
    store.close();
    const opened = seconds(() => {
      store = open();
    });
    return {
      singleEventsPerS: Math.round(singles / single),
      batchedEventsPerS: Math.round(30_000 / batched),
      callsPerS: Math.round(calls / called),
      usageUs: [few, many],
      ...(drainPerS === undefined ? {} : { drainPerS }),
      openMs: opened * 1_000,
    };
  } finally {
    store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Sends what the outbox holds to a mosquitto of its own, up to the last confirmation. */
async function drain(store: Store): Promise<number | undefined> {
  if (MOSQUITTO === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'balise-bench-mosquitto-'));
  const port = await freePort();
  const conf = join(folder, 'mosquitto.conf');
  writeFileSync(
    conf,
    `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 200\nset_tcp_nodelay true\n`,
  );
  const broker = minded(spawn(MOSQUITTO, ['-c', conf], { stdio: 'ignore' }));
  const gone = once(broker, 'exit');
  const depth = store.outbox.depth();
  let uplink: Uplink | undefined;
  try {
    await reachable(port);
    const outbox = store.outbox;
    let settle = (_ns: bigint): void => undefined;
    const done = new Promise<bigint>((resolve) => {
      settle = resolve;
    });
    let beganNs: bigint | undefined;
    uplink = new Uplink({
      config: { url: `mqtt://127.0.0.1:${port}`, commandKeys: [], tokenKey: '', statusS: 3_600 },
      gatewayId: 'bench/gw-1',
      version: 'bench',
      bootId: 'bench',
      clock,
      store: {
        ...outbox,
        pending: (after, limit) => {
          beganNs ??= clock.monotonicNs();
          return outbox.pending(after, limit);
        },
        acknowledge: (sequences) => {
          outbox.acknowledge(sequences);
          if (outbox.depth() === 0) settle(clock.monotonicNs());
        },
      },
      status: () => ({ clock: { trusted: true }, disk: store.roomLeft() }),
      onCommand: async () => ({ outcome: 'done' }),
      log: quiet,
    });
    uplink.start();
    const endedNs = await done;
    return Math.round(depth / (Number(endedNs - (beganNs ?? endedNs)) / 1e9));
  } finally {
    await uplink?.stop();
    broker.kill('SIGTERM');
    await gone;
    rmSync(folder, { recursive: true, force: true });
  }
}

async function reachable(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await answers(port)) return;
    await pause(25);
  }
  throw new Error('mosquitto does not answer');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(JSON.stringify(await benchStore(Number(process.argv[2] ?? 1_000_000)), undefined, 2));
}
