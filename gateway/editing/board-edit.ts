import { realpathSync } from 'node:fs';
import type { Board } from '../../config/schema/types.generated.js';
import { EditFault } from './edit-fault.js';
import type { RawBoard } from './site-edit.js';

/** A board as it was asked for. Without an agent it goes to the one that has its port, or to a new one. */
export interface WantedBoard {
  readonly id: string;
  /** What kind it is: a name of `config/devices/`. */
  readonly device: string;
  readonly unit?: number;
  readonly agent?: string;
  readonly transport: WantedTransport;
  readonly allowNoWatchdog?: boolean;
}

/** Where a board is; whether its speed is one that there is, the site's own check tells. */
export type WantedTransport =
  | {
      readonly kind: 'serial';
      readonly path: string;
      readonly baud?: number;
      readonly parity?: 'none' | 'even' | 'odd';
      readonly stopBits?: 1 | 2;
    }
  | { readonly kind: 'rtu-over-tcp'; readonly host: string; readonly port: number };

/** The boards with those that come. Throws an `EditFault` for a name that is taken; pure but for the names of devices. */
export function withBoards(boards: readonly RawBoard[], wanted: readonly WantedBoard[]): readonly RawBoard[] {
  const all = [...boards];
  for (const { id, agent, transport, ...rest } of wanted) {
    if (all.some((one) => one.id === id))
      throw new EditFault('board.taken', `there is a board ${JSON.stringify(id)} already`);
    const held = all.find((one) => portOf(one.transport) === portOf(transport));
    all.push({
      id,
      ...rest,
      agent: agent ?? held?.agent ?? freshAgent(all),
      // The boards of an agent share its transport to the letter: the name that it has for the port is kept.
      transport: (held?.transport ?? transport) as Board['transport'],
    });
  }
  return all;
}

/** What is one line whatever it is called: a device file behind its links, or a device server's port. */
function portOf(transport: WantedTransport | Board['transport'] | undefined): string | undefined {
  if (transport?.kind !== 'serial') return transport && `${transport.host}:${transport.port}`;
  try {
    return realpathSync(transport.path);
  } catch {
    // It is not plugged in: its name is all that is known of it.
    return transport.path;
  }
}

function freshAgent(boards: readonly RawBoard[]): string {
  const taken = new Set(boards.map(({ agent }) => agent));
  for (let number = 1; ; number += 1) {
    const name = `modbus-${number}`;
    if (!taken.has(name)) return name;
  }
}
