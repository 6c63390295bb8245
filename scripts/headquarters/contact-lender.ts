/**
 * Lends contacts to gateways: hears in each gateway's own order what it wishes for, has taken, called and given back; lends what
 * is free; and sends each batch until its gateway has said what it did with it. All that it knows is in the database, so that any
 * number of headquarters processes do it together, and any of them may die.
 */
import type { Logger } from 'pino';
import type {
  ContactBatchClosedData,
  ContactBatchTakenData,
  ContactBatchWantedData,
  WorkContactData,
} from '../../config/schema/types.generated.js';
import type { Clock, Timer } from '../../gateway/clock/clock.js';
import { uuid7 } from '../../gateway/store/uuid7.js';
import { batchSeal, sealTo } from '../../gateway/work/batch-seal.js';
import type { NumberSeal } from '../../gateway/work/number-seal.js';
import { ContactLeases, type Lease } from './contact-leases.js';
import { messageFault } from './message-check.js';
import type { CheckedEvent } from './records/checked-event.js';
import type { Database, Sql } from './records/database.js';
import { raise } from './records/ingest.js';
import { type SigningKey, signValue } from './sign-command.js';

export interface ContactLenderOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly key: SigningKey;
  /** What numbers are sealed under in the database. */
  readonly seal: NumberSeal;
  /** By site; "*" for every other. */
  readonly tokenKeys: Readonly<Record<string, string | undefined>>;
  /** How long contacts are lent, milliseconds. */
  readonly loanMs: number;
  /** Publishes on `down/batch`; rejects when the broker is away. */
  readonly send: (gateway: string, jws: string) => Promise<void>;
}

type WorkEvent =
  | { readonly type: 'balise.work.batch-wanted'; readonly data: ContactBatchWantedData }
  | { readonly type: 'balise.work.batch-taken'; readonly data: ContactBatchTakenData }
  | { readonly type: 'balise.work.batch-closed'; readonly data: ContactBatchClosedData }
  | { readonly type: 'balise.work.contact'; readonly data: WorkContactData };

const SCHEMAS: Readonly<Record<string, string>> = {
  'balise.work.batch-wanted': 'contact-batch-wanted',
  'balise.work.batch-taken': 'contact-batch-taken',
  'balise.work.batch-closed': 'contact-batch-closed',
  'balise.work.contact': 'work-contact',
};

const LOOK_MS = 1_000;
/** What may have come to another process is looked for so often, milliseconds. */
const IDLE_LOOK_MS = 10_000;
/** After an event of work has come: it may have to wait for one before it, milliseconds. */
const BUSY_MS = 15_000;
const AT_ONCE = 500;

