import type { SipMessage } from './message.js';
import { lists } from './option-tags.js';
import { paramOf } from './uri.js';

/** What a Session-Expires header asks for (RFC 4028 §4). */
export interface SessionExpires {
  readonly intervalS: number;
  /** Who is to refresh, from the point of view of the request; undefined when it is left open. */
  readonly refresher: 'uac' | 'uas' | undefined;
  /** The sender can refresh, and watch over the other's refreshing. */
  readonly supported: boolean;
}

/** The largest interval that is kept count of, seconds: a day. */
const MOST_S = 86_400;

function seconds(value: string | undefined): number | undefined {
  const digits = /^\s*(\d{1,10})\s*(?:;|$)/.exec(value ?? '')?.[1];
  return digits === undefined ? undefined : Math.min(Number(digits), MOST_S);
}

/** Reads the header; undefined when there is none, or none that can be read. */
export function sessionExpires(message: SipMessage): SessionExpires | undefined {
  const value = message.get('session-expires');
  const intervalS = seconds(value);
  if (value === undefined || intervalS === undefined) return undefined;
  const semicolon = value.indexOf(';');
  const named = semicolon < 0 ? undefined : paramOf(value.slice(semicolon), 'refresher')?.toLowerCase();
  return {
    intervalS,
    refresher: named === 'uac' || named === 'uas' ? named : undefined,
    supported: lists(message, 'supported', 'timer') || lists(message, 'require', 'timer'),
  };
}

/** The least interval that the sender of a message bears with (RFC 4028 §5); undefined when it does not say. */
export function minSessionExpires(message: SipMessage): number | undefined {
  return seconds(message.get('min-se'));
}
