import type Srf from 'drachtio-srf';
import type { CallEvent } from '../calls/ports.js';
import type { EndCause } from '../calls/record.js';
import type { Clock } from '../clock/clock.js';
import type { CallId, HandsetId } from '../policy/ids.js';
import { HandsetLeg } from './handset-leg.js';
import type { JudgedSrf } from './judged-srf.js';
import type { LegOwner } from './leg.js';
import { TrunkLeg } from './trunk-leg.js';
import type { Violations } from './violations.js';

export interface CallParts {
  readonly call: CallId;
  readonly handset: HandsetId;
  readonly srf: JudgedSrf;
  readonly request: Srf.SrfRequest;
  readonly response: Srf.SrfResponse;
  readonly clock: Clock;
  readonly violations: Violations;
  readonly tell: (call: CallId, event: CallEvent) => void;
  readonly held: LegOwner['held'];
  /** Both legs are over, after a release; said once. */
  readonly released: (call: CallId) => void;
}

/** What is held of one call: its two legs, each ended by itself. */
export class TwoLegs {
  readonly handset: HandsetLeg;
  readonly trunk: TrunkLeg;
  readonly #released: () => void;
  #releasing = false;
  #reported = false;

  constructor(parts: CallParts) {
    const { call, handset, srf, request, response, clock, violations, tell, held, released } = parts;
    this.#released = () => released(call);
    const owner = {
      handset,
      violations,
      tell: (event: CallEvent) => tell(call, event),
      held,
      over: () => this.#report(),
    };
    this.handset = new HandsetLeg(srf, request, response, owner);
    this.trunk = new TrunkLeg(clock, owner, () => this.handset.journalled);
  }

  /** Both dialogs, or the handset's alone while nobody was dialled. */
  get dialogIds(): readonly string[] {
    const ids = [this.handset.journalled.dialogId];
    const trunk = this.trunk.journalled;
    return trunk === undefined ? ids : [...ids, trunk.dialogId];
  }

  /** Ends both legs, once. */
  release(cause: EndCause): void {
    if (this.#releasing) return;
    this.#releasing = true;
    this.handset.end(cause);
    this.trunk.end(cause);
    this.#report();
  }

  /** Nothing more is expected of either. */
  forget(): void {
    this.handset.forget();
    this.trunk.forget();
  }

  #report(): void {
    if (!this.#releasing || this.#reported || !this.handset.isOver || !this.trunk.isOver) return;
    this.#reported = true;
    this.#released();
  }
}