export class ContactLender {
  readonly leases: ContactLeases;
  readonly #unknown = new Set<string>();
  #busyUntilMs = 0;
  #lookedMs = 0;
  #timer: Timer | undefined;
  #last: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(private readonly options: ContactLenderOptions) {
    this.leases = new ContactLeases(options.db, options.seal);
  }

  start(): void {
    if (this.#isStopped) return;
    this.#timer = this.options.clock.after(LOOK_MS, () => {
      const nowMs = this.#nowMs();
      if (nowMs > this.#busyUntilMs && nowMs - this.#lookedMs < IDLE_LOOK_MS) this.start();
      else this.look().finally(() => this.start());
    });
  }

  /** What was just stored may be about loans. */
  see(fresh: readonly CheckedEvent[]): void {
    if (fresh.some(({ event }) => event.type in SCHEMAS)) this.#busyUntilMs = this.#nowMs() + BUSY_MS;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#last;
  }

  /** Hears, lends and sends once. Never rejects: what failed is tried at the next look. */
  look(): Promise<void> {
    this.#last = this.#last.then(async () => {
      try {
        await this.#lookOnce();
      } catch (fault) {
        this.options.log.error({ event: 'headquarters.lending-failed', err: fault });
      }
    });
    return this.#last;
  }

  async #lookOnce(): Promise<void> {
    const { clock, log, loanMs, key, send } = this.options;
    this.#lookedMs = this.#nowMs();
    while ((await this.#hear()) > 0);
    const nowMs = this.#nowMs();
    const newBatch = () => uuid7(clock.wall().epochMilliseconds);
    const mayLend = (gateway: string) => this.#tokenKeyOf(gateway) !== undefined;
    for (const { batch, gateway, campaign } of await this.leases.grantWishes(nowMs, loanMs, newBatch, mayLend))
      log.info({ event: 'headquarters.lent', batch, gateway, campaign });
    for (const lease of await this.leases.due(nowMs)) {
      const tokenKey = this.#tokenKeyOf(lease.gateway);
      if (tokenKey === undefined) continue;
      try {
        const batch = await this.leases.batchOf(lease, sealFor(lease, tokenKey));
        if (batch === undefined) continue;
        await send(lease.gateway, await signValue(key, batch));
      } catch (fault) {
        log.warn({ event: 'headquarters.batch-not-sent', batch: lease.batch, why: (fault as Error).message });
      }
    }
  }

  /** Events about loans that are next in their gateways' whole streams; returns how many there were. */
  async #hear(): Promise<number> {
    const rows = await this.options.db.all<{ gateway: string; sequence: number }>(
      `SELECT event.gateway, event.sequence FROM gateway
       JOIN event ON event.gateway = gateway.gateway AND event.type LIKE 'balise.work.%'
       WHERE event.sequence <= gateway.contiguous
         AND event.sequence > coalesce((SELECT sequence FROM work_cursor WHERE work_cursor.gateway = gateway.gateway), 0)
       ORDER BY event.gateway, event.sequence LIMIT ${AT_ONCE}`,
    );
    const gateways = [...new Set(rows.map(({ gateway }) => gateway))];
    for (const gateway of gateways) {
      const to = Math.max(...rows.filter((row) => row.gateway === gateway).map(({ sequence }) => sequence));
      await this.leases.transact((sql) => this.#hearGateway(sql, gateway, to));
    }
    return rows.length;
  }

  /** Once and in order: the events and how far they were heard are one transaction. */
  async #hearGateway(sql: Sql, gateway: string, to: number): Promise<void> {
    const [cursor] = await sql.all<{ sequence: number }>('SELECT sequence FROM work_cursor WHERE gateway = $1', [
      gateway,
    ]);
    const from = cursor?.sequence ?? 0;
    if (from >= to) return;
    const events = await sql.all<{ sequence: number; type: string; body: string }>(
      `SELECT sequence, type, body FROM event WHERE gateway = $1 AND type LIKE 'balise.work.%'
       AND sequence > $2 AND sequence <= $3 ORDER BY sequence`,
      [gateway, from, to],
    );
    for (const { sequence, type, body } of events) {
      const schema = SCHEMAS[type];
      if (schema === undefined) continue;
      const { data } = JSON.parse(body) as { data: unknown };
      const fault = messageFault(schema, data);
      if (fault === undefined) await this.#apply(sql, gateway, { type, data } as WorkEvent);
      else await this.#alarm(sql, `${gateway}!work!${sequence}`, gateway, `Event ${sequence} (${type}): ${fault}.`);
    }
    await sql.run(
      'INSERT INTO work_cursor (gateway, sequence) VALUES ($1, $2) ON CONFLICT (gateway) DO UPDATE SET sequence = excluded.sequence',
      [gateway, to],
    );
  }

  #apply(sql: Sql, gateway: string, event: WorkEvent): Promise<void> {
    const { leases } = this;
    switch (event.type) {
      case 'balise.work.batch-wanted':
        return leases.wanted(sql, gateway, event.data, this.#nowMs());
      case 'balise.work.batch-taken':
        return leases.taken(sql, gateway, event.data);
      case 'balise.work.batch-closed':
        return leases.closed(sql, gateway, event.data);
      case 'balise.work.contact':
        return leases.heard(sql, gateway, event.data, this.#nowMs());
    }
  }

  #tokenKeyOf(gateway: string): string | undefined {
    const { tokenKeys, log } = this.options;
    const [site = ''] = gateway.split('/');
    const tokenKey = tokenKeys[site] ?? tokenKeys['*'];
    if (tokenKey === undefined && !this.#unknown.has(gateway)) {
      this.#unknown.add(gateway);
      log.warn({ event: 'headquarters.no-token-key', gateway });
    }
    return tokenKey;
  }

  #alarm(sql: Sql, id: string, gateway: string, message: string): Promise<unknown> {
    return raise(sql, [{ id, gateway, type: 'balise.headquarters.work-not-heard', atMs: this.#nowMs(), message }]);
  }

  #nowMs(): number {
    return this.options.clock.wall().epochMilliseconds;
  }
}

/** To the gateway's own key, where it has announced one. Throws when that is no key. */
function sealFor({ gateway, sealTo: key }: Lease, tokenKey: string) {
  return key === undefined ? { seal: batchSeal(tokenKey, gateway) } : sealTo(tokenKey, gateway, key);
}
