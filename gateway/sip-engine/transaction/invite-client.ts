import { go, type Machine } from './machine.js';

export type InviteClientState = 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated';
export type InviteClientEvent = '1xx' | '2xx' | 'failure' | 'transport-error' | 'A' | 'B' | 'D' | 'M' | 'X';

/** RFC 3261 §17.1.1, figure 5, with the Accepted state of RFC 6026 §8.4. Over a reliable transport timer A is never started. */
export const INVITE_CLIENT: Machine<InviteClientState, InviteClientEvent> = {
  initial: 'calling',
  begin: ['send', 'start A', 'start B'],
  rows: {
    calling: {
      A: go('calling', 'send', 'start A'),
      B: go('terminated', 'stop A', 'tell-timeout'),
      'transport-error': go('terminated', 'stop A', 'stop B', 'tell-transport-error'),
      '1xx': go('proceeding', 'stop A', 'stop B', 'pass-up'),
      '2xx': go('accepted', 'stop A', 'stop B', 'start M', 'pass-up'),
      failure: go('completed', 'stop A', 'stop B', 'ack', 'start D', 'pass-up'),
    },
    proceeding: {
      '1xx': go('proceeding', 'pass-up'),
      '2xx': go('accepted', 'stop X', 'start M', 'pass-up'),
      failure: go('completed', 'stop X', 'ack', 'start D', 'pass-up'),
      // Nobody answered our CANCEL: the INVITE counts as cancelled (§9.1).
      X: go('terminated', 'tell-timeout'),
    },
    completed: {
      failure: go('completed', 'ack'),
      D: go('terminated'),
      'transport-error': go('terminated', 'stop D'),
    },
    accepted: {
      '2xx': go('accepted', 'pass-up'),
      M: go('terminated'),
    },
    terminated: {},
  },
};
