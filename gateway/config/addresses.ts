import { resolve } from 'node:path';
import { addressBits } from './networks.js';
import type { Checked } from './site-check.js';

/** A UNIX socket's path has 108 bytes with its end (unix(7)); the names of our sockets take up to 27 of them. */
const LONGEST_RUN_FOLDER = 80;

interface Listening {
  readonly pointer: string;
  readonly name: string;
  readonly address: string;
  readonly from: number;
  readonly to: number;
  readonly protocols: readonly ('udp' | 'tcp')[];
}

/** Addresses and ports of site.json: two servers on one port, speech on a server's port, addresses that nobody can send to. */
export function checkAddresses(checked: Checked): void {
  const { site } = checked.content;
  if (site === undefined) return;
  const { sip, media, runFolder } = site;
  if (sip?.engine === 'drachtio' && !checked.isWritten('site', '/sip/drachtio')) {
    checked.report(
      'site',
      '/sip/drachtio',
      undefined,
      'the drachtio server to use, because "engine" is drachtio',
      'add {"host": …, "port": …, "secret": …}, or use the embedded engine',
    );
  }
  if (media?.driver === 'rtpengine' && !checked.isWritten('site', '/media/rtpengine')) {
    checked.report(
      'site',
      '/media/rtpengine',
      undefined,
      'the rtpengine daemon to use, because "driver" is rtpengine',
      'add {"address": …, "port": …}, or use the driver relay',
    );
  }
  for (const side of ['cellAddress', 'carrierAddress'] as const) {
    const address = media?.[side];
    if (address === undefined || addressBits(address)?.bits !== 0n) continue;
    checked.report(
      'site',
      `/media/${side}`,
      address,
      'an address that the other side can send speech to',
      "write this machine's own address on that network",
    );
  }
  const range = media?.ports;
  if (range?.from !== undefined && range.to !== undefined && range.to - range.from < 3) {
    checked.report('site', '/media/ports/to', range.to, `${range.from + 3} or more`, 'a call takes four ports');
  }
  if (runFolder !== undefined && Buffer.byteLength(resolve(checked.folder, runFolder)) > LONGEST_RUN_FOLDER) {
    checked.report(
      'site',
      '/runFolder',
      resolve(checked.folder, runFolder),
      `a folder whose whole path has at most ${LONGEST_RUN_FOLDER} bytes`,
      'the paths of UNIX sockets are short; take a folder such as /run/balise',
    );
  }
  checkOverlaps(checked, listenings(checked));
}

function listenings(checked: Checked): Listening[] {
  const { sip, media, bus, console: web, provisioning } = checked.content.site ?? {};
  const found: Listening[] = [];
  const add = (
    name: string,
    pointer: string,
    at: { address?: string; from?: number; to?: number },
    protocols: Listening['protocols'],
  ) => {
    // Port 0 is the system's choice and meets nobody.
    if (at.address === undefined || at.from === undefined || at.to === undefined || at.from === 0) return;
    found.push({ name, pointer, address: at.address, from: at.from, to: at.to, protocols });
  };
  const one = (
    listener: { readonly address?: string | undefined; readonly port?: number | undefined } | undefined,
  ) => ({
    ...(listener?.address === undefined ? {} : { address: listener.address }),
    ...(listener?.port === undefined ? {} : { from: listener.port, to: listener.port }),
  });
  add('the SIP server for the cells', '/sip/cell', one(sip?.cell), ['udp', 'tcp']);
  const shared = sip?.cell?.address === sip?.carrier?.address && sip?.cell?.port === sip?.carrier?.port;
  if (!shared) add('the SIP server for the carriers', '/sip/carrier', one(sip?.carrier), ['udp', 'tcp']);
  add('the bus', '/bus', one(bus), ['tcp']);
  add('the console', '/console', one(web), ['tcp']);
  const address = provisioning?.address ?? sip?.cell?.address;
  add('provisioning', '/provisioning', one({ address, port: provisioning?.port }), ['tcp']);
  for (const side of ['cellAddress', 'carrierAddress'] as const) {
    const { from, to } = media?.ports ?? {};
    const address = media?.[side];
    if (address === undefined || from === undefined || to === undefined) continue;
    if (side === 'carrierAddress' && address === media?.cellAddress) continue;
    add('speech', '/media/ports', { address, from, to }, ['udp']);
  }
  return found;
}

function meet(a: Listening, b: Listening): boolean {
  const everywhere = [a, b].some(({ address }) => addressBits(address)?.bits === 0n);
  const sameAddress = everywhere || addressBits(a.address)?.bits === addressBits(b.address)?.bits;
  const sameProtocol = a.protocols.some((protocol) => b.protocols.includes(protocol));
  return sameAddress && sameProtocol && a.from <= b.to && b.from <= a.to && a.name !== b.name;
}

function checkOverlaps(checked: Checked, all: readonly Listening[]): void {
  const told = new Set<string>();
  for (const [index, later] of all.entries()) {
    for (const earlier of all.slice(0, index)) {
      if (!meet(earlier, later) || told.has(earlier.pointer + later.pointer)) continue;
      told.add(earlier.pointer + later.pointer);
      const ranged = later.from !== later.to;
      checked.report(
        'site',
        ranged ? later.pointer : `${later.pointer}/port`,
        ranged ? `${later.from}–${later.to}` : later.from,
        `ports that nothing else has; ${earlier.name} (${earlier.pointer}) has ${earlier.from}${earlier.from === earlier.to ? '' : `–${earlier.to}`}`,
        'move one of the two',
      );
    }
  }
}
