import type { TransportName } from '../config.js';
import type { Listener } from './listener.js';
import type { TcpConnection } from './tcp-connection.js';

/** A way to a peer: from which listener, by which transport, to which address; over a stream also the connection, while it is open. */
export interface Flow {
  readonly listener: Listener;
  readonly transport: TransportName;
  readonly address: string;
  readonly port: number;
  readonly connection?: TcpConnection | undefined;
  /** Where a response goes when the connection of its request is gone: the port of the sent-by (RFC 3261 §18.2.2). */
  readonly returnPort?: number | undefined;
  /** The name that the peer's certificate must be for, where it was found by a name (RFC 5922 §7.1). */
  readonly serverName?: string | undefined;
}

/** The transport as a Via writes it. */
export function viaTransport(flow: Flow): string {
  return flow.transport.toUpperCase();
}
