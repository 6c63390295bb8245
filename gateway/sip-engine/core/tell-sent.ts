import type { ClientLink } from '../client/client-link.js';
import { sentFor } from '../client/reports.js';
import type { Flow } from '../transport/flow.js';
import type { Room } from './room.js';

/** Tells an application what was sent for its order. */
export function tellSent(
  room: Room,
  link: ClientLink,
  orderId: string,
  text: string,
  flow: Flow,
  transactionId: string,
): void {
  const local = { address: flow.listener.address, port: flow.listener.port };
  link.sendSoon(sentFor(orderId, text, flow.transport, local, room.clock.timeOfDay(), transactionId, undefined));
}
