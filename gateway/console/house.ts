import type { Clock } from '../clock/clock.js';
import { ConsoleFault } from './fault.js';
import type { Listening } from './listening.js';
import type { LiveFeed } from './live-feed.js';
import type { LogInBrake } from './log-in-brake.js';
import type { OneTimeLink } from './one-time-link.js';
import type { Pages } from './pages.js';
import type { Passwords } from './passwords.js';
import type { People } from './people.js';
import type { Sessions } from './sessions.js';
import type { Change, ConsoleSource } from './source.js';

/** The log, as the console writes to it: pino's form. */
export interface ConsoleLog {
  info(fields: object, message?: string): void;
  warn(fields: object, message?: string): void;
  error(fields: object, message?: string): void;
}

/** What every route works with: one for the network's server and the local socket's. */
export interface House {
  readonly source: ConsoleSource;
  readonly clock: Clock;
  readonly log: ConsoleLog;
  readonly people: People;
  readonly passwords: Passwords;
  readonly sessions: Sessions;
  readonly brake: LogInBrake;
  readonly link: OneTimeLink;
  readonly feed: LiveFeed;
  readonly listening: Listening;
  readonly pages: Pages;
  /** When each person was last seen, by name; of this run alone. */
  readonly lastSeen: Map<string, string>;
  /** What Prometheus reads, and the bearer token that it may bring instead of a log-in. */
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>;
  readonly token: string;
}

/** A change that may be only when the audit chain has it: written first, and again when it failed after all. */
export function audited<T>({ source }: House, change: Change, work: () => T): T {
  inChain(source, change);
  try {
    return work();
  } catch (fault) {
    const why = fault instanceof Error ? fault.message : String(fault);
    inChain(source, { ...change, what: `${change.what}.failed`, after: { why } });
    throw new ConsoleFault(503, 'disk', `nothing was changed: ${why}`);
  }
}

function inChain(source: ConsoleSource, change: Change): void {
  try {
    source.audited(change);
  } catch (fault) {
    const why = fault instanceof Error ? fault.message : String(fault);
    throw new ConsoleFault(503, 'disk', `the audit chain cannot be written, so nothing is changed: ${why}`);
  }
}
