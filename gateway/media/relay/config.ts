import { isIP } from 'node:net';
import type { PortRange } from './port-pairs.js';

export interface RelayConfig {
  /** The path of the control socket; its folder exists and is closed to others. */
  readonly socket: string;
  /** Our address on the cells' network. */
  readonly cellAddress: string;
  /** Our address on the carrier's network. */
  readonly carrierAddress: string;
  /** null: the kernel's choice. */
  readonly ports: PortRange | null;
  /** The folder of the recorded prompts; null for none. */
  readonly prompts: string | null;
  /** Standard input is a life line: its end is the parent's death, and ours. */
  readonly exitWhenOrphaned: boolean;
}

/** What was wrong in the configuration, by JSON pointer. */
export class ConfigFault extends Error {}

/** Reads the relay's configuration from JSON text. Throws ConfigFault saying where, what was found and what is expected. */
export function readConfig(text: string): RelayConfig {
  const said = parse(text);
  const fault = (pointer: string, expected: string): never => {
    const found = JSON.stringify(said[pointer.slice(1).split('/')[0] ?? '']) ?? 'nothing';
    throw new ConfigFault(`${pointer}: found ${found}, expected ${expected}`);
  };
  const address = (name: 'cellAddress' | 'carrierAddress'): string => {
    const value = said[name];
    return typeof value === 'string' && isIP(value) !== 0 ? value : fault(`/${name}`, 'an IPv4 or IPv6 address');
  };
  // Longer than the kernel's sun_path, and bind() would cut it off without a word.
  const socket = said.socket;
  if (typeof socket !== 'string' || socket === '' || Buffer.byteLength(socket) > 107)
    return fault('/socket', 'a path of at most 107 bytes');
  return {
    socket,
    cellAddress: address('cellAddress'),
    carrierAddress: address('carrierAddress'),
    ports: said.ports === null || said.ports === undefined ? null : range(said.ports, fault),
    prompts: typeof said.prompts === 'string' ? said.prompts : null,
    exitWhenOrphaned: said.exitWhenOrphaned !== false,
  };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigFault(`no JSON: ${String(error)}`);
  }
  if (typeof value !== 'object' || value === null) throw new ConfigFault('expected a JSON object');
  return value as Record<string, unknown>;
}

function range(said: unknown, fault: (pointer: string, expected: string) => never): PortRange {
  const { from, to } = said as Readonly<Record<string, unknown>>;
  const isPort = (value: unknown): value is number =>
    Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535;
  if (!isPort(from) || !isPort(to) || to - from < 1) return fault('/ports', 'from < to, both from 1 to 65535');
  return { from, to };
}
