/** Who may say what of a loan, and when it is over: what headquarters' pool and gateways' batches are held to, step by step. */
import type {
  ContactBatch,
  ContactBatchClosedData,
  ContactBatchTakenData,
  WorkContactData,
} from '../../config/schema/types.generated.js';
import { LOAN_MS, type LoanGateway, type LoanWorld, type PoolState } from './loan-world.js';

/** After these nothing more is to be called, whoever has it. */
const GOES_ON = /^(no-answer|busy|not-connected|answering-machine|not-called|call-back|night-here)$/;

export const payload = (jws: string): ContactBatch =>
  JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8')) as ContactBatch;

/** What a gateway has said of its own loans so far, by its own events. */
class Said {
  readonly closed = new Set<string>();
  readonly ended = new Set<string>();
  readonly #mine: ReadonlySet<string>;

  constructor(gateway: LoanGateway, batches: readonly ContactBatch[]) {
    this.#mine = new Set(batches.filter((one) => one.gateway === gateway.id).map(({ batch }) => batch));
    for (const { event } of gateway.events()) this.#take(event.type, event.data);
  }

  #take(type: string, data: unknown): void {
    if (type === 'balise.work.batch-closed') {
      const { batch } = data as ContactBatchClosedData;
      if (this.#mine.has(batch)) this.closed.add(batch);
    } else if (type === 'balise.work.batch-taken') {
      const { batch, unusable } = data as ContactBatchTakenData;
      if (this.#mine.has(batch)) for (const token of unusable) this.ended.add(`${batch} ${token}`);
    } else if (type === 'balise.work.contact') {
      const { batch = '', contact, disposition, attempts = 0 } = data as WorkContactData;
      if (this.#mine.has(batch) && (!GOES_ON.test(disposition) || attempts >= 4)) this.ended.add(`${batch} ${contact}`);
    }
  }
}

/** Compares what was with what is; every method throws at a breach. */
export class LoanWatch {
  #before: readonly PoolState[] = [];
  #sentBefore = 0;

  constructor(private readonly world: LoanWorld) {}

  /** After headquarters has heard and lent: a loan ends by the word of the gateway that has it, and by nothing else. */
  async pool(): Promise<void> {
    const { world } = this;
    const batches = world.sent.map(payload);
    const said = new Map(world.gateways.map((gateway) => [gateway.id, new Said(gateway, batches)]));
    const now = await world.pool();
    for (const [index, was] of this.#before.entries()) {
      const is = now[index];
      if (is === undefined || was.state !== 'lent' || (is.state === 'lent' && is.batch === was.batch)) continue;
      const owner = said.get(was.gateway ?? '');
      const what = `${was.token} of ${was.batch}`;
      if (is.state === 'over' && owner?.ended.has(`${was.batch} ${was.token}`) === true) continue;
      if (is.state !== 'over' && owner?.closed.has(was.batch ?? '') === true) continue;
      throw new Error(`${what} is ${is.state}, and ${was.gateway} has not said so`);
    }
    this.#before = now;
    for (const { batch, issuedAt, expiresAt } of batches.slice(this.#sentBefore))
      if (Date.parse(expiresAt) - Date.parse(issuedAt) !== LOAN_MS)
        throw new Error(`${batch} is lent from ${issuedAt} until ${expiresAt}`);
    this.#sentBefore = batches.length;
  }

  /** After a gateway has looked: it has no loan any more whose time is over by its own clock, and none without an end. */
  gateway({ id, clock, store }: LoanGateway): void {
    const nowMs = clock.wall().epochMilliseconds;
    for (const { id: batch, expiresMs } of store.work.openBatches())
      if (!(expiresMs > nowMs)) throw new Error(`${id} has ${batch}, whose time is over`);
    const ends = new Map(this.world.sent.map(payload).map((one) => [one.batch, Date.parse(one.expiresAt)]));
    for (const { ref, lentUntilMs } of store.work.contacts(0, 1_000)) {
      const batch = store.work.sealed(ref)?.batch ?? '';
      if (ends.get(batch) !== lentUntilMs)
        throw new Error(`a contact of ${batch} at ${id} is lent until ${lentUntilMs}`);
    }
  }

  /** Everything was heard: nothing is lent under a loan whose time is over. */
  async ended(): Promise<void> {
    const nowMs = this.world.clock.wall().epochMilliseconds;
    const ends = new Map(this.world.sent.map(payload).map((one) => [one.batch, Date.parse(one.expiresAt)]));
    for (const { token, state, batch, gateway } of await this.world.pool())
      if (state === 'lent' && !((ends.get(batch ?? '') ?? 0) > nowMs))
        throw new Error(`${token} is lent to ${gateway} by ${batch}, whose time is over`);
  }
}
