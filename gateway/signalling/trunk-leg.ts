import type { DialOrder } from '../calls/ports.js';
import type { EndCause, LegDialog } from '../calls/record.js';
import type { Clock } from '../clock/clock.js';
import type { TrunkAccount } from './account.js';
import type { JudgedSrf } from './judged-srf.js';
import type { LegOwner } from './leg.js';
import { causeOf, mayFailOver } from './outcomes.js';
import { TrunkAttempt } from './trunk-attempt.js';
import { PATIENCE_MS } from './trunk-keep-alive.js';

/** The leg to the carrier: we are its UAC. Trunks are tried in order, until one rings or answers. */
export class TrunkLeg {
  readonly #clock: Clock;
  readonly #owner: LegOwner;
  /** The dialogs of the call's other leg, as they are when the trunk answers. */
  readonly #others: () => readonly LegDialog[];
  /** Trunks not tried yet. */
  #left: TrunkAccount[] = [];
  #attempt: TrunkAttempt | undefined;
  #rang = false;
  /** What the trunk described before its answer, as last told. */
  #early: string | undefined;
  #ending: EndCause | undefined;

  constructor(clock: Clock, owner: LegOwner, others: () => readonly LegDialog[]) {
    this.#clock = clock;
    this.#owner = owner;
    this.#others = others;
  }

  get isOver(): boolean {
    return this.#attempt?.isOver ?? true;
  }

  /** The dialog as the journal keeps it; undefined before the first INVITE. */
  get journalled(): LegDialog | undefined {
    return this.#attempt?.journalled;
  }

  dial(srf: JudgedSrf, order: DialOrder, trunks: readonly TrunkAccount[]): void {
    this.#left = [...trunks];
    this.#dialNext(srf, order, 503);
  }

  /** Ends the leg in the way that its state asks for. */
  end(cause: EndCause): void {
    this.#ending = cause;
    this.#attempt?.end(cause);
  }

  forget(): void {
    this.#attempt?.forget();
  }

  #dialNext(srf: JudgedSrf, order: DialOrder, lastStatus: number): void {
    const trunk = this.#left.shift();
    if (trunk === undefined) {
      this.#failed(lastStatus);
      return;
    }
    const { tell, over } = this.#owner;
    this.#rang = false;
    this.#early = undefined;
    // Of an attempt that was given up nothing counts any more; it ends by itself, whatever its trunk says at last.
    const isCurrent = (): boolean => this.#attempt === attempt;
    const patience = this.#clock.after(PATIENCE_MS, () => {
      if (!isCurrent() || this.#ending !== undefined || this.#left.length === 0) return;
      attempt.end('trunk-failed');
      this.#dialNext(srf, order, 408);
    });
    const ringing = this.#clock.after(order.ringMs, () => {
      if (isCurrent() && attempt.isPending && this.#ending === undefined) tell({ type: 'ring-timeout' });
    });
    const attempt = new TrunkAttempt(
      { srf, order, trunk, owner: this.#owner, clock: this.#clock },
      {
        sent: (dialog) => isCurrent() && tell({ type: 'dialling', trunk: trunk.id, dialog }),
        heard: () => {
          patience.cancel();
          if (!attempt.isPending) ringing.cancel();
        },
        rang: (sdp) => {
          if (!isCurrent()) return;
          this.#rang = true;
          tell({ type: 'trunk-ringing' });
          // A carrier says it again every minute (RFC 3261 §13.3.1.1), and nothing has changed.
          if (sdp === undefined || sdp === this.#early) return;
          this.#early = sdp;
          tell({ type: 'trunk-early-media', sdp });
        },
        answered: (answer, dialog) => {
          if (isCurrent()) tell({ type: 'trunk-answered', answer, dialogs: [...this.#others(), dialog] });
        },
        failed: (status) => {
          attempt.forget();
          if (!isCurrent()) return;
          if (mayFailOver(status, this.#rang) && this.#left.length > 0) this.#dialNext(srf, order, status);
          else this.#failed(status);
        },
        hungUp: (byDeadline) =>
          tell(byDeadline ? { type: 'deadline-passed', by: 'signalling' } : { type: 'trunk-hung-up' }),
        over: () => (isCurrent() ? over() : attempt.forget()),
      },
    );
    this.#attempt = attempt;
    attempt.start();
  }

  #failed(status: number): void {
    this.#owner.tell({ type: 'trunk-failed', status, cause: causeOf(status) });
  }
}
