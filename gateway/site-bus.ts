import { join, resolve } from 'node:path';
import type { SiteFiles } from './config/site.js';

/** Where the bus listens, and what it keeps; paths of the site's files made absolute. */
export function busOptions({ site, folder, dataFolder }: SiteFiles, bootId: string) {
  const { address, port, tls } = site.bus;
  return {
    address,
    port,
    ...(tls === undefined ? {} : { tls: { cert: resolve(folder, tls.cert), key: resolve(folder, tls.key) } }),
    retained: { file: join(dataFolder, 'bus-states.json'), bootId },
  };
}
