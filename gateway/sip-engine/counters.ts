/** What the engine counts from its start; told by `status`. */
export interface Counters {
  messagesIn: number;
  messagesOut: number;
  /** Noise, and messages that could not be parsed. */
  parseErrors: number;
  /** Of those, the ones over the limits of a message: its length, its headers, one of them. */
  refusedByMessage: number;
  retransmissionsIn: number;
  /** Requests over any limit of those below. */
  refusedByLimit: number;
  /** … because their address sends too many a second, has too many open, all have too many open, the process is late. */
  refusedByRate: number;
  refusedByOpenOfAddress: number;
  refusedByOpen: number;
  refusedByLag: number;
  /** Refusals that were not even answered, because their address had its share of answers. */
  droppedByLimit: number;
  /** Answered requests that were forgotten before their 32 s were over. */
  forgottenEarly: number;
  tcpRefused: number;
  tcpIdle: number;
  /** TCP connections on which a message, or the handshake of TLS, never became whole. */
  tcpSlow: number;
  /** TCP connections whose stream could not be cut into messages. */
  tcpBroken: number;
  /** TCP connections whose peer does not read. */
  tcpUnread: number;
  /** TLS handshakes that failed. */
  tlsRefused: number;
  /** Requests that asked for an alias without being entitled to one (RFC 5923). */
  aliasesRefused: number;
  /** Applications that were hung up on for a frame over the limit, or for what is no frame. */
  framesRefused: number;
  /** Requests that were too large for a datagram and went by TCP. */
  sentByTcp: number;
  /** Requests for a session shorter than the least: 422. */
  refusedBySession: number;
  refusedNoRoute: number;
  dialogsBegun: number;
  /** Dialogs that the engine itself ended: no ACK, deadline, loss of the application. */
  dialogsEndedByEngine: number;
  sessionRefreshes: number;
  /** Dialogs that ended because their session was not refreshed. */
  sessionsExpired: number;
  strayAnswers: number;
  sendErrors: number;
}

export function newCounters(): Counters {
  return {
    messagesIn: 0,
    messagesOut: 0,
    parseErrors: 0,
    refusedByMessage: 0,
    retransmissionsIn: 0,
    refusedByLimit: 0,
    refusedByRate: 0,
    refusedByOpenOfAddress: 0,
    refusedByOpen: 0,
    refusedByLag: 0,
    droppedByLimit: 0,
    forgottenEarly: 0,
    tcpRefused: 0,
    tcpIdle: 0,
    tcpSlow: 0,
    tcpBroken: 0,
    tcpUnread: 0,
    tlsRefused: 0,
    aliasesRefused: 0,
    framesRefused: 0,
    sentByTcp: 0,
    refusedBySession: 0,
    refusedNoRoute: 0,
    dialogsBegun: 0,
    dialogsEndedByEngine: 0,
    sessionRefreshes: 0,
    sessionsExpired: 0,
    strayAnswers: 0,
    sendErrors: 0,
  };
}
