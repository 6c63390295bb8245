import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the cross-references need to know of a kind of board; the agent reads the rest of its file. */
export interface DeviceFacts {
  readonly relays: number;
  readonly hooks: number;
  /** The board opens its relays by itself when nobody speaks to it. */
  readonly watchdog: boolean;
  /** It is a line card, whose serial port is its own. */
  readonly isCard: boolean;
}

function count(part: unknown): number {
  if (typeof part !== 'object' || part === null) return 0;
  const { count } = part as { count?: unknown };
  return typeof count === 'number' ? count : 0;
}

/**
 * The kinds of boards on file, by name. A file that cannot be read is left out, so that a site that names it is told that
 * there is no such device.
 */
export function readDevices(folder: string): ReadonlyMap<string, DeviceFacts> {
  const devices = new Map<string, DeviceFacts>();
  let names: string[] = [];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch (fault) {
    // No folder, no devices: every board of the site is then reported as unknown.
    if ((fault as NodeJS.ErrnoException).code !== 'ENOENT') throw fault;
  }
  for (const name of names) {
    const device = readDevice(join(folder, name));
    if (device !== undefined) devices.set(name.slice(0, -'.json'.length), device);
  }
  return devices;
}

function readDevice(path: string): DeviceFacts | undefined {
  try {
    const { relays, hook, watchdog, protocol } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    const hasWatchdog = watchdog !== undefined && watchdog !== null;
    return { relays: count(relays), hooks: count(hook), watchdog: hasWatchdog, isCard: protocol === 'line-card' };
  } catch (fault) {
    if (fault instanceof SyntaxError || fault instanceof TypeError) return undefined;
    throw fault;
  }
}
