import { type Json, text, whole } from './checked-json.js';

/** How the boards are reached, as boards.json states it. */
export type Transport =
  | {
      readonly kind: 'serial';
      readonly path: string;
      readonly baud: number;
      readonly parity: 'none' | 'even' | 'odd';
      readonly stopBits: 1 | 2;
    }
  | { readonly kind: 'rtu-over-tcp'; readonly host: string; readonly port: number };

/** The transport of a configuration, `/transport`. Throws with the place of the first fault. */
export function readTransport(transport: Json): Transport {
  if (transport.kind === 'rtu-over-tcp') {
    const host = text(transport.host, '/transport/host');
    return { kind: 'rtu-over-tcp', host, port: whole(transport.port, '/transport/port', 1, 65_535) };
  }
  if (transport.kind !== 'serial') throw new Error('/transport/kind: expected "serial" or "rtu-over-tcp"');
  const parity = transport.parity ?? 'none';
  if (parity !== 'none' && parity !== 'even' && parity !== 'odd') {
    throw new Error('/transport/parity: expected "none", "even" or "odd"');
  }
  return {
    kind: 'serial',
    path: text(transport.path, '/transport/path'),
    baud: whole(transport.baud ?? 9_600, '/transport/baud', 1_200, 1_000_000),
    parity,
    stopBits: transport.stopBits === 2 ? 2 : 1,
  };
}

/** The port as people are told of it. */
export function portOf(transport: Transport): string {
  if (transport.kind === 'rtu-over-tcp') return `${transport.host}:${transport.port} (over TCP)`;
  const { path, baud, parity, stopBits } = transport;
  return `${path} (${baud} baud, parity ${parity}, ${stopBits} stop bit${stopBits === 1 ? '' : 's'})`;
}
