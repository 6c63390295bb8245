import { BlockList } from 'node:net';
import type { SiteFiles } from './config/site.js';
import { handsetId, trunkId } from './policy/ids.js';
import type { HandsetAccount, TrunkAccount } from './signalling/account.js';

function networkOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix = ''] = network.split('/');
    list.addSubnet(address, Number(prefix), address.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** The handsets of a site as signalling knows them: who they are and from where they may speak. */
export function accountsOf(files: SiteFiles): readonly HandsetAccount[] {
  const networks = new Map(files.wings.map((wing) => [wing.id, networkOf(wing.network)]));
  return files.handsets.map(({ id, user, ha1, wing }) => ({
    handset: handsetId(id),
    user,
    ha1,
    network: networks.get(wing) ?? new BlockList(),
  }));
}

/** The trunks of a site as signalling dials them. */
export function trunksOf(files: SiteFiles): readonly TrunkAccount[] {
  return files.trunks.map(
    ({ id, host, port, transport, networks, username, password, realm, register, optionsS, privacy }) => ({
      id: trunkId(id),
      host,
      port,
      transport,
      register,
      ...(privacy !== undefined && { privacy }),
      optionsS,
      network: networkOf(networks),
      ...(username !== undefined &&
        password !== undefined && { auth: { username, password, ...(realm !== undefined && { realm }) } }),
    }),
  );
}
