/** RFC 3264 §5.1: which way speech goes, in the words of whoever says it. */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** What both sides of one leg have agreed to say and hear. SDP is not read here: who made the descriptions judges them. */
export interface Session {
  /** What the peer last asked to speak and hear, in its own words. */
  readonly asked: Direction;
  /** Our own description as the peer has it now. */
  readonly current: string;
  /** Our own description anew: for a peer that asks for an offer. */
  offer(): string;
  /** Our answer to this offer; undefined when it would change the session. */
  answer(offer: string): string | undefined;
}

/**
 * Begins a session with the SDP of either side as exchanged. `mayOfferMore`: the peer may offer codecs that it has not named
 * before, as carriers do; they are not taken up.
 */
export type OpenSession = (theirs: string, ours: string, mayOfferMore: boolean) => Session;
