import { isIPv6 } from 'node:net';
import type { Clock } from '../clock/clock.js';

const SECOND_NS = 1_000_000_000n;
/** Failures in a row that are nobody's business: people mistype. */
const FREE_A_PERSON = 5;
/** An address may stand for a whole office. */
const FREE_AN_ADDRESS = 15;
/** The first lock; each further failure doubles it. Seconds. */
const FIRST_LOCK_S = 30;
const LONGEST_LOCK_S = 900;
/** Without another failure for this long they are forgotten. Seconds. */
const FORGET_S = 3_600;
/** Addresses and names can be made up: the longest quiet go first. */
const MOST_KEPT = 5_000;

interface Failures {
  count: number;
  lastNs: bigint;
  lockedUntilNs: bigint;
}

/** What a failed log-in came to. */
export interface Lock {
  readonly of: 'person' | 'address';
  readonly failures: number;
  readonly forS: number;
}

/** One machine has a whole /64 of IPv6 to come from. */
export function addressKey(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const full = [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  return `${full.slice(0, 4).join(':')}::/64`;
}

/**
 * Counts failed log-ins by person and by address, and locks either for longer and longer. A lock delays its person by
 * fifteen minutes at the most, and neither ends their sessions nor stands in the way of the command line.
 */
export class LogInBrake {
  readonly #failures = new Map<string, Failures>();

  constructor(private readonly clock: Clock) {}

  /** Whole seconds until somebody of this name at this address may try again; 0 for now. */
  secondsLeft(name: string, address: string): number {
    return Math.max(this.#left(`p ${name}`), this.#left(`a ${addressKey(address)}`));
  }

  /** How long a person is still locked, whichever address they come from. */
  personLeft(name: string): number {
    return this.#left(`p ${name}`);
  }

  /** One attempt, counted as a failure until `succeeded` takes it back. Returns the locks that it brought. */
  failed(name: string, address: string): readonly Lock[] {
    const person = this.#count(`p ${name}`, FREE_A_PERSON);
    const place = this.#count(`a ${addressKey(address)}`, FREE_AN_ADDRESS);
    return [
      ...(person === undefined ? [] : [{ of: 'person' as const, ...person }]),
      ...(place === undefined ? [] : [{ of: 'address' as const, ...place }]),
    ];
  }

  /**
   * The attempt that was counted just now was no failure. The person has proved to be themselves; of the address only this one is
   * taken back, since a guesser may have a log-in of their own.
   */
  succeeded(name: string, address: string): void {
    this.#failures.delete(`p ${name}`);
    const place = this.#failures.get(`a ${addressKey(address)}`);
    if (place === undefined) return;
    place.count -= 1;
    if (place.count < FREE_AN_ADDRESS) place.lockedUntilNs = 0n;
  }

  get size(): number {
    return this.#failures.size;
  }

  #left(key: string): number {
    const leftNs = (this.#failures.get(key)?.lockedUntilNs ?? 0n) - this.clock.monotonicNs();
    return leftNs > 0n ? Number((leftNs + SECOND_NS - 1n) / SECOND_NS) : 0;
  }

  #count(key: string, free: number): Omit<Lock, 'of'> | undefined {
    const now = this.clock.monotonicNs();
    const known = this.#failures.get(key);
    const isOld = known === undefined || now - known.lastNs > BigInt(FORGET_S) * SECOND_NS;
    const failures: Failures = isOld ? { count: 0, lastNs: now, lockedUntilNs: 0n } : known;
    failures.count += 1;
    failures.lastNs = now;
    // Put anew, so that the map is in the order of the last failure.
    this.#failures.delete(key);
    this.#failures.set(key, failures);
    this.#makeRoom();
    const over = failures.count - free;
    if (over < 0) return undefined;
    const forS = Math.min(LONGEST_LOCK_S, FIRST_LOCK_S * 2 ** Math.min(over, 10));
    failures.lockedUntilNs = now + BigInt(forS) * SECOND_NS;
    return { failures: failures.count, forS };
  }

  #makeRoom(): void {
    if (this.#failures.size <= MOST_KEPT) return;
    const now = this.clock.monotonicNs();
    for (const spareLocked of [true, false]) {
      for (const [key, { lockedUntilNs }] of this.#failures) {
        if (this.#failures.size <= (MOST_KEPT * 3) / 4) return;
        if (!spareLocked || lockedUntilNs <= now) this.#failures.delete(key);
      }
    }
  }
}
