import type { Dialog } from '../dialog/dialog.js';
import { type Routing, routing } from '../dialog/route-set.js';
import type { SipMessage } from '../message/message.js';
import { listOf, parseNameAddr } from '../message/name-addr.js';
import { destinationOf } from '../transport/destination.js';
import type { Flow } from '../transport/flow.js';
import type { Listener } from '../transport/listener.js';
import type { Room } from './room.js';

/** The address family that a listener can reach. */
export function familyOf(listener: Listener): 4 | 6 {
  return listener.address.includes(':') ? 6 : 4;
}

/**
 * Finds the way for a request in a dialog. An open connection to the peer is used whatever its Contact says (RFC 5626 in
 * spirit: a phone behind address translation can be reached by no other); then the route set or target; and a target that
 * names no address that we can reach is taken to be where the peer was last seen. `send` is called at once unless a name is
 * to be resolved.
 */
export function routeInDialog(room: Room, dialog: Dialog, send: (flow: Flow, routing: Routing) => void): void {
  const route = routing(dialog.remoteTarget, dialog.routeSet);
  const { flow } = dialog;
  const to = flow.connection?.open ? undefined : destinationOf(route.nextHop);
  const isKnown = to?.host === flow.address && to.port === flow.port && to.transport === flow.transport;
  if (to === undefined || isKnown || !flow.listener.has(to.transport)) {
    send(flow, route);
    return;
  }
  room.resolve(to.host, familyOf(flow.listener), (address) => {
    if (address === undefined) send(flow, route);
    else send({ listener: flow.listener, transport: to.transport, address, port: to.port }, route);
  });
}

/** The URI of a message's first Contact. */
export function contactUri(message: SipMessage): string | undefined {
  const contact = message.get('contact');
  if (contact === undefined) return undefined;
  return parseNameAddr(listOf([contact])[0] ?? '')?.uri;
}

/** The route set that a message's Record-Route makes: as it stands for a UAS, reversed for a UAC (RFC 3261 §12.1). */
export function recordedRoutes(message: SipMessage, role: 'uac' | 'uas'): readonly string[] {
  if (!message.has('record-route')) return [];
  const routes = listOf(message.all('record-route'));
  return role === 'uas' ? routes : routes.reverse();
}
