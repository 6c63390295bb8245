import { go, type Machine } from './machine.js';

export type NonInviteClientState = 'trying' | 'proceeding' | 'completed' | 'terminated';
export type NonInviteClientEvent = '1xx' | 'final' | 'transport-error' | 'E' | 'F' | 'K';

/** RFC 3261 §17.1.2, figure 6. Over a reliable transport timer E is never started. */
export const NON_INVITE_CLIENT: Machine<NonInviteClientState, NonInviteClientEvent> = {
  initial: 'trying',
  begin: ['send', 'start E', 'start F'],
  rows: {
    trying: {
      E: go('trying', 'send', 'start E'),
      F: go('terminated', 'stop E', 'tell-timeout'),
      'transport-error': go('terminated', 'stop E', 'stop F', 'tell-transport-error'),
      '1xx': go('proceeding', 'pass-up'),
      final: go('completed', 'stop E', 'stop F', 'start K', 'pass-up'),
    },
    proceeding: {
      E: go('proceeding', 'send', 'start E'),
      F: go('terminated', 'stop E', 'tell-timeout'),
      'transport-error': go('terminated', 'stop E', 'stop F', 'tell-transport-error'),
      '1xx': go('proceeding', 'pass-up'),
      final: go('completed', 'stop E', 'stop F', 'start K', 'pass-up'),
    },
    completed: {
      K: go('terminated'),
    },
    terminated: {},
  },
};
