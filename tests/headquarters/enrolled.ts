import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { balise } from '../cli/terminal.js';
import { aFolder } from '../store/folder.js';

export interface Enrolled {
  /** The site's folder, with keys/gateway.pem and keys/ca.pem. */
  readonly site: string;
  /** The folder of headquarters' authority. */
  readonly authority: string;
  readonly files: { readonly ca: string; readonly cert: string; readonly key: string };
  /** Asks for another certificate and installs it. */
  renew(): ReturnType<typeof balise>;
  /** Lines of mosquitto's configuration: TLS by this authority, client certificates required. */
  readonly mosquitto: readonly string[];
}

/** A site that was enrolled by the commands, and what a broker of the same authority needs. */
export async function enrolled(t: Test, gateway = 'demo/gw-1'): Promise<Enrolled> {
  const folder = aFolder(t);
  const site = join(folder, 'site');
  const authority = join(folder, 'authority');
  const [name = '', own = ''] = gateway.split('/');
  mkdirSync(site);
  writeFileSync(join(site, 'site.json'), JSON.stringify({ site: name, gateway: own }));
  await balise(['keys', 'authority', authority]);
  await balise(['keys', 'server', '127.0.0.1', 'localhost', '--authority', authority, '--out', join(folder, 'broker')]);
  const renew = async () => {
    const request = join(folder, 'gateway.csr');
    const certificate = join(folder, 'gateway.crt');
    writeFileSync(request, (await balise(['enrol', 'request', site])).stdout);
    writeFileSync(certificate, (await balise(['keys', 'sign', request, '--authority', authority])).stdout);
    return balise(['enrol', 'install', site, certificate, '--ca', join(authority, 'ca.pem')]);
  };
  const said = await renew();
  if (said.status !== 0) throw new Error(`the site could not be enrolled: ${said.stderr}`);
  const pair = join(site, 'keys', 'gateway.pem');
  return {
    site,
    authority,
    files: { ca: join(site, 'keys', 'ca.pem'), cert: pair, key: pair },
    renew,
    mosquitto: [
      `cafile ${join(authority, 'ca.pem')}`,
      `certfile ${join(folder, 'broker.pem')}`,
      `keyfile ${join(folder, 'broker.key')}`,
      'require_certificate true',
    ],
  };
}

export const read = (file: string): string => readFileSync(file, 'utf8');
