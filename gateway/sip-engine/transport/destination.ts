import { isIP } from 'node:net';
import type { TransportName } from '../config.js';
import { paramOf, parseUri } from '../message/uri.js';

/** Where a request goes, as its URI says it (RFC 3263 §4): what the URI leaves open is for the resolver to find. */
export interface Destination {
  /** A name, or a literal address. */
  readonly host: string;
  readonly port: number | undefined;
  readonly transport: TransportName | undefined;
  readonly secure: boolean;
}

/** The default port of a transport (RFC 3261 §19.1.2). */
export function defaultPort(transport: TransportName): number {
  return transport === 'tls' ? 5061 : 5060;
}

function isTransport(text: string): text is TransportName {
  return text === 'udp' || text === 'tcp' || text === 'tls';
}

/** Reads the destination out of a sip URI; undefined for another scheme (tel:) or a transport that we do not speak. */
export function destinationOf(uri: string): Destination | undefined {
  const parsed = parseUri(uri);
  if (parsed === undefined) return undefined;
  const secure = parsed.scheme === 'sips';
  const named = paramOf(parsed.params, 'transport')?.toLowerCase();
  if (named !== undefined && !isTransport(named)) return undefined;
  // sips over UDP there is none, and over TCP it is TLS (RFC 3261 §26.2.2, RFC 5630 §3.1.3).
  if (secure && named === 'udp') return undefined;
  const maddr = paramOf(parsed.params, 'maddr');
  const host = maddr === undefined || maddr === '' ? parsed.host : maddr;
  return { host, port: parsed.port, transport: secure ? 'tls' : named, secure };
}

/** The address family of a literal address; undefined for a name. */
export function familyOfHost(host: string): 4 | 6 | undefined {
  const family = isIP(host);
  return family === 4 || family === 6 ? family : undefined;
}
