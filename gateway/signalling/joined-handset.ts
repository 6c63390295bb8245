import type { EndCause } from '../calls/record.js';
import type { LegOwner } from './leg.js';
import type { LegTurns } from './leg-turns.js';
import type { HandsetSide } from './two-legs.js';

/**
 * The handset's side of a contact's call: the leg that the same handset has at the desk, for as long as this call lasts. Nothing is
 * journalled here, because the dialog is the desk's; of this call only the trunk's leg can be owed a BYE.
 */
export class JoinedHandset implements HandsetSide {
  readonly journalled = undefined;
  readonly turns = undefined;
  #isOver = false;

  /** @param back told when the sound is the desk's again, or why it is not: false. */
  constructor(
    private readonly host: LegTurns,
    private readonly owner: LegOwner,
    private readonly back: (isBack: boolean) => void,
  ) {
    host.guest = owner;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The desk plays what is heard before the answer. */
  ring(): void {
    // Nothing is said to the handset: its own INVITE was answered long ago.
  }

  early(): void {
    // Nothing of the carrier's is heard before the answer: it may speak the number.
  }

  ready(done: () => void): void {
    done();
  }

  accept(answer: string): void {
    if (this.#isOver) return;
    void this.host.turn(answer).then((turned) => {
      if (this.#isOver) return;
      if (turned === 'taken') this.owner.tell({ type: 'accepted' });
      else
        this.owner.tell({ type: 'handset-failed', status: 488, why: 'the handset would not be joined to the contact' });
    });
  }

  refuse(): void {
    this.end('refused');
  }

  end(_cause: EndCause): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.host.guest === this.owner) this.host.guest = undefined;
    void this.host.turnBack().then(this.back);
    this.owner.over();
  }

  forget(): void {
    this.end('refused');
  }
}
