/**
 * What headquarters carries: the way of an event from a gateway's disk into its database, rows a second into SQLite and
 * PostgreSQL, and a fleet of simulated gateways on this machine with its CPU and memory. Durable events and the drain are in
 * `store.ts`. By itself: `node dist/scripts/bench/uplink.js [gateways] [seconds]`.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EventEnvelope } from '../../config/schema/types.generated.js';
import { systemClock } from '../../gateway/clock/system-clock.js';
import { type ChainEnd, chained, GENESIS } from '../../gateway/store/chain.js';
import { openStore } from '../../gateway/store/open.js';
import { Uplink } from '../../gateway/uplink/uplink.js';
import { startDemoBroker } from '../headquarters/demo-broker.js';
import { Ingester } from '../headquarters/ingester.js';
import type { CheckedEvent } from '../headquarters/records/checked-event.js';
import type { Database } from '../headquarters/records/database.js';
import { storeBatch } from '../headquarters/records/ingest.js';
import { openDatabase } from '../headquarters/records/schema.js';
import { BenchMosquitto, mosquittoProgram } from './mosquitto-server.js';
import { PostgresServer, postgresPrograms } from './postgres-server.js';

export interface UplinkFigures {
  /** From the gateway's disk to headquarters' commit, at 100 events/s, milliseconds. */
  readonly endToEndMs: { readonly p50: number; readonly p99: number };
  /** Events stored a second, 500 a transaction, past fsync. */
  readonly rowsPerS: { readonly sqlite: number; readonly postgres?: number };
  readonly fleet: FleetFigures;
}

export interface FleetFigures {
  readonly gateways: number;
  readonly seconds: number;
  readonly events: number;
  /** Headquarters' CPU (ingest into the database named), share of one core. */
  readonly headquartersCpu: number;
  readonly headquartersMb: number;
  /** CPU seconds of the simulated gateways, all of them. */
  readonly simulatorCpuS: number;
  readonly simulatorMb: number;
  readonly database: 'postgres' | 'sqlite';
  /** At six calls an hour of 50 handsets each, 10,000 gateways make this many times as many events a second. */
  readonly timesForTenThousand: number;
}

const clock = systemClock(() => ({ trusted: true }));
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const GATEWAY = 'bench/gw-1';
/** 50 handsets, 6 calls an hour, an event each, some 1 % alarms: events/s of 10,000 gateways. */
const TEN_THOUSAND_EVENTS_S = (10_000 * 50 * 6 * 1.01) / 3_600;

const pause = (ms: number) => new Promise<void>((settle) => clock.after(ms, settle));

async function aBroker(): Promise<{ readonly url: string; close(): Promise<void> }> {
  return mosquittoProgram === undefined ? startDemoBroker() : BenchMosquitto.start();
}

