/**
 * Keeps a gateway in contacts that headquarters has: asks for them where somebody works for their campaign, takes what comes, and
 * gives back what is left when its time is over or nobody has worked for it for a while.
 */
import type { Logger } from 'pino';
import type { Campaign, Language } from '../../config/schema/types.generated.js';
import type { Timer } from '../clock/clock.js';
import { BatchDesk, type BatchDeskOptions, type BatchVerdict } from './batch-desk.js';

/** Somebody who is signed on. */
export interface Worker {
  readonly campaigns: readonly string[];
  readonly languages: readonly Language[];
}

export interface BatchKeeperOptions extends BatchDeskOptions {
  /** Who is signed on now. */
  readonly workers: () => readonly Worker[];
  /** There are new contacts on disk. */
  readonly onTaken: () => void;
  readonly alarm: (code: string, message: string) => void;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/** What a batch is answered with, on `ack/<id>`. */
export interface BatchAnswer {
  readonly id: string;
  readonly state: 'done' | 'refused' | 'failed';
  readonly why?: string;
  readonly detail?: string;
  readonly result?: Readonly<Record<string, unknown>>;
}

/** Whoever signs on waits for it, milliseconds. */
const LOOK_MS = 3_000;
/** What was asked for and has not come is asked for again, milliseconds. */
const ASK_AGAIN_MS = 600_000;
/** A campaign for which nobody has worked for so long gives its contacts back, milliseconds. */
const IDLE_MS = 1_800_000;
/** Alarms of forged batches: one so often at the most, milliseconds; whoever can write to the topic must not fill the disk. */
const ALARM_EVERY_MS = 60_000;

export class BatchKeeper {
  readonly #desk: BatchDesk;
  readonly #askedMs = new Map<string, number>();
  readonly #workedMs = new Map<string, number>();
  #alarmedMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  constructor(private readonly options: BatchKeeperOptions) {
    this.#desk = new BatchDesk(options);
  }

  start(): void {
    this.look();
    this.#timer = this.options.clock.after(LOOK_MS, () => this.start());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Gives back and asks, as things are now. Never throws: a disk that takes nothing now is tried at the next look. */
  look(): void {
    const { store, clock, workers, log } = this.options;
    try {
      const nowMs = clock.wall().epochMilliseconds;
      // By a clock that is not believed nothing is over, and nobody calls.
      if (!clock.trust().trusted) return;
      for (const id of this.#desk.expire()) log.info({ event: 'work.batch-returned', batch: id, why: 'expired' });
      const signedOn = workers();
      const campaigns = store.campaigns();
      for (const campaign of campaigns) this.#keep(campaign, signedOn, nowMs);
      for (const { id, campaign } of store.openBatches())
        if (!campaigns.some((one) => one.id === campaign && one.lent !== undefined)) this.#giveBack(id);
    } catch (fault) {
      log.error({ event: 'work.batch-look-failed', err: fault });
    }
  }

  /** Takes what came on `down/batch`. Never rejects; undefined: nobody vouches for it, and it has no id to be answered by. */
  async take(payload: Uint8Array): Promise<BatchAnswer | undefined> {
    const { log } = this.options;
    let verdict: BatchVerdict;
    try {
      verdict = await this.#desk.take(Buffer.from(payload).toString('utf8').trim());
    } catch (fault) {
      log.error({ event: 'work.batch-not-stored', err: fault });
      return undefined;
    }
    if (verdict.taken) {
      const { batch, contacts, unusable } = verdict;
      log.info({ event: 'work.batch-taken', batch, contacts, unusable });
      this.#askedMs.clear();
      this.options.onTaken();
      return { id: batch, state: 'done', result: { contacts, unusable } };
    }
    const { batch, why, detail } = verdict;
    log.warn({ event: 'work.batch-refused', batch, why, detail });
    // Headquarters sends a batch until it has heard of it: a second one is no attack.
    if (why !== 'replayed') this.#tell(`A batch of contacts was refused (${why}): ${detail}.`);
    return batch === undefined ? undefined : { id: batch, state: 'refused', why, detail };
  }

  #keep({ id, languages, lent }: Campaign, signedOn: readonly Worker[], nowMs: number): void {
    if (lent === undefined) return;
    const spoken = new Set(signedOn.filter(({ campaigns }) => campaigns.includes(id)).flatMap((one) => one.languages));
    const wanted = languages.filter((language) => spoken.has(language));
    if (wanted.length === 0) {
      this.#askedMs.delete(id);
      // A gateway that has just begun does not know who worked: the while counts from now.
      const since = this.#workedMs.get(id) ?? nowMs;
      this.#workedMs.set(id, since);
      if (nowMs - since >= IDLE_MS)
        for (const batch of this.options.store.openBatches()) if (batch.campaign === id) this.#giveBack(batch.id);
      return;
    }
    this.#workedMs.set(id, nowMs);
    const here = this.options.store.lentContacts(id);
    if (here * 2 > lent.most || nowMs - (this.#askedMs.get(id) ?? Number.NEGATIVE_INFINITY) < ASK_AGAIN_MS) return;
    this.#desk.want(id, lent.most - here, wanted);
    this.#askedMs.set(id, nowMs);
  }

  #giveBack(id: string): void {
    this.#desk.giveBack(id, 'unused');
    this.options.log.info({ event: 'work.batch-returned', batch: id, why: 'unused' });
  }

  #tell(message: string): void {
    const nowMs = Number(this.options.clock.monotonicNs() / 1_000_000n);
    if (nowMs - this.#alarmedMs < ALARM_EVERY_MS) return;
    this.#alarmedMs = nowMs;
    this.options.alarm('work.batch-refused', message);
  }
}
