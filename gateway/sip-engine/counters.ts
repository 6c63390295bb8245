/** What the engine counts from its start; told by `status`. */
export interface Counters {
  messagesIn: number;
  messagesOut: number;
  /** Noise, and messages that could not be parsed. */
  parseErrors: number;
  retransmissionsIn: number;
  refusedByLimit: number;
  refusedNoRoute: number;
  dialogsBegun: number;
  /** Dialogs that the engine itself ended: no ACK, deadline, loss of the application. */
  dialogsEndedByEngine: number;
  strayAnswers: number;
  sendErrors: number;
}

export function newCounters(): Counters {
  return {
    messagesIn: 0,
    messagesOut: 0,
    parseErrors: 0,
    retransmissionsIn: 0,
    refusedByLimit: 0,
    refusedNoRoute: 0,
    dialogsBegun: 0,
    dialogsEndedByEngine: 0,
    strayAnswers: 0,
    sendErrors: 0,
  };
}
