import t from 'tap';
import { INVITE_CLIENT } from '../../../gateway/sip-engine/transaction/invite-client.js';
import { INVITE_SERVER } from '../../../gateway/sip-engine/transaction/invite-server.js';
import { type AnyMachine, stepOf } from '../../../gateway/sip-engine/transaction/machine.js';
import { NON_INVITE_CLIENT } from '../../../gateway/sip-engine/transaction/non-invite-client.js';
import { NON_INVITE_SERVER } from '../../../gateway/sip-engine/transaction/non-invite-server.js';

/** The figures of RFC 3261 §17 as RFC 6026 corrects them, written out once more: state, event → state: what is done. */
const FIGURES: readonly {
  readonly name: string;
  readonly machine: AnyMachine;
  readonly events: string[];
  readonly rows: string[];
}[] = [
  {
    name: 'INVITE client (figure 5, RFC 6026 §8.4)',
    machine: INVITE_CLIENT,
    events: ['1xx', '2xx', 'failure', 'transport-error', 'A', 'B', 'D', 'M', 'X'],
    rows: [
      'calling A → calling: send, start A',
      'calling B → terminated: stop A, tell-timeout',
      'calling transport-error → terminated: stop A, stop B, tell-transport-error',
      'calling 1xx → proceeding: stop A, stop B, pass-up',
      'calling 2xx → accepted: stop A, stop B, start M, pass-up',
      'calling failure → completed: stop A, stop B, ack, start D, pass-up',
      'proceeding 1xx → proceeding: pass-up',
      'proceeding 2xx → accepted: stop X, start M, pass-up',
      'proceeding failure → completed: stop X, ack, start D, pass-up',
      'proceeding X → terminated: tell-timeout',
      'completed failure → completed: ack',
      'completed D → terminated: ',
      'completed transport-error → terminated: stop D',
      'accepted 2xx → accepted: pass-up',
      'accepted M → terminated: ',
    ],
  },
  {
    name: 'non-INVITE client (figure 6)',
    machine: NON_INVITE_CLIENT,
    events: ['1xx', 'final', 'transport-error', 'E', 'F', 'K'],
    rows: [
      'trying E → trying: send, start E',
      'trying F → terminated: stop E, tell-timeout',
      'trying transport-error → terminated: stop E, stop F, tell-transport-error',
      'trying 1xx → proceeding: pass-up',
      'trying final → completed: stop E, stop F, start K, pass-up',
      'proceeding E → proceeding: send, start E',
      'proceeding F → terminated: stop E, tell-timeout',
      'proceeding transport-error → terminated: stop E, stop F, tell-transport-error',
      'proceeding 1xx → proceeding: pass-up',
      'proceeding final → completed: stop E, stop F, start K, pass-up',
      'completed K → terminated: ',
    ],
  },
  {
    name: 'INVITE server (figure 7, RFC 6026 §8.5)',
    machine: INVITE_SERVER,
    events: ['request', 'ack', 'app-1xx', 'app-2xx', 'app-failure', 'transport-error', 'G', 'H', 'I', 'L'],
    rows: [
      'proceeding request → proceeding: send',
      'proceeding app-1xx → proceeding: send',
      'proceeding app-2xx → accepted: send, start L',
      'proceeding app-failure → completed: send, start G, start H',
      'proceeding transport-error → terminated: tell-transport-error',
      'completed request → completed: send',
      'completed G → completed: send, start G',
      'completed H → terminated: stop G, tell-timeout',
      'completed ack → confirmed: stop G, stop H, start I',
      'completed transport-error → terminated: stop G, stop H, tell-transport-error',
      'confirmed I → terminated: ',
      'accepted app-2xx → accepted: send',
      'accepted ack → accepted: pass-up',
      'accepted L → terminated: ',
    ],
  },
  {
    name: 'non-INVITE server (figure 8)',
    machine: NON_INVITE_SERVER,
    events: ['request', 'app-1xx', 'app-final', 'transport-error', 'J'],
    rows: [
      'trying app-1xx → proceeding: send',
      'trying app-final → completed: send, start J',
      'trying transport-error → terminated: tell-transport-error',
      'proceeding request → proceeding: send',
      'proceeding app-1xx → proceeding: send',
      'proceeding app-final → completed: send, start J',
      'proceeding transport-error → terminated: tell-transport-error',
      'completed request → completed: send',
      'completed transport-error → terminated: stop J, tell-transport-error',
      'completed J → terminated: ',
    ],
  },
];

for (const { name, machine, events, rows } of FIGURES) {
  t.test(`the ${name} machine has the rows of the figure and no other`, (test) => {
    for (const state of Object.keys(machine.rows)) {
      for (const event of events) {
        const step = stepOf(machine, state, event);
        const row = step && `${state} ${event} → ${step.next}: ${step.actions.join(', ')}`;
        const expected = rows.find((one) => one.startsWith(`${state} ${event} →`));
        test.equal(row, expected, expected ?? `${state} ignores ${event}`);
      }
    }
    test.end();
  });
}
