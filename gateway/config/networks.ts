import { isIP } from 'node:net';

/** An address as a number, with the bits of its family: 32 or 128. */
interface AddressBits {
  readonly bits: bigint;
  readonly width: 32 | 128;
}

/** The bits of an IPv4 or IPv6 address; undefined when it is none. An IPv6 zone index (`%eth0`) is no part of an address here. */
export function addressBits(address: string): AddressBits | undefined {
  const family = address.includes('%') ? 0 : isIP(address);
  if (family === 0) return undefined;
  if (family === 4) return { bits: joined(address.split('.').map(Number), 8), width: 32 };
  // The URL parser writes every IPv6 address in one way, with an IPv4 tail as two groups (RFC 5952 §4).
  const plain = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = plain.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  return { bits: joined([...before, ...zeros, ...after], 16), width: 128 };
}

function joined(parts: readonly number[], size: number): bigint {
  return parts.reduce((bits, part) => (bits << BigInt(size)) | BigInt(part), 0n);
}

/** A network in CIDR form (RFC 4632 §3.1). */
export interface Network {
  readonly bits: bigint;
  readonly width: 32 | 128;
  readonly prefix: number;
}

/** Reads `10.20.0.0/16` or `fd00::/8`; undefined when it is malformed or has bits set behind the prefix. */
export function parseNetwork(text: string): Network | undefined {
  const parts = /^([^/]+)\/(0|[1-9][0-9]{0,2})$/.exec(text);
  const address = addressBits(parts?.[1] ?? '');
  const prefix = Number(parts?.[2]);
  if (address === undefined || prefix > address.width) return undefined;
  const hostBits = BigInt(address.width - prefix);
  if ((address.bits >> hostBits) << hostBits !== address.bits) return undefined;
  return { ...address, prefix };
}

/** Whether an address is inside a network; false when either is malformed or the families differ. */
export function isInside(address: string, network: string): boolean {
  const at = addressBits(address);
  const net = parseNetwork(network);
  if (at === undefined || net === undefined || at.width !== net.width) return false;
  const hostBits = BigInt(net.width - net.prefix);
  return at.bits >> hostBits === net.bits >> hostBits;
}
