import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SiteFiles } from '../../gateway/config/site.js';
import type { ProbedTrunk } from './options-probe.js';

/**
 * A trunk of a site as it is asked: one that is reached by TLS with what `sip.carrierTls` of site.json names. Throws when a
 * file of it cannot be read.
 */
export function probedTrunk({ site, folder }: SiteFiles, trunk: SiteFiles['trunks'][number]): ProbedTrunk {
  const { carrierTls } = site.sip;
  if (trunk.transport !== 'tls' || carrierTls === undefined) return trunk;
  const read = (name: string): Buffer => readFileSync(resolve(folder, name));
  const { cert, key, ca } = carrierTls;
  return { ...trunk, tls: { cert: read(cert), key: read(key), ...(ca === undefined ? {} : { ca: read(ca) }) } };
}
