/** Headquarters and some gateways with everything between them in the test's hands: what arrives, how often, and in which order. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import type { Campaign, ContactBatch, Disposition, Ed25519PublicKey } from '../../config/schema/types.generated.js';
import type { Clock } from '../../gateway/clock/clock.js';
import type { E164 } from '../../gateway/policy/ids.js';
import { openStore } from '../../gateway/store/open.js';
import type { Store } from '../../gateway/store/store.js';
import { BatchKeeper } from '../../gateway/work/batch-keeper.js';
import { BatchKey } from '../../gateway/work/batch-seal.js';
import { NumberSeal } from '../../gateway/work/number-seal.js';
import { ContactLender } from '../../scripts/headquarters/contact-lender.js';
import type { CheckedEvent } from '../../scripts/headquarters/records/checked-event.js';
import type { Database } from '../../scripts/headquarters/records/database.js';
import { storeBatch } from '../../scripts/headquarters/records/ingest.js';
import { openDatabase } from '../../scripts/headquarters/records/schema.js';
import { advance } from '../../scripts/headquarters/records/streams.js';
import type { SigningKey } from '../../scripts/headquarters/sign-command.js';
import { StillClock, silent } from '../store/samples.js';
import { aCampaign, calleeHours } from './samples.js';

export const NOON = '2026-03-04T12:00:00Z';
export const HOUR = 3_600_000;
const SESSION = '00000000-0000-7000-8000-000000000001';
export const LOAN_MS = 4 * HOUR;
export const TOKEN_KEY = Buffer.alloc(32, 7).toString('base64');
export const POOL_SEAL = new NumberSeal(Buffer.alloc(32, 1), 'headquarters');
export const number = (n: number) => `+4420794600${String(n).padStart(2, '0')}` as E164;
export const lentCampaign = (id: string): Campaign =>
  aCampaign({ id, languages: ['nl'], lent: { most: 3 }, attempts: { most: 4, perDay: 4, spacingS: 60 } });

/** Contacts as an import reads them. @param priorityOf which goes before which. */
export const contacts = (count: number, priorityOf: (n: number) => number = () => 5) =>
  Array.from({ length: count }, (_, n) => {
    const { token } = POOL_SEAL.names(number(n));
    const place = { country: 'GB', zones: ['Europe/London'] };
    return {
      ...{
        token,
        sealed: POOL_SEAL.seal(number(n), token),
        language: 'nl' as const,
        place,
        times: {},
        priority: priorityOf(n),
      },
    };
  });

export async function signing(): Promise<{ readonly key: SigningKey; readonly keys: Ed25519PublicKey[] }> {
  const { privateKey, publicKey } = await generateKeyPair('Ed25519', { extractable: true });
  const kid = 'hq-1';
  const key = { ...(await exportJWK(privateKey)), kid } as SigningKey;
  return { key, keys: [{ ...(await exportJWK(publicKey)), kid } as Ed25519PublicKey] };
}

/** The clock of a gateway, which may go before or behind headquarters' own. */
class SkewedClock implements Clock {
  skewMs = 0;
  constructor(private readonly of: Clock) {}
  wall = () => this.of.wall().add({ milliseconds: this.skewMs });
  monotonicNs = () => this.of.monotonicNs();
  trust = () => this.of.trust();
  after = (ms: number, run: () => void) => this.of.after(ms, run);
}

/** A gateway's store and its keeper; a restart opens the same folder anew. */
export class LoanGateway {
  readonly seal: NumberSeal;
  isWorking = true;
  #store: Store;
  #keeper: BatchKeeper;
  readonly #folder = mkdtempSync(join(tmpdir(), 'balise-loans-'));
  readonly clock: SkewedClock;
  batchKey: BatchKey;

