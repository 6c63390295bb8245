import type { Temporal } from 'temporal-polyfill';
import type { Clock, Timer } from './clock/clock.js';

/** What policy rests on and what will not hold much longer. */
export interface PolicyWarning {
  readonly code: 'dnc.ageing' | 'dnc.stale' | 'policy.expiring' | 'policy.expired';
  /** What it is about, e.g. the list's name: each is told once. */
  readonly of: string;
  readonly why: string;
}

const LOOK_MS = 600_000;

/** Looks every ten minutes at what ages: lists and the signed policy. Each warning is raised once, and again after it was over. */
export class PolicyWatch {
  #told: ReadonlySet<string> = new Set();
  #timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly warnings: (at: Temporal.Instant) => readonly PolicyWarning[],
    private readonly alarm: (code: string, why: string) => void,
  ) {}

  start(): void {
    this.look();
    this.#timer = this.clock.after(LOOK_MS, () => this.start());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  look(): void {
    // A clock that is not believed says nothing of ages; calls are refused by it anyhow.
    if (!this.clock.trust().trusted) return;
    const found = this.warnings(this.clock.wall());
    const keyOf = ({ code, of }: PolicyWarning) => `${code} ${of}`;
    for (const warning of found) if (!this.#told.has(keyOf(warning))) this.alarm(warning.code, warning.why);
    this.#told = new Set(found.map(keyOf));
  }
}
