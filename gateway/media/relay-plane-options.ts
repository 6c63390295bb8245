import type { Logger } from 'pino';
import type { CallSink, MediaOrder } from '../calls/ports.js';
import type { Clock } from '../clock/clock.js';
import type { CallId, HandsetId } from '../policy/ids.js';
import type { RulesOf } from './media-rules.js';
import type { OwnSounds } from './own-sounds.js';

/** The networks, in CIDR notation, from which the first packets of a side may come though its SDP says otherwise. */
export interface MediaNetworks {
  /** The wings' networks. When any is given, a handset's media address outside them is refused. */
  readonly cell: readonly string[];
  readonly carrier: readonly string[];
}

export interface RelayPlaneOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** May be given later by `setSink`, before the first call. */
  readonly sink?: CallSink;
  readonly networks?: MediaNetworks;
  /** What a handset's calls may carry, asked once a call. Default: G.711, no words, no listening. */
  readonly rulesOf?: RulesOf;
  /** Sounds of the site's own, which announcements to callees may name. */
  readonly ownSounds?: OwnSounds;
  /** Told of each call that is armed, and of each that is closed: what records under a warrant. */
  readonly onArmed?: (call: CallId, order: MediaOrder) => void;
  readonly onClosed?: (call: CallId) => void;
  /** A key of a call whose keys were asked for. */
  readonly onKey?: (call: CallId, key: string) => void;
  /** What people are to look at. */
  readonly onAlarm?: (code: string, detail: string, handset: HandsetId) => void;
}
