/**
 * Contacts that headquarters lends. A batch is for one gateway, for a time; no other gateway has its contacts until this one has
 * said what became of each, or that it will not call it any more. So nobody is called by two gateways, whatever is lost or late.
 */
import { readFileSync } from 'node:fs';
import type { ValidateFunction } from 'ajv';
import { compactVerify, decodeProtectedHeader, importJWK } from 'jose';
import { Temporal } from 'temporal-polyfill';
import type { ContactBatch, Ed25519PublicKey } from '../../config/schema/types.generated.js';
import type { Clock } from '../clock/clock.js';
import { programData } from '../config/paths.js';
import { newAjv } from '../config/schemas.js';
import type { CalleeHours } from '../policy/callee-hours.js';
import { NumberReader } from '../policy/number.js';
import { placeOf } from './contact-hours.js';
import { type NumberSeal, SealBroken } from './number-seal.js';
import type { NewContact, WorkStore } from './ports.js';

/** Why a batch was not taken; stable codes. */
export type BatchRefusal =
  | 'unsigned'
  | 'bad-signature'
  | 'malformed'
  | 'foreign'
  | 'expired'
  | 'unknown-campaign'
  | 'replayed';

export type BatchVerdict =
  | { readonly taken: true; readonly batch: string; readonly contacts: number; readonly unusable: number }
  | { readonly taken: false; readonly why: BatchRefusal; readonly detail: string };

export interface BatchDeskOptions {
  readonly store: WorkStore;
  readonly clock: Clock;
  /** `<site>/<gateway>`. */
  readonly gatewayId: string;
  readonly country: string;
  /** Headquarters' public keys. */
  readonly keys: readonly Ed25519PublicKey[];
  /** Of the data folder. */
  readonly seal: NumberSeal;
  /** Of the way from headquarters. */
  readonly batchSeal: NumberSeal;
  readonly callee: CalleeHours;
}

let validate: ValidateFunction<ContactBatch> | undefined;

function isBatch(value: unknown): value is ContactBatch {
  if (validate === undefined) {
    const read = (...path: string[]) => JSON.parse(readFileSync(programData('schema', ...path), 'utf8')) as object;
    const ajv = newAjv();
    ajv.addSchema(read('common.schema.json'));
    validate = ajv.compile<ContactBatch>(read('messages', 'contact-batch.schema.json'));
  }
  return validate(value);
}

export class BatchDesk {
  readonly #numbers: NumberReader;

  constructor(private readonly options: BatchDeskOptions) {
    this.#numbers = new NumberReader(options.country, 1);
  }

  /** Takes a batch as it came: a compact JWS. What cannot be called from here is given back at once. Throws when the disk cannot take it. */
  async take(jws: string): Promise<BatchVerdict> {
    const { store, clock, gatewayId } = this.options;
    const read = await this.#read(jws);
    if ('why' in read) return { taken: false, ...read };
    const { batch, campaign } = read;
    const expiresMs = Temporal.Instant.from(read.expiresAt).epochMilliseconds;
    const no = (why: BatchRefusal, detail: string): BatchVerdict => ({ taken: false, why, detail });
    if (read.gateway !== gatewayId) return no('foreign', `it is for ${read.gateway}`);
    if (expiresMs <= clock.wall().epochMilliseconds) return no('expired', `it was lent until ${read.expiresAt}`);
    if (!store.campaigns().some(({ id }) => id === campaign))
      return no('unknown-campaign', `there is no campaign ${campaign} here`);
    const contacts = read.contacts.flatMap((lent) => this.#contact(lent, read, expiresMs));
    const isNew = store.takeBatch({ id: batch, campaign, expiresMs, state: 'open' }, contacts);
    if (!isNew) return no('replayed', 'it was taken before');
    return { taken: true, batch, contacts: contacts.length, unusable: read.contacts.length - contacts.length };
  }

  /** Asks headquarters for contacts. */
  want(campaign: string, most: number): void {
    const data = { campaign, most, at: this.options.clock.wall().toString() };
    this.options.store.append([{ kind: 'event', type: 'balise.work.batch-wanted', data }]);
  }

  /** Gives back every batch whose time is over. Returns which. */
  expire(): readonly string[] {
    const nowMs = this.options.clock.wall().epochMilliseconds;
    const over = this.options.store.batches().filter(({ state, expiresMs }) => state === 'open' && expiresMs <= nowMs);
    for (const { id } of over) this.giveBack(id, 'expired');
    return over.map(({ id }) => id);
  }

  /** Closes a batch: what nothing has ended may be lent to another. The event and the closing are one transaction. */
  giveBack(id: string, why: 'expired' | 'unused'): void {
    const { store, clock } = this.options;
    const batch = store.batches().find((one) => one.id === id && one.state === 'open');
    if (batch === undefined) return;
    const nowMs = clock.wall().epochMilliseconds;
    const unused = store.unused(id).map(({ token, attempts, readyMs }) => ({
      token,
      attempts,
      ...(readyMs > nowMs && { notBefore: Temporal.Instant.fromEpochMilliseconds(readyMs).toString() }),
    }));
    const data = { batch: id, campaign: batch.campaign, why, unused, at: clock.wall().toString() };
    store.closeBatch(id, [{ kind: 'event', type: 'balise.work.batch-closed', data }]);
  }

  async #read(jws: string): Promise<ContactBatch | { readonly why: BatchRefusal; readonly detail: string }> {
    let payload: Uint8Array;
    try {
      const { kid } = decodeProtectedHeader(jws);
      const key = this.options.keys.find((one) => one.kid === kid);
      if (key === undefined) return { why: 'unsigned', detail: 'no key of headquarters has signed it' };
      const verified = await compactVerify(jws, await importJWK({ ...key }, 'EdDSA'), {
        algorithms: ['EdDSA', 'Ed25519'],
      });
      payload = verified.payload;
    } catch (fault) {
      return { why: 'bad-signature', detail: fault instanceof Error ? fault.message : String(fault) };
    }
    try {
      const value: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
      if (isBatch(value)) return value;
      const [first] = validate?.errors ?? [];
      return { why: 'malformed', detail: `${first?.instancePath ?? ''} ${first?.message ?? ''}`.trim() };
    } catch {
      // What JSON.parse says of it could quote the payload.
      return { why: 'malformed', detail: 'it is no JSON' };
    }
  }

  /** A lent contact under the seal of this data folder; none where its number does not open, or has no zone. */
  #contact(
    lent: ContactBatch['contacts'][number],
    { batch, campaign }: ContactBatch,
    lentUntilMs: number,
  ): NewContact[] {
    const { seal, batchSeal, callee } = this.options;
    const { token, language, zone, earliest, latest, priority, attempts, notBefore } = lent;
    try {
      const number = this.#numbers.read(batchSeal.unseal(Buffer.from(lent.sealed, 'base64url'), token));
      const place = number.ok ? placeOf(callee, number, zone) : undefined;
      if (!number.ok || place === undefined) return [];
      const times = { ...(earliest !== undefined && { earliest }), ...(latest !== undefined && { latest }) };
      const readyMs = notBefore === undefined ? 0 : Temporal.Instant.from(notBefore).epochMilliseconds;
      return [
        {
          campaign,
          token,
          callee: seal.names(number.number).callee,
          sealed: seal.seal(number.number, token),
          language,
          place,
          times,
          priority,
          attempts,
          readyMs,
          batch,
          lentUntilMs,
        },
      ];
    } catch (fault) {
      if (fault instanceof SealBroken) return [];
      throw fault;
    }
  }
}
