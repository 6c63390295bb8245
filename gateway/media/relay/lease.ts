import type { RelayClock, RelayTimer } from './clock.js';

/** Contact with the gateway: every call's media lives only as long as this does. */
export interface Contact {
  /** The instant at which it is lost unless another beat comes, on the relay's clock. */
  readonly untilMs: number;
  /** Called by whoever first sees that the instant has passed. */
  lose(why: string): void;
}

/**
 * What lets a call's packets through: contact with the gateway, and a deadline that has not passed.
 * Each packet asks `holds`; a timer closes it for a call that carries no packets, and neither relies on the other.
 */
export class Lease {
  readonly #clock: RelayClock;
  readonly #contact: Contact;
  readonly #onDeadline: (lateMs: number) => void;
  #deadlineMs = Number.POSITIVE_INFINITY;
  #timer: RelayTimer | undefined;
  #passed = false;
  #armed = false;

  constructor(clock: RelayClock, contact: Contact, onDeadline: (lateMs: number) => void) {
    this.#clock = clock;
    this.#contact = contact;
    this.#onDeadline = onDeadline;
  }

  get armed(): boolean {
    return this.#armed;
  }

  /** Infinite until armed. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  get passed(): boolean {
    return this.#passed;
  }

  /** Whether a packet may pass at `nowMs`. Allocates nothing. */
  holds(nowMs: number): boolean {
    if (nowMs >= this.#deadlineMs) {
      this.#pass(nowMs);
      return false;
    }
    if (nowMs >= this.#contact.untilMs) {
      this.#contact.lose('no beat');
      return false;
    }
    return true;
  }

  /** Sets the deadline, or brings it closer; a later one than stands is ignored. */
  arm(deadlineMs: number): void {
    this.#armed = true;
    if (deadlineMs >= this.#deadlineMs) return;
    this.#deadlineMs = deadlineMs;
    this.#timer?.cancel();
    this.#timer = this.#clock.after(deadlineMs - this.#clock.now(), () => this.#pass(this.#clock.now()));
  }

  end(): void {
    this.#timer?.cancel();
  }

  #pass(nowMs: number): void {
    if (this.#passed) return;
    this.#passed = true;
    this.#timer?.cancel();
    this.#onDeadline(nowMs - this.#deadlineMs);
  }
}
