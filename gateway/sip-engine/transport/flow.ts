import type { TransportName } from '../config.js';
import type { Listener } from './listener.js';
import type { TcpConnection } from './tcp-connection.js';

/** A way to a peer: from which listener, by which transport, to which address; over TCP also the connection, while it is open. */
export interface Flow {
  readonly listener: Listener;
  readonly transport: TransportName;
  readonly address: string;
  readonly port: number;
  readonly connection?: TcpConnection | undefined;
}
