import { go, type Machine } from './machine.js';

export type InviteServerState = 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated';
export type InviteServerEvent =
  | 'request'
  | 'ack'
  | 'app-1xx'
  | 'app-2xx'
  | 'app-failure'
  | 'transport-error'
  | 'G'
  | 'H'
  | 'I'
  | 'L';

/**
 * RFC 3261 §17.2.1, figure 7, with the Accepted state of RFC 6026 §8.5 (a 2xx is repeated by the dialog, until ACK).
 * Over a reliable transport timer G is never started.
 */
export const INVITE_SERVER: Machine<InviteServerState, InviteServerEvent> = {
  initial: 'proceeding',
  begin: [],
  rows: {
    proceeding: {
      request: go('proceeding', 'send'),
      'app-1xx': go('proceeding', 'send'),
      'app-2xx': go('accepted', 'send', 'start L'),
      'app-failure': go('completed', 'send', 'start G', 'start H'),
      'transport-error': go('terminated', 'tell-transport-error'),
    },
    completed: {
      request: go('completed', 'send'),
      G: go('completed', 'send', 'start G'),
      H: go('terminated', 'stop G', 'tell-timeout'),
      ack: go('confirmed', 'stop G', 'stop H', 'start I'),
      'transport-error': go('terminated', 'stop G', 'stop H', 'tell-transport-error'),
    },
    confirmed: {
      I: go('terminated'),
    },
    accepted: {
      'app-2xx': go('accepted', 'send'),
      ack: go('accepted', 'pass-up'),
      L: go('terminated'),
    },
    terminated: {},
  },
};
