import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { SiteFiles } from '../../gateway/config/site.js';
import { type Probe, type ProbedTrunk, probe } from './options-probe.js';

/**
 * A trunk of a site as it is asked: one that is reached by TLS with what `sip.carrierTls` of site.json names. Throws when a
 * file of it cannot be read.
 */
function probedTrunk({ site, folder }: SiteFiles, trunk: SiteFiles['trunks'][number]): ProbedTrunk {
  const { carrierTls } = site.sip;
  if (trunk.transport !== 'tls' || carrierTls === undefined) return trunk;
  const read = (name: string): Buffer => readFileSync(resolve(folder, name));
  const { cert, key, ca } = carrierTls;
  return { ...trunk, tls: { cert: read(cert), key: read(key), ...(ca === undefined ? {} : { ca: read(ca) }) } };
}

/** Asks a trunk of a site. A file of `sip.carrierTls` that cannot be used is an answer too: nobody was asked. */
export async function probeTrunk(
  site: SiteFiles,
  trunk: SiteFiles['trunks'][number],
  withinMs: number,
): Promise<Probe> {
  let asked: ProbedTrunk;
  try {
    asked = probedTrunk(site, trunk);
    if (asked.tls !== undefined) createSecureContext(asked.tls);
  } catch (fault) {
    const why = `the files of sip.carrierTls cannot be used: ${(fault as Error).message}; balise check says which`;
    return { is: 'silent', why };
  }
  return probe(asked, withinMs);
}
