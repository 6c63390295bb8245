import type { TransportName } from '../config.js';
import { paramOf, parseUri } from '../message/uri.js';

/** Where a request goes: host (maybe a name), port and transport (RFC 3263 §4, without DNS's own advice). */
export interface Destination {
  readonly host: string;
  readonly port: number;
  readonly transport: TransportName;
}

/** Reads the destination out of a sip URI; undefined for another scheme (tel:) or a transport that we do not speak. */
export function destinationOf(uri: string): Destination | undefined {
  const parsed = parseUri(uri);
  if (parsed === undefined) return undefined;
  const transport = (paramOf(parsed.params, 'transport') ?? 'udp').toLowerCase();
  if (transport !== 'udp' && transport !== 'tcp') return undefined;
  const maddr = paramOf(parsed.params, 'maddr');
  return { host: maddr === undefined || maddr === '' ? parsed.host : maddr, port: parsed.port ?? 5060, transport };
}
