/** How long each state may last before the machine goes on without an answer, milliseconds. The planes have bounds of their own. */
export const OPEN_MEDIA_MS = 5_000;
/** A handset that has keyed is in somebody's hand: it answers by itself, or when the hook is pressed and let go. */
export const CALL_HANDSET_MS = 15_000;
/** No prompt lasts longer; a handset that is told nothing more gets its final status. */
export const ANNOUNCE_MS = 20_000;
export const CONNECT_MS = 5_000;
export const ARM_MS = 5_000;
/** No ACK for this long and signalling gives the leg up itself (64·T1, RFC 3261 §13.3.1.4); ours comes just after. */
export const ACCEPT_MS = 34_000;
/** On top of what the grant lets each trunk ring: the time that a trunk takes to say that it is ringing. */
export const DIAL_MARGIN_MS = 5_000;

/** Silence is the relay's answer to a local order; later than this it is not there. */
export const MEDIA_RELEASE_MS = 3_000;
/** A leg that does not answer its BYE is declared dead after 64·T1 = 32 s (RFC 3261 §17.1.2.2). */
export const SIGNALLING_RELEASE_MS = 35_000;
/** The board's own watchdog has opened the relay by then. */
export const LINE_RELEASE_MS = 7_000;
/** The relay stays open for this long after a call that we ended. */
export const DEFAULT_HOLD_MS = 10_000;

/** SIP and the wire may disagree for this long: an ATA takes up to a second to tell a hang-up from a hook flash. */
export const HOOK_GRACE_MS = 2_000;
/** How often the wire is looked at again while it contradicts a request. */
export const HOOK_LOOK_MS = 200;

/** The disk did not take a record: the first wait, and the longest. */
export const RECORD_AGAIN_MS = 1_000;
export const RECORD_AGAIN_MOST_MS = 60_000;

/** A plane that reports the deadline this much too early has a wrong clock. */
export const EARLY_END_NS = 1_000_000_000n;
