import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Board, Device, Handset } from '../../config/schema/types.generated.js';
import { programData } from '../config/paths.js';
import { validatorOf } from '../config/schemas.js';
import { boardId, handsetId, wingId } from '../policy/ids.js';
import type { BoardFitting, LineFitting } from './lines.js';

/** Where an agent reaches the bus, and how it proves who it is. */
export interface AgentBus {
  readonly address: string;
  readonly port: number;
  readonly name: string;
  readonly secret: string;
}

/** One device agent that the gateway starts. */
export interface AgentPlan {
  readonly agent: string;
  readonly handsets: readonly string[];
  /** What goes over its stdin as one line of JSON. */
  config(bus: Omit<AgentBus, 'name'>): unknown;
}

/** The compiled program of an agent, below the folder of the compiled program. */
export const MODBUS_LINE = 'device-agents/modbus-line/main.js';

/** How often a board's inputs are read, milliseconds. */
const POLL_MS = 50;

/**
 * A kind of board from `config/devices/`, checked against its schema, defaults filled in.
 * Throws with the file and its faults: a start-up failure.
 */
export function readDevice(name: string, folder = programData('devices')): Device {
  const file = join(folder, `${name}.json`);
  const device: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const validate = validatorOf('device');
  if (!validate(device)) {
    const faults = (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || '/'} ${message}`);
    throw new Error(`${file}: ${faults.join('; ')}`);
  }
  return device as Device;
}

/** The agents that a site needs: one for each name in boards.json, with every board and line on its transport. */
export function planAgents(
  boards: readonly Board[],
  handsets: readonly Handset[],
  device: (name: string) => Device = readDevice,
): readonly AgentPlan[] {
  const agents = [...new Set(boards.map((board) => board.agent))];
  return agents.map((agent) => {
    const own = boards
      .filter((board) => board.agent === agent)
      .map((board) => ({
        id: board.id,
        unit: board.unit,
        device: device(board.device),
        allowNoWatchdog: board.allowNoWatchdog,
        lines: handsets.flatMap(({ id, line }) =>
          line?.board === board.id ? [{ handset: id, relay: line.relay, hook: line.hook }] : [],
        ),
      }));
    const transport = boards.find((board) => board.agent === agent)?.transport;
    return {
      agent,
      handsets: own.flatMap((board) => board.lines.map((line) => line.handset)),
      config: (bus) => ({ agent, bus: { ...bus, name: agent }, transport, boards: own, pollMs: POLL_MS }),
    };
  });
}

/** What `Lines` needs to know of the same site. */
export function fittingsOf(
  boards: readonly Board[],
  handsets: readonly Handset[],
): { readonly boards: readonly BoardFitting[]; readonly lines: readonly LineFitting[] } {
  return {
    boards: boards.map(({ id, agent, allowNoWatchdog }) => ({ board: boardId(id), agent, allowNoWatchdog })),
    lines: handsets.flatMap(({ id, wing, line }) =>
      line === undefined ? [] : [{ handset: handsetId(id), wing: wingId(wing), board: boardId(line.board) }],
    ),
  };
}
