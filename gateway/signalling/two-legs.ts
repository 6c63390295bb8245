import type { CallEvent } from '../calls/ports.js';
import type { EndCause, LegDialog } from '../calls/record.js';
import type { Clock } from '../clock/clock.js';
import type { CallId, HandsetId } from '../policy/ids.js';
import type { LegOwner } from './leg.js';
import type { LegTurns } from './leg-turns.js';
import { TrunkLeg } from './trunk-leg.js';
import type { Violations } from './violations.js';

/** The leg to a handset: one that has called us, or, for a keyed call, one that we have called. */
export interface HandsetSide {
  readonly isOver: boolean;
  /** How another call is put on this leg; undefined where none can be. */
  readonly turns: LegTurns | undefined;
  /** The dialog as the journal keeps it; undefined before there is one. */
  readonly journalled: LegDialog | undefined;
  ring(): void;
  early(answer: string): void;
  /** Calls back, once, as soon as there is a dialog that can be journalled. */
  ready(done: () => void): void;
  accept(answer: string): void;
  refuse(status: number, rule: string): void;
  end(cause: EndCause): void;
  forget(): void;
}

export interface CallParts {
  readonly call: CallId;
  readonly handset: HandsetId;
  readonly handsetSide: (owner: LegOwner) => HandsetSide;
  readonly clock: Clock;
  readonly violations: Violations;
  readonly openSession: LegOwner['openSession'];
  readonly tell: (call: CallId, event: CallEvent) => void;
  readonly held: LegOwner['held'];
  readonly keyed: LegOwner['keyed'];
  /** Both legs are over, after a release; said once. */
  readonly released: (call: CallId) => void;
}

/** What is held of one call: its two legs, each ended by itself. */
export class TwoLegs {
  readonly handset: HandsetSide;
  readonly trunk: TrunkLeg;
  readonly #released: () => void;
  #releasing = false;
  #reported = false;

  constructor(parts: CallParts) {
    const { call, handset, handsetSide, clock, violations, openSession, tell, held, keyed, released } = parts;
    this.#released = () => released(call);
    const owner = {
      handset,
      clock,
      violations,
      openSession,
      tell: (event: CallEvent) => tell(call, event),
      held,
      keyed,
      over: () => this.#report(),
    };
    this.handset = handsetSide(owner);
    this.trunk = new TrunkLeg(clock, owner, () => dialogsOf(this.handset));
  }

  /** Both dialogs, or the handset's alone while nobody was dialled. */
  get dialogIds(): readonly string[] {
    return [this.handset, this.trunk].flatMap(dialogsOf).map(({ dialogId }) => dialogId);
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

const dialogsOf = ({ journalled }: { readonly journalled: LegDialog | undefined }): readonly LegDialog[] =>
  journalled === undefined ? [] : [journalled];
