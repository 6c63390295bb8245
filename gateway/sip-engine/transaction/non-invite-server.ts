import { go, type Machine } from './machine.js';

export type NonInviteServerState = 'trying' | 'proceeding' | 'completed' | 'terminated';
export type NonInviteServerEvent = 'request' | 'app-1xx' | 'app-final' | 'transport-error' | 'J';

/** RFC 3261 §17.2.2, figure 8. */
export const NON_INVITE_SERVER: Machine<NonInviteServerState, NonInviteServerEvent> = {
  initial: 'trying',
  begin: [],
  rows: {
    trying: {
      'app-1xx': go('proceeding', 'send'),
      'app-final': go('completed', 'send', 'start J'),
      'transport-error': go('terminated', 'tell-transport-error'),
    },
    proceeding: {
      request: go('proceeding', 'send'),
      'app-1xx': go('proceeding', 'send'),
      'app-final': go('completed', 'send', 'start J'),
      'transport-error': go('terminated', 'tell-transport-error'),
    },
    completed: {
      request: go('completed', 'send'),
      'transport-error': go('terminated', 'stop J', 'tell-transport-error'),
      J: go('terminated'),
    },
    terminated: {},
  },
};
