import { type Action, type AnyMachine, stepOf } from './machine.js';
import { type TimerName, type TimerValues, timerLength } from './timer-values.js';
import type { QueuedTimer, TimerOwner, TimerQueues } from './timers.js';

/** What all transactions run by. */
export interface TransactionRoom {
  readonly timers: TimerQueues;
  readonly values: TimerValues;
}

/**
 * Runs one machine: takes events, walks the table, carries out the actions. What an action means (send what, tell whom) is
 * the business of the two kinds below it.
 */
export abstract class Transaction<Event extends string> implements TimerOwner {
  state: string;
  /** At most three timers run at a time: the retransmission (A, E, G), the giving up (B, F, H, X), the lingering (D, I to M). */
  #repeat: QueuedTimer | undefined;
  #giveUp: QueuedTimer | undefined;
  #linger: QueuedTimer | undefined;
  #lastRepeatMs = 0;

  protected constructor(
    readonly machine: AnyMachine,
    protected readonly room: TransactionRoom,
    readonly reliable: boolean,
  ) {
    this.state = machine.initial;
  }

  protected abstract perform(action: 'send' | 'pass-up' | 'ack' | 'tell-timeout' | 'tell-transport-error'): void;
  /** The transaction has reached its last state; called once. */
  protected abstract ended(): void;

  /** Carries out what the machine does at its birth. */
  protected begin(): void {
    this.#run(this.machine.begin);
  }

  /** Takes an event; says whether the state had a row for it. */
  handle(event: Event): boolean {
    const step = stepOf(this.machine, this.state, event);
    if (step === undefined) return false;
    const before = this.state;
    this.state = step.next;
    this.#run(step.actions);
    if (step.next === 'terminated' && before !== 'terminated') this.ended();
    return true;
  }

  onTimer(name: string): void {
    this.handle(name as Event);
  }

  get terminated(): boolean {
    return this.state === 'terminated';
  }

  /** Ends it without a word, whatever its state: the engine is closing. */
  drop(): void {
    this.#repeat?.cancel();
    this.#giveUp?.cancel();
    this.#linger?.cancel();
  }

  #run(actions: readonly Action[]): void {
    for (const action of actions) {
      switch (action) {
        case 'send':
        case 'pass-up':
        case 'ack':
        case 'tell-timeout':
        case 'tell-transport-error':
          this.perform(action);
          break;
        case 'start A':
        case 'start E':
        case 'start G':
          // A reliable transport repeats by itself (RFC 3261 §17.1.1.2, §17.1.2.2, §17.2.1).
          if (!this.reliable) this.#repeat = this.#start(action.charAt(6) as TimerName);
          break;
        case 'stop A':
        case 'stop E':
        case 'stop G':
          this.#repeat?.cancel();
          this.#repeat = undefined;
          break;
        case 'start B':
        case 'start F':
        case 'start H':
        case 'start X':
          this.#giveUp = this.#start(action.charAt(6) as TimerName);
          break;
        case 'stop B':
        case 'stop F':
        case 'stop H':
        case 'stop X':
          this.#giveUp?.cancel();
          this.#giveUp = undefined;
          break;
        case 'stop D':
        case 'stop I':
        case 'stop J':
        case 'stop K':
        case 'stop L':
        case 'stop M':
          this.#linger?.cancel();
          this.#linger = undefined;
          break;
        default:
          this.#linger = this.#start(action.charAt(6) as TimerName);
      }
    }
  }

  /** Starts timer X from outside the table: a CANCEL has gone out. */
  protected startGivingUpOnCancel(): void {
    this.#giveUp ??= this.#start('X');
  }

  #start(timer: TimerName): QueuedTimer {
    const proceeding = this.state === 'proceeding';
    const ms = timerLength(timer, this.reliable, proceeding, this.room.values, this.#lastRepeatMs);
    if (timer === 'A' || timer === 'E' || timer === 'G') this.#lastRepeatMs = ms;
    return this.room.timers.start(ms, this, timer);
  }
}
