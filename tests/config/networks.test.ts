import { BlockList, isIPv4 } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { addressBits, isInside, parseNetwork } from '../../gateway/config/networks.js';

const ipv4 = fc.ipV4();
const ipv6 = fc.ipV6();

t.test("an address is inside a network exactly when Node's own BlockList says so", async (t) => {
  const pair = fc.oneof(
    fc.tuple(ipv4, ipv4, fc.integer({ min: 1, max: 32 })),
    fc.tuple(ipv6, ipv6, fc.integer({ min: 1, max: 128 })),
  );
  fc.assert(
    fc.property(pair, fc.boolean(), ([base, other, prefix], same) => {
      const bits = addressBits(base);
      if (bits === undefined) return false;
      const address = same ? base : other;
      const first = written(base, prefix);
      const list = new BlockList();
      list.addSubnet(first, prefix, isIPv4(base) ? 'ipv4' : 'ipv6');
      return isInside(address, `${first}/${prefix}`) === list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
    }),
    { numRuns: 500 },
  );
  t.pass();
});

/** The first address of the network that an address is in. */
function written(address: string, prefix: number): string {
  const at = addressBits(address);
  if (at === undefined) throw new Error(address);
  const host = BigInt(at.width - prefix);
  const bits = (at.bits >> host) << host;
  const size = at.width === 32 ? 8 : 16;
  const parts: string[] = [];
  for (let left = at.width - size; left >= 0; left -= size) {
    const part = (bits >> BigInt(left)) & ((1n << BigInt(size)) - 1n);
    parts.push(size === 8 ? String(part) : part.toString(16));
  }
  return parts.join(size === 8 ? '.' : ':');
}

t.test('every network holds its own first address and none of the other family', async (t) => {
  t.equal(isInside('10.20.0.0', '10.20.0.0/16'), true);
  t.equal(isInside('10.20.255.255', '10.20.0.0/16'), true);
  t.equal(isInside('10.21.0.0', '10.20.0.0/16'), false);
  t.equal(isInside('192.0.2.1', '0.0.0.0/0'), true);
  t.equal(isInside('::ffff:10.20.0.1', '10.20.0.0/16'), false);
  t.equal(isInside('fd00::1', 'fd00::/8'), true);
});

for (const text of [
  '10.0.0.1',
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/08',
  '10.0.0.1/24',
  '10.0.0/8',
  'fd00::/129',
  'fe80::1%eth0/64',
  '',
  '/8',
  'a/8',
]) {
  t.test(`"${text}" is no network`, async (t) => t.equal(parseNetwork(text), undefined));
}
