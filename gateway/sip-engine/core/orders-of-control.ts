import type { Tell } from '../control/control-server.js';
import type { ControlOrder } from '../control/protocol.js';
import type { Deadlines } from '../dialog/deadlines.js';
import type { Endings } from './endings.js';
import { restore } from './restore.js';
import type { Room } from './room.js';

export type Order = Exclude<ControlOrder, { do: 'hello' } | { do: 'beat' }>;

/** Carries out what the control socket orders. `retire` is told when the process is to end. */
export function carryOut(
  room: Room,
  endings: Endings,
  deadlines: Deadlines,
  retire: () => void,
  order: Order,
  tell: Tell,
): void {
  switch (order.do) {
    case 'deadline': {
      const dialog = room.dialogs.get(order.dialog);
      if (dialog === undefined || dialog.state === 'ending') {
        tell({ event: 'failed', id: order.id, why: 'no such dialog' });
        return;
      }
      // Answered first: an instant that has passed ends the dialog within this call.
      tell({ event: 'done', id: order.id });
      deadlines.set(dialog, BigInt(order.atNs));
      return;
    }
    case 'restore':
      restore(room, endings, order.dialog, order.proof, (result, challenged) => {
        if (typeof result === 'number')
          tell({ event: 'restored', id: order.id, status: result, ...(challenged && { challenged }) });
        else tell({ event: 'failed', id: order.id, why: result.why });
      });
      return;
    case 'end-all':
      tell({ event: 'done', id: order.id, count: endings.endAll(order.reason) });
      return;
    case 'status':
      tell({ event: 'status', id: order.id, status: statusOf(room) });
      return;
    case 'retire':
      tell({ event: 'done', id: order.id, count: endings.endAll('server stops') });
      retire();
  }
}

/** The counts since the start, and what is open now. */
export function statusOf(room: Room): Record<string, number> {
  return {
    ...room.counters,
    dialogs: room.dialogs.size,
    clientTransactions: room.clientTransactions.size,
    serverTransactions: room.serverTransactions.size,
    applications: room.hub.connected,
    tcpConnections: room.transports.connections.size,
  };
}
