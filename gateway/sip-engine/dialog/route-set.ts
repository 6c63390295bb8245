import { parseNameAddr } from '../message/name-addr.js';
import { paramOf, parseUri } from '../message/uri.js';

export interface Routing {
  /** The Request-URI. */
  readonly uri: string;
  readonly routes: readonly string[];
  /** The URI that the request is sent to. */
  readonly nextHop: string;
}

/** How a request in a dialog is addressed (RFC 3261 §12.2.1.1), for a first hop that routes loosely or strictly. */
export function routing(remoteTarget: string, routeSet: readonly string[]): Routing {
  const first = routeSet[0];
  const hop = first === undefined ? undefined : parseNameAddr(first)?.uri;
  if (hop === undefined) return { uri: remoteTarget, routes: [], nextHop: remoteTarget };
  const parsed = parseUri(hop);
  if (parsed === undefined || paramOf(parsed.params, 'lr') !== undefined) {
    return { uri: remoteTarget, routes: routeSet, nextHop: hop };
  }
  return { uri: hop, routes: [...routeSet.slice(1), `<${remoteTarget}>`], nextHop: hop };
}
