import type { Device } from '../../config/schema/types.generated.js';
import type { BusAccess } from '../bus-link.js';
import { type Json, list, object, readBus, text, whole } from '../checked-json.js';
import { readTransport, type Transport } from '../transport.js';

export interface BoardConfig {
  readonly id: string;
  readonly unit: number;
  /** The contents of its file in config/devices/, checked and with defaults filled in by whoever wrote this configuration. */
  readonly device: Device;
  readonly allowNoWatchdog: boolean;
  readonly lines: readonly { readonly handset: string; readonly relay: number; readonly hook?: number }[];
  /** A panic button on one of the hook inputs. */
  readonly panic?: { readonly input: number; readonly normallyClosed: boolean };
}

/** The configuration of one modbus-line process: one transport, and every board on it. */
export interface ModbusLineConfig {
  readonly agent: string;
  readonly bus: BusAccess;
  readonly transport: Transport;
  readonly boards: readonly BoardConfig[];
  /** How often each board's inputs are read, milliseconds; 0 is as often as the line allows. */
  readonly pollMs: number;
}

/**
 * Reads the configuration. Throws with the place of the first fault. The device's own file was checked against its schema
 * by the gateway; here only what a slip would turn into a wrong relay is looked at again.
 */
export function readConfig(value: unknown): ModbusLineConfig {
  const config = object(value, '/');
  const handsets = new Set<string>();
  const units = new Set<number>();
  const boards = list(config.boards, '/boards').map((entry, index): BoardConfig => {
    const board = readBoard(object(entry, `/boards/${index}`), `/boards/${index}`);
    for (const { handset } of board.lines) {
      if (handsets.has(handset)) throw new Error(`/boards/${index}/lines: handset ${handset} has a line already`);
      handsets.add(handset);
    }
    if (units.has(board.unit)) throw new Error(`/boards/${index}/unit: another board has unit ${board.unit}`);
    units.add(board.unit);
    return board;
  });
  return {
    agent: text(config.agent, '/agent'),
    bus: readBus(object(config.bus, '/bus')),
    transport: readTransport(object(config.transport, '/transport')),
    boards,
    pollMs: config.pollMs === undefined ? 50 : whole(config.pollMs, '/pollMs', 0, 1_000),
  };
}

function readBoard(board: Json, at: string): BoardConfig {
  const raw = object(board.device, `${at}/device`);
  const relays = object(raw.relays, `${at}/device/relays`);
  const hook = object(raw.hook, `${at}/device/hook`);
  const relayCount = whole(relays.count, `${at}/device/relays/count`, 1, 256);
  const hookCount = whole(hook.count, `${at}/device/hook/count`, 1, 256);
  const device = { setup: [], turnaroundMs: 50, ...raw } as unknown as Device;
  const taken = new Set<number>();
  const lines = list(board.lines, `${at}/lines`).map((entry, index) => {
    const here = `${at}/lines/${index}`;
    const line = object(entry, here);
    const relay = whole(line.relay, `${here}/relay`, 0, relayCount - 1);
    if (taken.has(relay)) throw new Error(`${here}/relay: relay ${relay} has a handset already`);
    taken.add(relay);
    return {
      handset: text(line.handset, `${here}/handset`),
      relay,
      ...(line.hook === undefined ? {} : { hook: whole(line.hook, `${here}/hook`, 0, hookCount - 1) }),
    };
  });
  return {
    id: text(board.id, `${at}/id`),
    unit: whole(board.unit, `${at}/unit`, 1, 247),
    device: {
      ...device,
      hook: { ...device.hook, activeLow: device.hook.activeLow === true, debounceMs: device.hook.debounceMs ?? 0 },
      ...(device.tamper === undefined
        ? {}
        : { tamper: { ...device.tamper, activeLow: device.tamper.activeLow === true } }),
      ...(device.watchdog === undefined
        ? {}
        : { watchdog: { ...device.watchdog, takesEffect: device.watchdog.takesEffect ?? 'at-once' } }),
    },
    allowNoWatchdog: board.allowNoWatchdog === true,
    lines,
    ...(board.panic === undefined
      ? {}
      : { panic: readPanic(object(board.panic, `${at}/panic`), `${at}/panic`, hookCount) }),
  };
}

function readPanic(panic: Json, at: string, hookCount: number): NonNullable<BoardConfig['panic']> {
  return { input: whole(panic.input, `${at}/input`, 0, hookCount - 1), normallyClosed: panic.normallyClosed !== false };
}
