/**
 * Contacts that headquarters lends. A batch is for one gateway, for a time; no other gateway has its contacts until this one has
 * said what became of each, or that it will not call it any more. So nobody is called by two gateways, whatever is lost or late.
 */
import { Temporal } from 'temporal-polyfill';
import type { ContactBatch, Ed25519PublicKey, Language } from '../../config/schema/types.generated.js';
import type { Clock } from '../clock/clock.js';
import { validatorOf } from '../config/schemas.js';
import type { CalleeHours } from '../policy/callee-hours.js';
import { NumberReader } from '../policy/number.js';
import type { BatchKey } from './batch-seal.js';
import { placeOf } from './contact-hours.js';
import { type NumberSeal, SealBroken } from './number-seal.js';
import type { NewContact, WorkStore } from './ports.js';

/** Why a batch was not taken; stable codes. */
export type BatchRefusal =
  | 'too-long'
  | 'unsigned'
  | 'bad-signature'
  | 'malformed'
  | 'foreign'
  | 'expired'
  | 'unknown-campaign'
  | 'other-key'
  | 'replayed';

export type BatchVerdict =
  | { readonly taken: true; readonly batch: string; readonly contacts: number; readonly unusable: number }
  /** `batch`: its id, where a key of headquarters has vouched for it. */
  | { readonly taken: false; readonly why: BatchRefusal; readonly detail: string; readonly batch?: string };

/** A thousand contacts are a third of it, bytes. */
const LONGEST = 1_048_576;

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
  readonly batchKey: BatchKey;
  readonly callee: CalleeHours;
}

function isBatch(value: unknown): value is ContactBatch {
  return validatorOf('messages/contact-batch')(value);
}

export class BatchDesk {
  readonly #numbers: NumberReader;

  constructor(private readonly options: BatchDeskOptions) {
    this.#numbers = new NumberReader(options.country, 0);
  }

  /**
   * Takes a batch as it came: a compact JWS. One that headquarters has signed for this gateway and that is of no use is given
   * back whole, and never taken later; contacts that cannot be called from here are named. Throws when the disk cannot take it.
   */
  async take(jws: string): Promise<BatchVerdict> {
    const { store, clock, gatewayId } = this.options;
    const read = await this.#read(jws);
    if ('why' in read) return { taken: false, ...read };
    const { batch, campaign } = read;
    const expiresMs = Temporal.Instant.from(read.expiresAt).epochMilliseconds;
    if (read.gateway !== gatewayId) return { taken: false, why: 'foreign', detail: `it is for ${read.gateway}` };
    if (expiresMs <= clock.wall().epochMilliseconds)
      return this.#refuse(read, 'expired', `it was lent until ${read.expiresAt}`);
    if (!store.campaigns().some(({ id }) => id === campaign))
      return this.#refuse(read, 'unknown-campaign', `there is no campaign ${campaign} here`);
    const batchSeal = this.#sealOf(read);
    if (batchSeal === undefined)
      return this.#refuse(read, 'other-key', 'it is sealed to a key that this gateway has not, or no longer');
    const contacts = read.contacts.flatMap((lent) => this.#contact(lent, read, expiresMs, batchSeal));
    const usable = new Set(contacts.map(({ token }) => token));
    const unusable = read.contacts.map(({ token }) => token).filter((token) => !usable.has(token));
    const data = { batch, campaign, contacts: contacts.length, unusable, at: clock.wall().toString() };
    const event = { kind: 'event', type: 'balise.work.batch-taken', data } as const;
    if (!store.takeBatch({ id: batch, campaign, expiresMs }, contacts, [event])) return replayed(batch);
    return { taken: true, batch, contacts: contacts.length, unusable: unusable.length };
  }

  #sealOf({ sealing }: ContactBatch): NumberSeal | undefined {
    const { batchKey } = this.options;
    if (sealing !== undefined && sealing.to !== batchKey.announced) return undefined;
    try {
      return batchKey.sealOf(sealing);
    } catch (fault) {
      if (fault instanceof SealBroken) return undefined;
      throw fault;
    }
  }