  constructor(
    readonly id: string,
    clock: Clock,
    private readonly keys: Ed25519PublicKey[],
    private readonly campaigns: readonly Campaign[],
  ) {
    this.clock = new SkewedClock(clock);
    const folderKey = Buffer.alloc(32, id.length + Number(id.at(-1)));
    this.seal = new NumberSeal(folderKey);
    this.batchKey = new BatchKey(TOKEN_KEY, id, folderKey);
    [this.#store, this.#keeper] = this.#open();
  }

  get store(): Store {
    return this.#store;
  }

  get keeper(): BatchKeeper {
    return this.#keeper;
  }

  #open(): [Store, BatchKeeper] {
    const { clock, id: gatewayId, keys } = this;
    const store = openStore({ folder: this.#folder, clock, gatewayId, bootId: 'boot-1', log: silent });
    for (const campaign of this.campaigns) store.work.putCampaign(campaign);
    const worker = { campaigns: this.campaigns.map(({ id }) => id), languages: ['nl'] as const };
    const keeper = new BatchKeeper({
      ...{ store: store.work, clock, gatewayId, country: 'GB', keys, seal: this.seal, log: silent },
      batchKey: this.batchKey,
      callee: calleeHours(),
      workers: () => (this.isWorking ? [worker] : []),
      onTaken: () => undefined,
      alarm: () => undefined,
    });
    return [store, keeper];
  }

  /** The process dies and comes back: what it was calling is over, as the work desk says at its start. */
  restart(): void {
    this.#store.close();
    [this.#store, this.#keeper] = this.#open();
    for (const { ref } of this.#store.work.heldContacts()) this.settle(ref, 'undisposed');
  }

  /** The key of its data folder is another after its next start. */
  replaceKey(): void {
    this.batchKey = new BatchKey(TOKEN_KEY, this.id, Buffer.alloc(32, 99));
    this.restart();
  }

  /** What it may call, or is calling. */
  holds(): { readonly campaign: string; readonly number: E164 }[] {
    const { work } = this.#store;
    const nowMs = this.clock.wall().epochMilliseconds;
    const open = work.contacts(0, 1_000).filter(({ lentUntilMs }) => lentUntilMs > nowMs);
    return [...open.map(({ ref }) => ref), ...work.heldContacts().map(({ ref }) => ref)].map((ref) => {
      const held = work.sealed(ref);
      if (held === undefined) throw new Error(`${ref} is not there`);
      return { campaign: held.campaign, number: this.seal.unseal(held.sealed, held.token) };
    });
  }

  /** Calls one of its contacts, as the desk does; its row, or none. */
  call(pick: number): number | undefined {
    const { work } = this.#store;
    const nowMs = this.clock.wall().epochMilliseconds;
    const open = work.contacts(0, 1_000).filter(({ lentUntilMs, readyMs }) => lentUntilMs > nowMs && readyMs <= nowMs);
    const one = open[pick % Math.max(1, open.length)];
    if (one === undefined) return undefined;
    work.attempt(one.ref, { attempts: one.attempts + 1, dayAttempts: 1, dayEndsMs: 0 });
    return one.ref;
  }

  settle(ref: number, disposition: Disposition): void {
    const { work } = this.#store;
    const held = work.sealed(ref);
    if (held === undefined) throw new Error(`${ref} is not there`);
    const nowMs = this.clock.wall().epochMilliseconds;
    const goesOn = (disposition === 'no-answer' || disposition === 'call-back') && held.attempts < 4;
    const { token: contact, campaign, batch, attempts } = held;
    const said = { campaign, contact, batch, attempts, disposition, person: 'p-1', at: this.clock.wall().toString() };
    const data = { session: SESSION, ...said };
    const settled = { isOver: !goesOn, outcome: disposition, readyMs: nowMs + 60_000, isCallBack: false };
    work.settle(ref, settled, [{ kind: 'event', type: 'balise.work.contact', data }]);
  }

  /** Says something of a batch that it may have nothing to do with, as a gateway does whose folder is a copy of another's. */
  claim({ batch, campaign, contacts: lent }: ContactBatch, pick: number): void {
    const at = this.clock.wall().toString();
    const tokens = lent.map(({ token }) => token);
    const unused = tokens.map((token) => ({ token, attempts: 0 }));
    const disposition = pick % 2 === 0 ? 'completed' : 'no-answer';
    const calls = tokens.map((contact) => {
      const said = { campaign, contact, batch, attempts: 1, person: 'p-1', disposition, at };
      return ['contact', { session: SESSION, ...said }] as const;
    });
    const claims = [
      [['batch-closed', { batch, campaign, why: 'unused', unused, at }] as const],
      [['batch-taken', { batch, campaign, contacts: 0, unusable: tokens, at }] as const],
      calls,
    ];
    const events = (claims[pick % 3] ?? []).map(([name, data]) => ({
      ...{ kind: 'event' as const, type: `balise.work.${name}`, data },
    }));
    this.#store.work.append(events);
  }

  /** Every event of it so far, as it would go up. */
  events(): CheckedEvent[] {
    const rows = this.#store.outbox.pending({ alarm: 0, event: 0 }, 100_000);
    return rows.map(({ body }) => ({ gateway: this.id, event: JSON.parse(body) as CheckedEvent['event'], body }));
  }

  close(): void {
    this.#store.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export interface PoolState {
  readonly campaign: string;
  readonly token: string;
  readonly state: string;
  readonly outcome: string | null;
  readonly gateway: string | null;
  readonly batch: string | null;
}

export class LoanWorld {
  /** Every batch that was ever sent. */
  readonly sent: string[] = [];
  #lender: ContactLender;

  private constructor(
    readonly clock: StillClock,
    readonly db: Database,
    readonly gateways: readonly LoanGateway[],
    private readonly key: SigningKey,
  ) {
    this.#lender = this.#newLender();
  }

  static async make(
    signed: Awaited<ReturnType<typeof signing>>,
    gateways: number,
    numbers: number,
    url = 'sqlite::memory:',
  ): Promise<LoanWorld> {
    const clock = new StillClock();
    clock.set(NOON);
    const db = await openDatabase(url, () => undefined);
    const campaigns = ['survey', 'sales'].map(lentCampaign);
    const made = Array.from(
      { length: gateways },
      (_, n) => new LoanGateway(`demo/gw-${n + 1}`, clock, signed.keys, campaigns),
    );
    const world = new LoanWorld(clock, db, made, signed.key);
    for (const [index, campaign] of campaigns.entries()) {
      await world.#lender.leases.putCampaign(campaign);
      // The last of the one campaign are the first of the other.
      await world.#lender.leases.add(
        campaign.id,
        contacts(numbers, (n) => (index === 0 ? n : 9 - n)),
      );
    }
    return world;
  }

  get lender(): ContactLender {
    return this.#lender;
  }

  #newLender(): ContactLender {
    return new ContactLender({
      ...{ db: this.db, clock: this.clock, log: silent, key: this.key, seal: POOL_SEAL },
      tokenKeys: { demo: TOKEN_KEY },
      loanMs: LOAN_MS,
      send: async (_, jws) => {
        this.sent.push(jws);
      },
    });
  }

  restartHeadquarters(): void {
    this.#lender = this.#newLender();
  }

  /** Some of a gateway's events arrive, perhaps again. */
  async report(gateway: LoanGateway, from = 0, count = Number.MAX_SAFE_INTEGER): Promise<void> {
    const nowMs = this.clock.wall().epochMilliseconds;
    await storeBatch(this.db, gateway.events().slice(from, from + count), [], nowMs);
    await advance(this.db, nowMs);
  }

  /** Everything arrives, both ways, until nothing is said any more. */
  async settle(): Promise<void> {
    for (let n = 0; n < 4; n += 1) {
      for (const gateway of this.gateways) await this.report(gateway);
      await this.lender.look();
      for (const jws of this.sent) for (const gateway of this.gateways) await gateway.keeper.take(Buffer.from(jws));
      this.clock.add(10_000);
    }
  }

  /** Throws when a callee is with two gateways. */
  check(): void {
    const where = new Map<string, string>();
    for (const { id, holds } of this.gateways.map((one) => ({ id: one.id, holds: one.holds() })))
      for (const { number: callee } of holds) {
        const other = where.get(callee);
        if (other !== undefined && other !== id) throw new Error(`${callee} is with ${other} and with ${id}`);
        where.set(callee, id);
      }
  }

  async pool(): Promise<readonly PoolState[]> {
    return this.db.all(
      'SELECT campaign, token, state, outcome, gateway, batch FROM work_pool ORDER BY campaign, token',
    );
  }

  async close(): Promise<void> {
    for (const gateway of this.gateways) gateway.close();
    await this.db.close();
  }
}
