import type { LineStateMessage } from '../../config/schema/types.generated.js';
import type { Clock, Timer } from '../clock/clock.js';
import type { BoardId, HandsetId, WingId } from '../policy/ids.js';
import type { LineFacts } from '../policy/request.js';
import type { LineFitting } from './fittings.js';

/** What one wire last said, and how long it has been off the hook for nothing. */
export class Line {
  readonly handset: HandsetId;
  /** A handset may come to another wing with its wire as it is. */
  wing: WingId;
  readonly board: BoardId;
  readonly #fitting: LineFitting;
  readonly #clock: Clock;
  readonly #leftOffHookMs: number;
  readonly #onLeftOffHook: () => void;
  #state: LineStateMessage | undefined;
  #lastNs: bigint;
  #believed: LineFacts['hook'] = 'unknown';
  #inCall = false;
  #offHook: Timer | undefined;

  /** What was said up to `sinceNs` was said of another wire, and is not believed. */
  constructor(fitting: LineFitting, clock: Clock, leftOffHookMs: number, onLeftOffHook: () => void, sinceNs = -1n) {
    this.#fitting = fitting;
    this.#lastNs = sinceNs;
    this.handset = fitting.handset;
    this.wing = fitting.wing;
    this.board = fitting.board;
    this.#clock = clock;
    this.#leftOffHookMs = leftOffHookMs;
    this.#onLeftOffHook = onLeftOffHook;
  }

  /** Whether this is the same wire; a wing is no matter of wires. */
  isWiredAs({ board, relay, hook, hasKeypad = false }: LineFitting): boolean {
    const own = this.#fitting;
    return own.board === board && own.relay === relay && own.hook === hook && (own.hasKeypad ?? false) === hasKeypad;
  }

  get isKnown(): boolean {
    return this.#state !== undefined && this.#state.relay !== 'unknown';
  }

  get hook(): LineFacts['hook'] {
    return this.#state?.hook ?? 'unknown';
  }

  get relay(): LineFacts['relay'] {
    return this.#state?.relay ?? 'unknown';
  }

  get tamper(): boolean {
    return this.#state?.tamper === true;
  }

  /** `sentNs` of the last lease that the relay obeyed. */
  get leaseNs(): bigint {
    return this.#state === undefined ? 0n : BigInt(this.#state.leaseNs);
  }

  /** Takes a state; false for one that is not newer than what is known. */
  take(state: LineStateMessage): boolean {
    const atNs = BigInt(state.atNs);
    if (atNs <= this.#lastNs) return false;
    this.#lastNs = atNs;
    this.#state = state;
    return true;
  }

  /** Whoever said it is gone: nothing of it is believed any more. */
  forget(): void {
    this.#state = undefined;
  }

  /** Notes what the hook is believed to be; true when that is new. */
  believe(hook: LineFacts['hook']): boolean {
    const isNew = hook !== this.#believed;
    this.#believed = hook;
    if (isNew) this.#watchOffHook();
    return isNew;
  }

  callBegan(): void {
    this.#inCall = true;
    this.#watchOffHook();
  }

  callEnded(): void {
    this.#inCall = false;
    this.#watchOffHook();
  }

  stop(): void {
    this.#offHook?.cancel();
    this.#state = undefined;
  }

  #watchOffHook(): void {
    this.#offHook?.cancel();
    this.#offHook = undefined;
    if (this.#believed !== 'off' || this.#inCall) return;
    this.#offHook = this.#clock.after(this.#leftOffHookMs, this.#onLeftOffHook);
  }
}
