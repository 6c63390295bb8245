import type { SipMessage } from './message.js';
import { listOf } from './name-addr.js';

/** The option tags that IANA has registered: an application may understand any of them, and nobody understands another. */
const REGISTERED = new Set(
  (
    '100rel 199 answermode early-session eventlist explicitsub from-change geolocation-http geolocation-sip gin gruu histinfo ' +
    'ice join multiple-refer norefersub nosub outbound path policy precondition pref privacy recipient-list-invite ' +
    'recipient-list-message recipient-list-subscribe record-aware replaces resource-priority sdp-anat sec-agree siprec ' +
    'tdialog timer trickle-ice uui'
  ).split(' '),
);

/** The extensions that a request requires and that nobody can have (RFC 3261 §8.2.2.3). */
export function unknownExtensions(request: SipMessage): readonly string[] {
  if (!request.has('require')) return [];
  return listOf(request.all('require')).filter((tag) => tag !== '' && !REGISTERED.has(tag.toLowerCase()));
}

/** Whether a header lists an option tag (Supported, Require, Allow); tags are compared without case. */
export function lists(message: SipMessage, header: string, tag: string): boolean {
  if (!message.has(header)) return false;
  return listOf(message.all(header)).some((one) => one.toLowerCase() === tag);
}
