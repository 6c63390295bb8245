import type { CallObserver, CallRequest, HandsetPhase } from './calls/ports.js';
import type { Clock } from './clock/clock.js';
import type { LinesOptions } from './lines/fittings.js';
import type { Lines } from './lines/lines.js';
import type { CallId, HandsetId } from './policy/ids.js';
import type { SiteWork } from './site-work.js';

/** What the display of a keypad handset says of its call; what ends it has its own words. */
const SAYS: Readonly<Partial<Record<HandsetPhase, string>>> = {
  calling: 'Calling',
  ringing: 'Ringing',
  talking: '',
};

/** What was keyed on a line card, as the request that an INVITE would bring. There is none: the handset is called once it is granted. */
export function keyedRequest(call: CallId, handset: HandsetId, dialled: string, clock: Clock): CallRequest {
  return { call, handset, dialled, at: clock.wall(), offer: '', source: 'line-card', keyed: true };
}

/** The keys of line cards as the work desk takes them: those of a handset that is there, and the code that brings one there. */
export function keysAtDesk(work: () => SiteWork | undefined): Pick<LinesOptions, 'takesKey' | 'isCode'> {
  return {
    takesKey: (handset, key) => work()?.keyAt(handset, key) === true,
    isCode: (handset, dialled) => work()?.isSignOn(handset, dialled) === true,
  };
}

/**
 * Tells keypad handsets how their calls fare, and why one was refused; a handset without a display shows nothing, and of one at
 * the work desk the desk says what it does there.
 */
export function keypadObserver(
  lines: Pick<Lines, 'say' | 'callOver'>,
  isAtDesk: (handset: HandsetId) => boolean = () => false,
): CallObserver {
  return {
    handset: (handset, phase) => {
      const text = SAYS[phase];
      if (text !== undefined && !isAtDesk(handset)) lines.say(handset, text);
    },
    ended: ({ handset, cause, fact }) => {
      if (!isAtDesk(handset)) lines.callOver(handset, cause === 'refused' ? (fact ?? cause) : '');
    },
    cutoff: () => undefined,
  };
}
