import { createHash } from 'node:crypto';
import { connectAsync, type MqttClient } from 'mqtt';
import type { Test } from 'tap';
import type { EventDraft } from '../../gateway/calls/ports.js';
import { systemClock } from '../../gateway/clock/system-clock.js';
import { type ChainEnd, chained, GENESIS } from '../../gateway/store/chain.js';
import { Ingester, type IngesterOptions } from '../../scripts/headquarters/ingester.js';
import type { Database } from '../../scripts/headquarters/records/database.js';
import { openDatabase } from '../../scripts/headquarters/records/schema.js';

export const clock = systemClock(() => ({ trusted: true }));
export const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Headquarters' database in memory, closed with the test. */
export async function aDatabase(t: Test, url = 'sqlite::memory:'): Promise<Database> {
  const db = await openDatabase(url, (fault) => t.comment(`database: ${fault.message}`));
  t.teardown(() => db.close());
  return db;
}

export async function anIngester(
  t: Test,
  parts: Pick<IngesterOptions, 'url' | 'db'> & Partial<IngesterOptions>,
): Promise<Ingester> {
  const ingester = new Ingester({
    clientId: `hq-${createHash('md5').update(t.name).digest('hex').slice(0, 8)}`,
    clock,
    log: silent,
    ...parts,
  });
  t.teardown(() => ingester.stop());
  await ingester.start();
  return ingester;
}

/** A gateway's stream made by hand, to be sent in any order or not at all. */
export class HandStream {
  #end: ChainEnd = { sequence: 0, hash: GENESIS };

  constructor(readonly gatewayId: string) {}

  next(draft: Partial<EventDraft> = {}): { readonly topic: string; readonly body: string; readonly sequence: number } {
    const whole: EventDraft = { kind: 'event', type: 'balise.test.event', data: {}, ...draft };
    const event = chained(whole, this.#end, { gatewayId: this.gatewayId, bootId: 'boot-1' }, Date.now());
    this.#end = event;
    return { topic: `balise/v1/${this.gatewayId}/${whole.kind}`, body: event.body, sequence: event.sequence };
  }
}

export async function aClient(t: Test, url: string): Promise<MqttClient> {
  const client = await connectAsync(url, { protocolVersion: 5, reconnectPeriod: 100 });
  client.on('error', () => undefined);
  t.teardown(() => client.endAsync(true));
  return client;
}

/** The sequence numbers that headquarters holds of a gateway, in order. */
export async function held(db: Database, gateway: string): Promise<number[]> {
  const rows = await db.all<{ sequence: number }>('SELECT sequence FROM event WHERE gateway = $1 ORDER BY sequence', [
    gateway,
  ]);
  return rows.map(({ sequence }) => sequence);
}

export const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1);

/** Looks every few turns of the loop until it is so; the test's own time limit is the only one. */
export async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await new Promise<void>((settle) => clock.after(20, settle));
}
