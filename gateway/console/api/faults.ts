/** Answers that are no success. */
import type { Right } from './people.js';

/** Stable codes of errors; the front end has words of its own for each. */
export type ErrorCode =
  | 'session.none'
  | 'session.wrong'
  | 'session.locked'
  | 'people.none'
  | 'people.unknown'
  | 'people.taken'
  | 'people.not-yourself'
  | 'people.last-administrator'
  | 'password.weak'
  | 'password.wrong'
  | 'first.wrong'
  | 'csrf'
  | 'host'
  | 'right'
  | 'form'
  | 'not-found'
  | 'too-many'
  | 'too-large'
  | 'handset.unknown'
  | 'handset.busy'
  | 'handset.held'
  | 'test.none'
  | 'handset.taken'
  | 'handset.no-phone'
  | 'site.busy'
  | 'site.read-only'
  | 'site.faults'
  | 'site.refused'
  | 'wing.unknown'
  | 'board.taken'
  | 'scan.busy'
  | 'scan.held'
  | 'scan.port'
  | 'call.unknown'
  | 'listen.refused'
  | 'listen.not-yours'
  | 'disk'
  | 'fault';

/** The body of every answer that is no success. `error` is plain English, for logs and for codes that a page does not know. */
export interface ErrorView {
  readonly error: string;
  readonly code: ErrorCode;
  /** `right`: the right that was missing. */
  readonly right?: Right;
  /** `session.locked`, `too-many`: also in Retry-After, seconds. */
  readonly retryAfterS?: number;
  /** `site.faults`: what would be wrong with the site; nothing was changed. */
  readonly faults?: readonly SiteFaultView[];
  /** `site.refused`: why the running gateway did not take it; it goes on as it was. */
  readonly remarks?: readonly string[];
}

/** One fault that an edit would make, as `balise check` tells it. */
export interface SiteFaultView {
  readonly file: string;
  /** JSON pointer (RFC 6901) into the file, e.g. `/3/line/relay`. */
  readonly pointer: string;
  readonly found: string;
  readonly expected: string;
  readonly hint: string;
}
