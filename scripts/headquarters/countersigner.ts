import type { Logger } from 'pino';
import type { CommandAck } from '../../config/schema/types.generated.js';
import type { Clock, Timer } from '../../gateway/clock/clock.js';
import { CHECKPOINT, type CheckpointClaim, verifyClaim } from '../../gateway/uplink/checkpoint.js';
import type { CheckedEvent } from './records/checked-event.js';
import type { Database } from './records/database.js';
import { raise } from './records/ingest.js';
import { type CommandOrder, type SigningKey, signValue } from './sign-command.js';

export interface CountersignerOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly key?: SigningKey;
  /** The authority of gateways' certificates, PEM. */
  readonly authority?: string;
  readonly order: (gateway: string, order: CommandOrder) => Promise<CommandAck>;
}

const RETRY_MS = 60_000;
/** A gateway that was away for longer makes a newer checkpoint anyway, milliseconds. */
const FORGET_MS = 7 * 86_400_000;

/**
 * Countersigns gateways' checkpoints: when the signature is the gateway's, and the hash is that of the event here, headquarters
 * signs the same and sends it back to be kept in the chain. A checkpoint that differs from what is here raises an alarm.
 */
export class Countersigner {
  #last: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;

  constructor(private readonly options: CountersignerOptions) {}

  /** Looks for checkpoints among what was just stored; returns at once. */
  see(fresh: readonly CheckedEvent[]): void {
    const checkpoints = fresh.filter(({ event }) => event.type === CHECKPOINT);
    if (checkpoints.length === 0) return;
    this.#then(async () => {
      for (const one of checkpoints) await this.#judge(one);
      await this.#sendAll();
    });
  }

  /** Settles when what was begun is done. */
  async settled(): Promise<void> {
    this.#timer?.cancel();
    await this.#last;
    this.#timer?.cancel();
  }

  #then(work: () => Promise<void>): void {
    this.#last = this.#last.then(work).catch((fault: unknown) => {
      this.options.log.error({ event: 'headquarters.countersigning-failed', err: fault });
    });
  }

  async #judge({ gateway, event }: CheckedEvent): Promise<void> {
    const { db, clock, authority } = this.options;
    const { sequence, hash, jws } = event.data as { sequence?: unknown; hash?: unknown; jws?: unknown };
    const verdict = await verifyClaim(String(jws), gateway, authority === undefined ? {} : { authority });
    let why = verdict.good ? undefined : verdict.why;
    if (verdict.good && (verdict.claim.sequence !== sequence || verdict.claim.hash !== hash))
      why = 'it signs something else';
    const [held] = await db.all<{ hash: string }>('SELECT hash FROM event WHERE gateway = $1 AND sequence = $2', [
      gateway,
      Number(sequence),
    ]);
    // What is not here yet cannot be vouched for; the gap is asked for, and the next checkpoint covers it.
    if (why === undefined && held === undefined) why = 'the event that it is of is not here yet';
    if (why === undefined && held?.hash !== hash) why = 'the event that it is of has another hash here';
    const nowMs = clock.wall().epochMilliseconds;
    await db.run(
      'INSERT INTO checkpoint (gateway, sequence, hash, at_ms, verdict) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING',
      [gateway, Number(sequence), String(hash), nowMs, why ?? 'good'],
    );
    if (why === undefined || held === undefined) return;
    await raise(db, [
      {
        id: `${gateway}!checkpoint!${event.sequence}`,
        gateway,
        type: 'balise.headquarters.checkpoint-refused',
        atMs: nowMs,
        message: `Checkpoint ${event.sequence} is not countersigned: ${why}.`,
      },
    ]);
  }

  async #sendAll(): Promise<void> {
    const { db, clock, key, log, order } = this.options;
    if (key === undefined) return;
    this.#timer?.cancel();
    const due = await db.all<{ gateway: string; sequence: number; hash: string }>(
      "SELECT gateway, sequence, hash FROM checkpoint WHERE verdict = 'good' AND countersigned IS NULL AND at_ms > $1",
      [clock.wall().epochMilliseconds - FORGET_MS],
    );
    for (const { gateway, sequence, hash } of due) {
      const claim: CheckpointClaim = { gateway, sequence, hash, at: clock.wall().toString() };
      const jws = await signValue(key, claim);
      const said = { type: 'countersign', sequence, jws, reason: 'checkpoint', by: 'headquarters' } as const;
      try {
        const ack = await order(gateway, said);
        if (ack.state !== 'done') throw new Error(ack.detail ?? ack.why ?? ack.state);
        await db.run('UPDATE checkpoint SET countersigned = $3 WHERE gateway = $1 AND sequence = $2', [
          gateway,
          sequence,
          jws,
        ]);
        log.info({ event: 'headquarters.countersigned', gateway, sequence });
      } catch (fault) {
        log.warn({
          event: 'headquarters.not-countersigned',
          gateway,
          why: fault instanceof Error ? fault.message : fault,
        });
        this.#timer?.cancel();
        this.#timer = clock.after(RETRY_MS, () => this.#then(() => this.#sendAll()));
      }
    }
  }
}
