import type { Dialog } from '../dialog/dialog.js';
import { type Routing, routing } from '../dialog/route-set.js';
import type { SipMessage } from '../message/message.js';
import { listOf, parseNameAddr } from '../message/name-addr.js';
import { destinationOf, familyOfHost } from '../transport/destination.js';
import type { Flow } from '../transport/flow.js';
import type { Room } from './room.js';

/**
 * Finds the way for a request in a dialog. An open connection to the peer is used whatever its Contact says (RFC 5626 in
 * spirit: a phone behind address translation can be reached by no other); then the route set or target; and a target that
 * names no address that we can reach is taken to be where the peer was last seen. Whoever answered what nobody asked is spoken
 * to there alone: anybody could have us send to anybody, and ask for any name, by such an answer. `send` is called at once unless a name is
 * to be resolved.
 */
export function routeInDialog(room: Room, dialog: Dialog, send: (flow: Flow, routing: Routing) => void): void {
  const route = routing(dialog.remoteTarget, dialog.routeSet);
  const { flow } = dialog;
  const to = flow.connection?.open || dialog.isStray ? undefined : destinationOf(route.nextHop);
  const { listener } = flow;
  // A listener with TLS has no other transport, and what came by TLS goes back by it.
  const transport = to?.transport ?? (flow.transport === 'tls' ? 'tls' : 'udp');
  if (to === undefined || !listener.has(transport) || (familyOfHost(to.host) ?? listener.family) !== listener.family) {
    send(flow, route);
    return;
  }
  room.resolve(
    { ...to, transport },
    listener.family,
    () => true,
    ([target]) => {
      const { address, port } = target ?? flow;
      const isKnown = address === flow.address && port === flow.port && transport === flow.transport;
      send(target === undefined || isKnown ? flow : { listener, ...target }, route);
    },
  );
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
