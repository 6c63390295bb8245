import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { postgresPrograms } from '../../scripts/bench/postgres-server.js';

const FOLDERS = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];
const PYTHON = '/usr/lib/python3/dist-packages';
const FAKETIME = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib/arm-linux-gnueabihf'].map(
  (folder) => `${folder}/faketime/libfaketime.so.1`,
);

const program = (name: string) => (): boolean => FOLDERS.some((folder) => existsSync(join(folder, name)));
const module = (name: string) => (): boolean => existsSync(join(PYTHON, name));

/** libfaketime of this machine, to be preloaded; undefined when Debian's package is missing. */
export const faketimeLibrary = FAKETIME.find(existsSync);

const PRESENT = {
  'sip-tester': program('sipp'),
  mosquitto: program('mosquitto'),
  socat: program('socat'),
  'python3-pymodbus': module('pymodbus'),
  'python3-serial-asyncio': module('serial_asyncio'),
  'rtpengine-daemon': program('rtpengine'),
  age: program('age'),
  postgresql: () => postgresPrograms() !== undefined,
  chromium: program('chromium'),
  'espeak-ng': program('espeak-ng'),
  sox: program('sox'),
  'rabbitmq-server': program('rabbitmq-server'),
  systemd: program('systemd-notify'),
  faketime: () => faketimeLibrary !== undefined,
} as const;

/**
 * The options of a test that has real peers from these Debian packages: where one is missing the test is skipped and names
 * it; in CI it runs all the same, and fails.
 */
export function needs(...packages: (keyof typeof PRESENT)[]): { readonly skip?: string } {
  const missing = packages.filter((name) => !PRESENT[name]());
  return missing.length === 0 || process.env.CI ? {} : { skip: `missing: apt-get install ${missing.join(' ')}` };
}
