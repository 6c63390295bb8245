/** Numbers on their way to a gateway: whoever lacks its folder's key, the site's token key, or its name opens none. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import type { E164 } from '../../gateway/policy/ids.js';
import { BatchKey, sealTo } from '../../gateway/work/batch-seal.js';

const NUMBER = '+442079460073' as E164;
const TOKEN = 'a-token-of-22-letters.';
const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
const gateway = fc.constantFrom('demo/gw-1', 'demo/gw-2', 'other/gw-1');

t.test('a number opens for the gateway that it was sealed to, and for nobody who is in one thing another', async () => {
  fc.assert(
    fc.property(key, key, gateway, key, key, gateway, (folder, site, id, otherFolder, otherSite, otherId) => {
      const tokenKey = site.toString('base64');
      const own = new BatchKey(tokenKey, id, folder);
      const { seal, sealing } = sealTo(tokenKey, id, own.announced);
      const sealed = seal.seal(NUMBER, TOKEN, true);
      const opened = own.sealOf(sealing).open(sealed, TOKEN);
      if (opened.number !== NUMBER || !opened.isMystery) throw new Error('it does not open');
      const opens = (one: BatchKey, how: typeof sealing | undefined): boolean => {
        try {
          return one.sealOf(how).unseal(sealed, TOKEN) === NUMBER;
        } catch {
          return false;
        }
      };
      const others = [
        ...(otherFolder.equals(folder) ? [] : [new BatchKey(tokenKey, id, otherFolder)]),
        ...(otherSite.equals(site) ? [] : [new BatchKey(otherSite.toString('base64'), id, folder)]),
        ...(otherId === id ? [] : [new BatchKey(tokenKey, otherId, folder)]),
      ];
      if (others.some((other) => opens(other, sealing))) throw new Error('it opens for another');
      if (opens(own, undefined) || opens(own, { ...sealing, by: own.announced })) throw new Error('it opens otherwise');
      return own.announced === new BatchKey(tokenKey, id, folder).announced;
    }),
    { numRuns: 30 },
  );
});

t.test('each sending has a key of its own; what is no key of headquarters opens nothing, and says so', async (t) => {
  const tokenKey = randomBytes(32).toString('base64');
  const own = new BatchKey(tokenKey, 'demo/gw-1', randomBytes(32));
  const [one, two] = [sealTo(tokenKey, 'demo/gw-1', own.announced), sealTo(tokenKey, 'demo/gw-1', own.announced)];
  t.not(one.sealing.by, two.sealing.by);
  t.throws(() => own.sealOf(two.sealing).unseal(one.seal.seal(NUMBER, TOKEN), TOKEN), { name: 'SealBroken' });
  // A point of small order: whatever is agreed with it is known to all (RFC 7748 §6.1).
  const none = Buffer.alloc(32).toString('base64url');
  t.throws(() => own.sealOf({ to: own.announced, by: none }), { name: 'SealBroken' });
  t.throws(() => sealTo(tokenKey, 'demo/gw-1', none), 'nor is anything sealed to one');
});
