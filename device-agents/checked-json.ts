import { accessSync, constants } from 'node:fs';
import type { BusAccess } from './bus-link.js';

/* Parts of a configuration, each checked; they throw with the place of the fault and what was found there. */

/** An object of a configuration that was read and not looked at yet. */
export type Json = Readonly<Record<string, unknown>>;

export function object(value: unknown, at: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new Error(`${at}: expected an object, found ${JSON.stringify(value) ?? 'nothing'}`);
}

export function text(value: unknown, at: string): string {
  if (typeof value === 'string' && value.length > 0) return value;
  throw new Error(`${at}: expected text, found ${JSON.stringify(value) ?? 'nothing'}`);
}

export function whole(value: unknown, at: string, from: number, to: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to) return value;
  throw new Error(`${at}: expected a whole number from ${from} to ${to}, found ${JSON.stringify(value) ?? 'nothing'}`);
}

export function list(value: unknown, at: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Error(`${at}: expected a list, found ${JSON.stringify(value) ?? 'nothing'}`);
}

function readable(path: string, at: string): string {
  try {
    accessSync(path, constants.R_OK);
  } catch (fault) {
    throw new Error(
      `${at}: ${path} cannot be read (${(fault as NodeJS.ErrnoException).code}); see the path and its rights`,
    );
  }
  return path;
}

/** How the bus is reached, from the configuration's `/bus`. */
export function readBus(bus: Json): BusAccess {
  return {
    address: text(bus.address, '/bus/address'),
    port: whole(bus.port, '/bus/port', 1, 65_535),
    name: text(bus.name, '/bus/name'),
    secret: text(bus.secret, '/bus/secret'),
    ...(bus.ca === undefined ? {} : { ca: readable(text(bus.ca, '/bus/ca'), '/bus/ca') }),
  };
}