  /** Keeps it in mind, so that it is never taken later, and gives all of it back. */
  #refuse({ batch, campaign, expiresAt, contacts }: ContactBatch, why: BatchRefusal, detail: string): BatchVerdict {
    const { store, clock } = this.options;
    const unused = contacts.map(({ token, attempts = 0, notBefore }) => ({
      token,
      attempts,
      ...(notBefore !== undefined && { notBefore }),
    }));
    const data = { batch, campaign, why: 'refused', detail, unused, at: clock.wall().toString() };
    const expiresMs = Temporal.Instant.from(expiresAt).epochMilliseconds;
    const isNew = store.refuseBatch({ id: batch, campaign, expiresMs }, [
      { kind: 'event', type: 'balise.work.batch-closed', data },
    ]);
    return isNew ? { taken: false, why, detail, batch } : replayed(batch);
  }

  /** Asks headquarters for contacts. */
  want(campaign: string, most: number, languages: readonly Language[]): void {
    const { clock, batchKey } = this.options;
    const data = { campaign, most, languages, sealTo: batchKey.announced, at: clock.wall().toString() };
    this.options.store.append([{ kind: 'event', type: 'balise.work.batch-wanted', data }]);
  }

  /** Gives back every batch whose time is over. Returns which. */
  expire(): readonly string[] {
    const nowMs = this.options.clock.wall().epochMilliseconds;
    const over = this.options.store.openBatches().filter(({ expiresMs }) => expiresMs <= nowMs);
    for (const { id } of over) this.giveBack(id, 'expired');
    return over.map(({ id }) => id);
  }

  /** Closes a batch: what nothing has ended may be lent to another. The event and the closing are one transaction. */
  giveBack(id: string, why: 'expired' | 'unused'): void {
    const { store, clock } = this.options;
    const batch = store.openBatches().find((one) => one.id === id);
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
    if (jws.length > LONGEST) return { why: 'too-long', detail: `${jws.length} bytes, and ${LONGEST} is the most` };
    const { compactVerify, decodeProtectedHeader, importJWK } = await import('jose');
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
      const [first] = validatorOf('messages/contact-batch').errors ?? [];
      return { why: 'malformed', detail: `${first?.instancePath ?? ''} ${first?.message ?? ''}`.trim() };
    } catch {
      // What JSON.parse says of it could quote the payload.
      return { why: 'malformed', detail: 'it is no JSON' };
    }
  }

  /** A lent contact under the seal of this data folder; none where its number does not open or has no zone, or it was over here before. */
  #contact(
    lent: ContactBatch['contacts'][number],
    { batch, campaign }: ContactBatch,
    lentUntilMs: number,
    batchSeal: NumberSeal,
  ): NewContact[] {
    const { store, seal, callee } = this.options;
    const { token, language, zone, earliest, latest, priority, attempts, notBefore } = lent;
    if (store.hasContact(campaign, token)) return [];
    try {
      const opened = batchSeal.open(Buffer.from(lent.sealed, 'base64url'), token);
      const number = this.#numbers.read(opened.number);
      const place = number.ok ? placeOf(callee, number, zone) : undefined;
      if (!number.ok || place === undefined) return [];
      const times = { ...(earliest !== undefined && { earliest }), ...(latest !== undefined && { latest }) };
      const readyMs = notBefore === undefined ? 0 : Temporal.Instant.from(notBefore).epochMilliseconds;
      return [
        {
          campaign,
          token,
          callee: seal.names(number.number).callee,
          sealed: seal.seal(number.number, token, opened.isMystery),
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

const replayed = (batch: string): BatchVerdict => ({
  taken: false,
  why: 'replayed',
  detail: 'it was taken or refused before',
  batch,
});
