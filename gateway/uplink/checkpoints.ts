import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import type { UplinkConfig } from '../../config/schema/types.generated.js';
import type { EventDraft } from '../calls/ports.js';
import type { Clock } from '../clock/clock.js';
import { CHECKPOINT, signClaim } from './checkpoint.js';

/** The part of the disk that checkpoints need. */
export interface CheckpointStore {
  chainEnd(): { readonly sequence: number; readonly hash: string };
  /** When the last checkpoint was made, Unix milliseconds; undefined before the first. */
  checkpointedMs(): number | undefined;
  /** Adds the checkpoint to the chain and notes when, as one transaction. */
  appendCheckpoint(draft: EventDraft, wallMs: number): void;
}

export interface CheckpointsOptions {
  readonly config: Pick<UplinkConfig, 'cert' | 'key'>;
  readonly gatewayId: string;
  readonly clock: Clock;
  readonly store: CheckpointStore;
  readonly log: Pick<Logger, 'info' | 'error'>;
}

const DAY_MS = 86_400_000;

/** Signs the end of the audit chain once a day with the gateway's own key, if it has one. */
export class Checkpoints {
  constructor(private readonly options: CheckpointsOptions) {}

  /** Makes a checkpoint if the last one is a day old; to be asked every few minutes. A clock that is not believed says nothing of days. */
  async look(): Promise<void> {
    const { config, clock, store, log } = this.options;
    if (config.key === undefined) return;
    const nowMs = clock.wall().epochMilliseconds;
    const isDue = nowMs - (store.checkpointedMs() ?? 0) >= DAY_MS;
    if (!isDue || !clock.trust().trusted || store.chainEnd().sequence === 0) return;
    try {
      await this.make(nowMs);
    } catch (fault) {
      // A key that cannot be read, or a full disk: the next look tries again.
      log.error({ event: 'checkpoint.failed', err: fault });
    }
  }

  private async make(nowMs: number): Promise<void> {
    const { config, gatewayId, clock, store, log } = this.options;
    if (config.key === undefined) return;
    const { sequence, hash } = store.chainEnd();
    const at = clock.wall().toString();
    // Read each time, so that a key that was rotated signs from then on.
    const key = createPrivateKey(readFileSync(config.key));
    const certificate = config.cert === undefined ? undefined : readFileSync(config.cert, 'utf8');
    const jws = await signClaim({ gateway: gatewayId, sequence, hash, at }, key, certificate);
    store.appendCheckpoint({ kind: 'event', type: CHECKPOINT, data: { sequence, hash, at, jws } }, nowMs);
    log.info({ event: 'checkpoint.made', sequence });
  }
}
