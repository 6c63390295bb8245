import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { Bus } from './bus/bus.js';
import type { Clock } from './clock/clock.js';
import { projectRoot } from './config/paths.js';
import type { SiteFiles } from './config/site.js';

/** What a site's bus is made of. */
export interface SiteBusParts {
  readonly files: SiteFiles;
  readonly bootId: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly alarm: (code: string, message: string) => void;
}

/** The site's bus: where it listens and what it keeps, paths of the site's files made absolute. It does not listen yet. */
export function makeBus({ files, bootId, clock, log, alarm }: SiteBusParts): Bus {
  const { site, folder, dataFolder } = files;
  const { address, port, tls } = site.bus;
  return new Bus({
    address,
    port,
    ...(tls === undefined ? {} : { tls: { cert: resolve(folder, tls.cert), key: resolve(folder, tls.key) } }),
    retained: { file: join(dataFolder, 'bus-states.json'), bootId },
    clock,
    onRefused: ({ kind, name, detail, count }) =>
      alarm(`bus.${kind}`, `${name}: ${detail}${count > 1 ? ` (${count} times)` : ''}`),
    onFault: (fault) => log.error({ event: 'bus.states-not-kept', err: fault }),
  });
}

/** The version of the program. */
export function readVersion(): string {
  const { version } = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as { version: string };
  return version;
}