/** Measures the way of single events; `seconds` long. */
async function endToEnd(seconds: number): Promise<UplinkFigures['endToEndMs']> {
  const folder = mkdtempSync(join(tmpdir(), 'balise-bench-'));
  const broker = await aBroker();
  const db = await openDatabase(`sqlite:${join(folder, 'hq.sqlite')}`, () => undefined);
  const ages: number[] = [];
  const ingester = new Ingester({
    url: broker.url,
    clientId: 'bench',
    db,
    clock,
    log: quiet,
    onStored: (fresh) => {
      const nowMs = clock.wall().epochMilliseconds;
      for (const { event } of fresh) ages.push(nowMs - Date.parse(event.time));
    },
  });
  await ingester.start();
  const store = openStore({ folder: join(folder, 'gw'), clock, gatewayId: GATEWAY, bootId: 'boot-1', log: quiet });
  const uplink = new Uplink({
    config: { url: broker.url, commandKeys: [], tokenKey: Buffer.alloc(32).toString('base64'), statusS: 30 },
    gatewayId: GATEWAY,
    version: 'bench',
    bootId: 'boot-1',
    clock,
    store: store.outbox,
    status: () => ({ clock: { trusted: true }, disk: store.roomLeft() }),
    onCommand: async () => ({ outcome: 'done' }),
    log: quiet,
  });
  store.onAppended(() => uplink.wake());
  uplink.start();
  while (!uplink.connected) await pause(20);
  for (let n = 0; n < seconds * 100; n += 1) {
    store.calls.append([{ kind: 'event', type: 'balise.bench.event', data: { text: 'x'.repeat(600), n } }]);
    await pause(10);
  }
  while (ages.length < seconds * 100) await pause(20);
  await uplink.stop();
  store.close();
  await ingester.stop();
  await db.close();
  await broker.close();
  rmSync(folder, { recursive: true, force: true });
  ages.sort((a, b) => a - b);
  const at = (part: number) => ages[Math.min(ages.length - 1, Math.floor(ages.length * part))] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

/** Stores events of many gateways, 500 a transaction; events a second. */
async function rows(db: Database, count: number): Promise<number> {
  const ends = new Map<string, ChainEnd>();
  const events: CheckedEvent[] = Array.from({ length: count }, (_, n) => {
    const gateway = `bench-${n % 200}/gw-1`;
    const data = { call: `${n}`, handset: 'a-101', requestedAt: clock.wall().toString(), talkMs: 1, cause: 'deadline' };
    const draft = { kind: 'event', type: 'balise.call.ended', data } as const;
    const end = ends.get(gateway) ?? { sequence: 0, hash: GENESIS };
    const event = chained(draft, end, { gatewayId: gateway, bootId: 'boot-1' }, clock.wall().epochMilliseconds);
    ends.set(gateway, event);
    return { gateway, body: event.body, event: JSON.parse(event.body) as EventEnvelope };
  });
  const from = clock.monotonicNs();
  for (let n = 0; n < count; n += 500)
    await storeBatch(db, events.slice(n, n + 500), [], clock.wall().epochMilliseconds);
  return Math.round(count / (Number(clock.monotonicNs() - from) / 1e9));
}

/** A fleet in a process of its own against headquarters in this one. */
async function fleet(gateways: number, seconds: number, postgres: PostgresServer | undefined): Promise<FleetFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'balise-bench-'));
  const broker = await aBroker();
  const db = await openDatabase(postgres?.url ?? `sqlite:${join(folder, 'hq.sqlite')}`, () => undefined);
  let events = 0;
  const ingester = new Ingester({
    url: broker.url,
    clientId: 'bench-fleet',
    db,
    clock,
    log: quiet,
    onStored: (fresh) => {
      events += fresh.length;
    },
  });
  await ingester.start();
  const connects = 200;
  const whole = seconds + Math.ceil(gateways / connects) + 3;
  const main = join(fileURLToPath(new URL('.', import.meta.url)), '..', 'simulate-fleet', 'main.js');
  const args = ['--url', broker.url, '--gateways', String(gateways), '--connects', String(connects), '--talk', '10'];
  const before = process.cpuUsage();
  const child = spawn(process.execPath, [main, ...args, '--seconds', String(whole)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  await new Promise<void>((settle) => child.once('close', () => settle()));
  const { user, system } = process.cpuUsage(before);
  await pause(1_000);
  const ended = /ended: (\d+) events, ([\d.]+) s of CPU, (\d+) MB/.exec(said);
  const headquartersMb = Math.round(process.memoryUsage().rss / 1e6);
  await ingester.stop();
  await db.close();
  await broker.close();
  rmSync(folder, { recursive: true, force: true });
  return {
    gateways,
    seconds: whole,
    events,
    headquartersCpu: Number(((user + system) / 1e6 / whole).toFixed(3)),
    headquartersMb,
    simulatorCpuS: Number(ended?.[2] ?? 0),
    simulatorMb: Number(ended?.[3] ?? 0),
    database: db.engine,
    timesForTenThousand: Number((TEN_THOUSAND_EVENTS_S / (events / whole)).toFixed(1)),
  };
}

/** Runs all of it: about `seconds` and half a minute more. */
export async function benchUplink(gateways = 1_000, seconds = 20): Promise<UplinkFigures> {
  const postgres = postgresPrograms() === undefined ? undefined : await PostgresServer.start();
  const folder = mkdtempSync(join(tmpdir(), 'balise-bench-'));
  try {
    const way = await endToEnd(5);
    const lite = await openDatabase(`sqlite:${join(folder, 'rows.sqlite')}`, () => undefined);
    const sqlite = await rows(lite, 10_000);
    await lite.close();
    let inPostgres: number | undefined;
    if (postgres !== undefined) {
      const db = await openDatabase(postgres.url, () => undefined);
      inPostgres = await rows(db, 10_000);
      await db.close();
    }
    return {
      endToEndMs: way,
      rowsPerS: { sqlite, ...(inPostgres === undefined ? {} : { postgres: inPostgres }) },
      fleet: await fleet(gateways, seconds, postgres),
    };
  } finally {
    await postgres?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [gateways = '1000', seconds = '20'] = process.argv.slice(2);
  console.log(JSON.stringify(await benchUplink(Number(gateways), Number(seconds)), null, 2));
}
