import type { Limits } from '../config.js';
import type { Counters } from '../counters.js';
import type { ServerTransaction } from '../transaction/server-transaction.js';
import type { QueuedTimer, TimerQueues } from '../transaction/timers.js';

/** What is to become of a request that begins something: it is worked on, refused with 503, or not even answered. */
export type Admission = 'admitted' | 'refused' | 'dropped';

/** So many addresses are remembered; beyond it one is forgotten for each that comes, if nothing of it is open. */
const MOST_ADDRESSES = 10_000;
/** So many of them are looked at to find one that may be forgotten. What is in use has limits of its own. */
const MOST_LOOKS = 8;
/** How often the process's own lateness is measured, milliseconds. */
const LOOK_EVERY_MS = 100;

/** What one source address has cost. */
class Account {
  open = 0;
  invites: number;
  others: number;
  answers: number;
  atMs: number;
  /** Its transactions that have their answer and linger for repetitions, oldest first. */
  readonly finished = new Set<ServerTransaction>();

  constructor(limits: Limits, nowMs: number) {
    this.invites = limits.ratePerAddress;
    this.others = limits.otherRatePerAddress;
    this.answers = limits.refusalsPerAddress;
    this.atMs = nowMs;
  }

  /** What may be spent grows by its rate, up to a second's worth. */
  refill(limits: Limits, nowMs: number): void {
    const passedS = (nowMs - this.atMs) / 1000;
    this.atMs = nowMs;
    this.invites = Math.min(limits.ratePerAddress, this.invites + passedS * limits.ratePerAddress);
    this.others = Math.min(limits.otherRatePerAddress, this.others + passedS * limits.otherRatePerAddress);
    this.answers = Math.min(limits.refusalsPerAddress, this.answers + passedS * limits.refusalsPerAddress);
  }
}

/**
 * Lets in what begins something, within the limits of its address and of the whole. Calls in progress never ask here: their
 * requests, answers and ACKs pass whatever happens. So a flood is refused at its own expense.
 */
export class AdmissionDesk {
  readonly #accounts = new Map<string, Account>();
  #hand = this.#accounts.entries();
  readonly #finished = new Set<ServerTransaction>();
  #open = 0;
  #look: QueuedTimer | undefined;
  #lagging = false;

  constructor(
    readonly limits: Limits,
    readonly counters: Counters,
    readonly timers: TimerQueues,
  ) {
    this.#watch();
  }

  /** Whether the process is so late that it takes on nothing new. */
  get lagging(): boolean {
    return this.#lagging;
  }

  close(): void {
    this.#look?.cancel();
  }

  /** Judges a request that begins something. One that is admitted is open until `finished` or `ended` is told of it. */
  admit(method: string, address: string): Admission {
    const account = this.#account(address);
    const kind = method === 'INVITE' ? 'invites' : 'others';
    const why = this.#overLimit(account, kind);
    if (why === undefined) {
      account[kind]--;
      account.open++;
      this.#open++;
      return 'admitted';
    }
    this.counters[why]++;
    this.counters.refusedByLimit++;
    return this.#spendAnswer(account) ? 'refused' : 'dropped';
  }

  /** Whether something that is no request that begins anything may be answered: junk, and requests of no dialog. */
  mayAnswer(address: string): boolean {
    const account = this.#account(address);
    if (this.#spendAnswer(account)) return true;
    this.counters.droppedByLimit++;
    return false;
  }

  /** The request has its final answer. */
  finished(transaction: ServerTransaction): void {
    const { address } = transaction.flow;
    const account = this.#accounts.get(address);
    if (account === undefined) return;
    account.open--;
    this.#open--;
    this.kept(transaction);
  }

  /** A request has its final answer, and lingers for its repetitions: also one in a dialog, which nobody admits. */
  kept(transaction: ServerTransaction): void {
    const account = this.#account(transaction.flow.address);
    if (transaction.terminated || transaction.state === 'accepted') return;
    account.finished.add(transaction);
    this.#finished.add(transaction);
    if (account.finished.size > this.limits.finishedPerAddress) this.#evict(account.finished);
    if (this.#finished.size > this.limits.finishedInAll) this.#evict(this.#finished);
  }

  /** The transaction is no more. */
  ended(transaction: ServerTransaction): void {
    if (this.#finished.delete(transaction)) this.#accounts.get(transaction.flow.address)?.finished.delete(transaction);
  }

  #overLimit(
    account: Account,
    kind: 'invites' | 'others',
  ): 'refusedByLag' | 'refusedByOpen' | 'refusedByOpenOfAddress' | 'refusedByRate' | undefined {
    if (this.#lagging) return 'refusedByLag';
    if (account[kind] < 1) return 'refusedByRate';
    if (account.open >= this.limits.openPerAddress) return 'refusedByOpenOfAddress';
    return this.#open >= this.limits.openInAll ? 'refusedByOpen' : undefined;
  }

  #spendAnswer(account: Account): boolean {
    if (account.answers < 1) return false;
    account.answers--;
    return true;
  }

  /** The oldest is ended before its time: a repetition of its request would be worked on as a new one, which costs us no more. */
  #evict(finished: Set<ServerTransaction>): void {
    for (const oldest of finished) {
      this.counters.forgottenEarly++;
      oldest.forget();
      return;
    }
  }

  #account(address: string): Account {
    const nowMs = this.timers.clock.nowMs();
    const known = this.#accounts.get(address);
    if (known !== undefined) {
      known.refill(this.limits, nowMs);
      return known;
    }
    if (this.#accounts.size >= MOST_ADDRESSES) this.#forgetOne();
    const account = new Account(this.limits, nowMs);
    this.#accounts.set(address, account);
    return account;
  }

  /** One of which nothing is open; the next look goes on where this one ended, so that no flood has us look at all of them each time. */
  #forgetOne(): void {
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const { done, value } = this.#hand.next();
      if (done) {
        this.#hand = this.#accounts.entries();
        continue;
      }
      const [address, { open, finished }] = value;
      if (open > 0 || finished.size > 0) continue;
      this.#accounts.delete(address);
      return;
    }
  }

  #watch(): void {
    const dueMs = this.timers.clock.nowMs() + LOOK_EVERY_MS;
    const look = {
      onTimer: () => {
        this.#lagging = this.timers.clock.nowMs() - dueMs > this.limits.lagMs;
        this.#watch();
      },
    };
    this.#look = this.timers.start(LOOK_EVERY_MS, look, 'look');
  }
}
