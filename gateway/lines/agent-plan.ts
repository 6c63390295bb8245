import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Board, Card, Device, Handset } from '../../config/schema/types.generated.js';
import { programData } from '../config/paths.js';
import { validatorOf } from '../config/schemas.js';
import { boardId, handsetId, wingId } from '../policy/ids.js';
import type { BoardFitting, LineFitting } from './fittings.js';

/** Where an agent reaches the bus, and how it proves who it is. */
export interface AgentBus {
  readonly address: string;
  readonly port: number;
  readonly name: string;
  readonly secret: string;
  /** A PEM file to check the bus's certificate against; absent: the bus is in clear. */
  readonly ca?: string;
}

/** One device agent of the site. */
export interface AgentPlan {
  readonly agent: string;
  /** Its compiled program, below the folder of the compiled program. */
  readonly program: string;
  readonly handsets: readonly string[];
  readonly hasKeypads: boolean;
  /** Its configuration: one line of JSON on its stdin, or the file that systemd's unit names. */
  config(bus: Omit<AgentBus, 'name'>): unknown;
}

/** The compiled programs of the agents. */
export const MODBUS_LINE = 'device-agents/modbus-line/main.js';
export const LINE_CARD = 'device-agents/line-card/main.js';

/** How often a board's inputs are read, milliseconds. */
const POLL_MS = 50;

/**
 * A kind of board or card from `config/devices/`, checked against its schema, defaults filled in.
 * Throws with the file and its faults: a start-up failure.
 */
export function readKind(name: string, folder = programData('devices')): Device | Card {
  const file = join(folder, `${name}.json`);
  const kind: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const isCard = (kind as { protocol?: unknown }).protocol === 'line-card';
  const validate = validatorOf(isCard ? 'card' : 'device');
  if (!validate(kind)) {
    const faults = (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || '/'} ${message}`);
    throw new Error(`${file}: ${faults.join('; ')}`);
  }
  return kind as Device | Card;
}

function isCard(kind: Device | Card): kind is Card {
  return 'protocol' in kind;
}

/** A kind of board with a register map. Throws, as `readKind`, and when the name is a card's. */
export function readDevice(name: string, folder?: string): Device {
  const kind = readKind(name, folder);
  if (isCard(kind)) throw new Error(`${name} is a line card, and has no register map`);
  return kind;
}

/** Every kind of board on file, by its name; line cards answer to no unit id, and are none. Throws as `readKind`. */
export function boardKinds(folder = programData('devices')): ReadonlyMap<string, Device> {
  const names = readdirSync(folder).flatMap((file) => /^(.+)\.json$/.exec(file)?.[1] ?? []);
  return new Map(
    names.flatMap((name) => {
      const kind = readKind(name, folder);
      return isCard(kind) ? [] : [[name, kind] as const];
    }),
  );
}

/**
 * The agents that a site needs: one for each name in boards.json, with every board and line on its transport.
 * Throws when a line card shares its agent with anything else: its serial port is its own.
 */
export function planAgents(
  boards: readonly Board[],
  handsets: readonly Handset[],
  kindOf: (name: string) => Device | Card = readKind,
): readonly AgentPlan[] {
  const agents = [...new Set(boards.map((board) => board.agent))];
  return agents.map((agent) => {
    const own = boards.filter((board) => board.agent === agent);
    const kinds = new Map(own.map((board) => [board.id, kindOf(board.device)]));
    const card = own.find((board) => isCard(kinds.get(board.id) as Device | Card));
    const [first] = own;
    if (card !== undefined && own.length > 1) {
      throw new Error(
        `boards.json: agent ${agent} has line card ${card.id} and another board; a card's port is its own`,
      );
    }
    if (card?.panic !== undefined) throw new Error(`boards.json: ${card.id} is a line card and takes no panic button`);
    const wired = (board: Board) => handsets.filter(({ line }) => line?.board === board.id);
    const handsetsOf = own.flatMap((board) => wired(board).map(({ id }) => id));
    const common = { agent, handsets: handsetsOf };
    const access = (bus: Omit<AgentBus, 'name'>) => ({
      agent,
      bus: { ...bus, name: agent },
      transport: first?.transport,
    });
    if (card !== undefined) {
      const { model } = kinds.get(card.id) as Card;
      const lines = wired(card).map(({ id, line }) => ({ handset: id, line: line?.relay }));
      const config = (bus: Omit<AgentBus, 'name'>) => ({ ...access(bus), card: { id: card.id, model, lines } });
      return { ...common, program: LINE_CARD, hasKeypads: true, config };
    }
    const configs = own.map((board) => ({
      id: board.id,
      unit: board.unit,
      device: kinds.get(board.id),
      allowNoWatchdog: board.allowNoWatchdog,
      lines: wired(board).map(({ id, line }) => ({ handset: id, relay: line?.relay, hook: line?.hook })),
      ...(board.panic === undefined ? {} : { panic: board.panic }),
    }));
    const config = (bus: Omit<AgentBus, 'name'>) => ({ ...access(bus), boards: configs, pollMs: POLL_MS });
    return { ...common, program: MODBUS_LINE, hasKeypads: false, config };
  });
}

/** What `Lines` needs to know of the same site. */
export function fittingsOf(
  boards: readonly Board[],
  handsets: readonly Handset[],
  kindOf: (name: string) => Device | Card = readKind,
): { readonly boards: readonly BoardFitting[]; readonly lines: readonly LineFitting[] } {
  const cards = new Set(boards.filter((board) => isCard(kindOf(board.device))).map(({ id }) => id));
  return {
    boards: boards.map(({ id, agent, allowNoWatchdog, panic }) => ({
      board: boardId(id),
      agent,
      allowNoWatchdog,
      ...(panic === undefined
        ? {}
        : { panic: panic.wing === undefined ? { kind: 'site' } : { kind: 'wing', wing: wingId(panic.wing) } }),
    })),
    lines: handsets.flatMap(({ id, wing, line }) =>
      line === undefined
        ? []
        : [
            {
              handset: handsetId(id),
              wing: wingId(wing),
              board: boardId(line.board),
              relay: line.relay,
              hook: line.hook,
              hasKeypad: cards.has(line.board),
            },
          ],
    ),
  };
}
