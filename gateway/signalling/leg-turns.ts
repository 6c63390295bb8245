import type Srf from 'drachtio-srf';
import { nextOffer } from './handset-offer.js';
import type { LegOwner } from './leg.js';
import { reinvite } from './reinvite.js';
import type { OpenSession, Session } from './session.js';

/** `taken`; `refused`, which leaves everything as it was (RFC 3261 §14.1); `other`: it answered with another session. */
export type Turned = 'taken' | 'refused' | 'other';

/** The dialog of a handset's leg, as its turns need it. */
export interface TurningLeg {
  readonly dialog: () => Srf.Dialog | undefined;
  /** It may still be spoken in. */
  readonly isUp: () => boolean;
  readonly session: () => Session | undefined;
  readonly setSession: (session: Session) => void;
  /** What the handset describes, as an offer of its own. */
  readonly offer: () => string;
  readonly openSession: OpenSession;
}

/** The owner of a leg, as its peer's requests see it: while there is a guest, holds and keys are the guest's. */
export function ownerAt(owner: LegOwner, turns: LegTurns): LegOwner {
  return {
    ...owner,
    held: (...change) => (turns.guest ?? owner).held(...change),
    keyed: (...key) => (turns.guest ?? owner).keyed(...key),
  };
}

/**
 * A handset's leg that carries another call for a while: a re-INVITE moves its sound there, and another one back (RFC 3725 §5).
 * The dialog stays the first call's, with its lease; the other call is a guest, and is told when its host goes.
 */
export class LegTurns {
  #own: string | undefined;
  #work: Promise<unknown> = Promise.resolve();
  #isElsewhere = false;
  /** Whoever the sound belongs to while it is not the first call's. */
  guest: LegOwner | undefined;

  constructor(private readonly leg: TurningLeg) {}

  get isUp(): boolean {
    return this.leg.isUp() && this.leg.session() !== undefined;
  }

  /** What the handset describes, as an offer of its own. */
  get offer(): string {
    return this.leg.offer();
  }

  /** Offers this description. Never rejects; turns are made one at a time. */
  turn(sdp: string): Promise<Turned> {
    this.#own ??= this.leg.session()?.current;
    return this.#next(sdp);
  }

  /** Offers the first call's own description again, where it is not what the handset has. True: it has it. */
  async turnBack(): Promise<boolean> {
    await this.#work;
    const own = this.#own;
    if (own === undefined || !this.#isElsewhere) return this.isUp;
    const turned = await this.#next(own);
    this.#isElsewhere = turned !== 'taken';
    return turned === 'taken';
  }

  /** The leg is over or about to be. */
  hostGone(): void {
    this.guest?.tell({ type: 'handset-hung-up' });
    this.guest = undefined;
  }

  #next(sdp: string): Promise<Turned> {
    const turned = this.#work.then(() => this.#turn(sdp));
    this.#work = turned;
    return turned;
  }

  async #turn(sdp: string): Promise<Turned> {
    const { dialog, session, setSession, offer: theirs, openSession } = this.leg;
    const up = dialog();
    const last = session();
    if (!this.isUp || up === undefined || last === undefined) return 'refused';
    const offer = nextOffer(last.current, sdp);
    try {
      const answer = await reinvite(up, offer);
      const next = openSession(theirs(), offer, false);
      this.#isElsewhere = true;
      if (next.answer(answer) === undefined) return 'other';
      setSession(next);
      return 'taken';
    } catch {
      // It was refused, or the dialog went: whoever asked ends what rests on it.
      return 'refused';
    }
  }
}
