/**
 * Bundles that headquarters sends. The topic is retained, so that the same one comes again with each connection: what is in
 * force already, or was refused already, is answered again and reported once.
 */
import type { Temporal } from 'temporal-polyfill';
import type { Clock, Timer } from '../clock/clock.js';
import { BundleFault, type BundleRefusal, bundleDigest } from './bundle.js';

/** What became of a bundle. */
export type BundleAnswer =
  | {
      readonly state: 'done';
      readonly version: number;
      readonly widens: readonly string[];
      readonly wasInForce: boolean;
    }
  /** It is genuine and is taken when it is valid. */
  | { readonly state: 'accepted'; readonly detail: string }
  | { readonly state: 'refused'; readonly why: BundleRefusal; readonly detail: string }
  /** The disk could not take it; it is tried again. */
  | { readonly state: 'failed'; readonly why: 'store-failed'; readonly detail: string };

export interface BundleInboxOptions {
  readonly clock: Clock;
  /** Takes a bundle or throws a `BundleFault`. */
  readonly offer: (
    text: string,
    at: Temporal.Instant,
  ) => Promise<{ readonly version: number; readonly widens: readonly string[]; readonly wasInForce: boolean }>;
  /** A bundle was not taken, told once for each. */
  readonly onRefused: (fault: unknown) => void;
  /** What became of a bundle that had to wait. */
  readonly onLate: (text: string, answer: BundleAnswer) => void;
}

/** After a disk that did not take it, milliseconds. */
const AGAIN_MS = 60_000;
/** No wait is longer than this: the wall clock may be set meanwhile, milliseconds. */
const LOOK_MS = 3_600_000;

export class BundleInbox {
  #refused = '';
  #waiting: Timer | undefined;
  #before: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: BundleInboxOptions) {}

  /** Takes what came; one after another, so that the last to come is the last to be judged. Never rejects. */
  take(text: string): Promise<BundleAnswer> {
    this.#waiting?.cancel();
    const answer = this.#before.then(() => this.#judge(text));
    this.#before = answer;
    return answer;
  }

  close(): void {
    this.#waiting?.cancel();
  }

  async #judge(text: string): Promise<BundleAnswer> {
    // What waited is older than this.
    this.#waiting?.cancel();
    try {
      const taken = await this.options.offer(text, this.options.clock.wall());
      this.#refused = '';
      return { state: 'done', ...taken };
    } catch (fault) {
      if (!(fault instanceof BundleFault)) return this.#failed(text, fault);
      const { code: why, message: detail, fromMs } = fault;
      if (why === 'not-yet-valid' && fromMs !== undefined) {
        this.#again(text, fromMs - this.options.clock.wall().epochMilliseconds);
        return { state: 'accepted', detail };
      }
      this.#tellOnce(text, fault);
      return { state: 'refused', why, detail };
    }
  }

  #failed(text: string, fault: unknown): BundleAnswer {
    this.#tellOnce(text, fault);
    this.#again(text, AGAIN_MS);
    return { state: 'failed', why: 'store-failed', detail: fault instanceof Error ? fault.message : String(fault) };
  }

  #tellOnce(text: string, fault: unknown): void {
    const digest = bundleDigest(text);
    if (digest !== this.#refused) this.options.onRefused(fault);
    this.#refused = digest;
  }

  /** Offers it once more, when it is time. Another bundle that comes meanwhile takes its place. */
  #again(text: string, ms: number): void {
    this.#waiting?.cancel();
    this.#waiting = this.options.clock.after(Math.min(Math.max(ms, 0), LOOK_MS), () => {
      void this.take(text).then((answer) => {
        if (answer.state !== 'accepted') this.options.onLate(text, answer);
      });
    });
  }
}
