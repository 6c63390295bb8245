import { CompactSign, FlattenedSign, importJWK } from 'jose';
import t, { type Test } from 'tap';
import { type BundleRefusal, payloadOf, signBundle, verifyBundle } from '../../gateway/policy-bundle/bundle.js';
import { type SignedSite, signedSite } from './signed.js';

const TYPE = 'balise-policy+jws';

async function keysOf(site: SignedSite) {
  return (await site.files()).site.policy?.keys ?? [];
}

/** Says that a bundle's text is refused, and for which reason. */
async function refused(t: Test, site: SignedSite, text: string, code: BundleRefusal, why: RegExp, what: string) {
  await t.rejects(verifyBundle(text, await keysOf(site)), { name: 'BundleFault', code, message: why }, what);
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

t.test('what is signed in another way than a policy is, is none', async (t) => {
  const site = await signedSite(t);
  const good = (await site.bundle(1, 1)).trim();
  const [header = '', payload = '', signature = ''] = good.split('.');
  const own = JSON.parse(Buffer.from(header, 'base64url').toString()) as object;
  const as = (more: object): string => [encoded({ ...own, ...more }), payload, signature].join('.');
  const none = [encoded({ alg: 'none', kid: 'one', typ: TYPE }), payload, ''].join('.');
  await refused(t, site, none, 'unsigned', /not good/, 'alg none');
  for (const alg of ['HS256', 'RS256', 'ES256', 'none', 7, null])
    await refused(t, site, as({ alg }), 'unsigned', /not good/, `alg ${alg}`);
  await refused(t, site, as({ crit: ['exp'], exp: 1 }), 'unsigned', /not good/, 'crit that nobody knows');
  await refused(t, site, as({ kid: 7 }), 'malformed', /no compact JWS/, 'a key that is no name');
  await refused(t, site, as({ kid: '__proto__' }), 'unsigned', /no key of this site/, 'a key of every object');
  await refused(t, site, `${good}.`, 'malformed', /no compact JWS/, 'four parts');
  await refused(t, site, '\n \n', 'malformed', /empty/, 'nothing');
  await refused(t, site, `${good.slice(0, -2)}AA`, 'unsigned', /not good/, 'another signature');
});

t.test('a payload that is not encoded is refused: the next signer would be shown another', async (t) => {
  const site = await signedSite(t);
  const [one] = site.keys;
  if (one === undefined) throw new Error('no key');
  const payload = payloadOf(await site.bundle(1, 1));
  const key = await importJWK(one, 'EdDSA');
  const header = { alg: 'EdDSA', kid: 'one', typ: TYPE, b64: false, crit: ['b64'] };
  const raw = await new FlattenedSign(payload).setProtectedHeader(header).sign(key);
  const text = `${raw.protected}.${payload.toString().replaceAll('.', '')}.${raw.signature}`;
  await t.rejects(verifyBundle(text, await keysOf(site)), { name: 'BundleFault' }, 'raw in a compact JWS');
  const plain = await new CompactSign(payload).setProtectedHeader({ ...header, b64: true }).sign(key);
  await refused(t, site, plain, 'malformed', /extensions/, 'an extension at all');
});

t.test('one key that goes by two names is one signer', async (t) => {
  const site = await signedSite(t);
  const [one] = site.keys;
  if (one === undefined) throw new Error('no key');
  const [first] = await keysOf(site);
  if (first === undefined) throw new Error('no key');
  const payload = payloadOf(await site.bundle(1, 1));
  const text = await signBundle(payload, { ...one, kid: 'alias' }, await signBundle(payload, one));
  const { signedBy } = await verifyBundle(text, [first, { ...first, kid: 'alias' }]);
  t.same(signedBy, ['one']);
});

t.test(
  'a signer whose key was taken off signs no more, and a signature that is not good spoils the others',
  async (t) => {
    const site = await signedSite(t);
    const both = await site.bundle(1, 2);
    const [first] = await keysOf(site);
    await t.rejects(verifyBundle(both, first === undefined ? [] : [first]), {
      code: 'unsigned',
      message: /two, which is no key/,
    });
    const [line = ''] = both.split('\n');
    await refused(t, site, `${both}${line.slice(0, -4)}AAAA`, 'unsigned', /not good/, 'a third line that is forged');
  },
);

t.test(
  'a payload that is rightly signed and makes no sense is told what is wrong, and nothing of it is taken',
  async (t) => {
    const site = await signedSite(t);
    const [one] = site.keys;
    if (one === undefined) throw new Error('no key');
    const payload = payloadOf(await site.bundle(1, 1)).toString();
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const wrong: readonly (readonly [string, RegExp])[] = [
      ['', /no JSON|payload/],
      ['null', /expected/],
      [deep, /expected|no JSON/],
      [payload.replace('"version":1', '"version":9007199254740993'), /version/],
      [payload.replace('"version":1', '"version":1e308'), /version/],
      [payload.replace('"version":1', '"version":1.5'), /version/],
      [payload.replace('"version":1', '"version":-1'), /version/],
      [payload.replace('"version":1', '"version":"1"'), /version/],
      [payload.replace('"version":1', '"version":1,"__proto__":{"site":"x"}'), /__proto__/],
      [payload.replace('"lists":{', '"lists":{"__proto__":["+1"],'), /lists/],
      [
        payload.replace('"validFrom":"2026-01-01T00', '"validFrom":"2026-13-01T00'),
        /validFrom: 2026-13-01.* is no date/,
      ],
      [
        payload.replace('"validFrom":"2026-01-01T00', '"validUntil":"2026-02-31T00:00Z","validFrom":"2026-01-01T00'),
        /validUntil/,
      ],
      [payload.replace('"validOfflineH":72', '"validOfflineH":1e9'), /validOfflineH/],
    ];
    for (const [text, why] of wrong) {
      const signed = await signBundle(Buffer.from(text), one);
      try {
        await verifyBundle(signed, await keysOf(site));
        t.fail(text.slice(0, 120));
      } catch (fault) {
        t.match(fault, { name: 'BundleFault', message: why }, text.slice(0, 60));
      }
    }
  },
);
