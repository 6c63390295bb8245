import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { balise } from '../cli/terminal.js';
import { aFolder } from '../store/folder.js';
import { enrolled, read } from './enrolled.js';

t.test('a gateway makes its key, headquarters signs the request, and both are put in place in one file', async (t) => {
  const { site, authority, files } = await enrolled(t);
  const certificate = new X509Certificate(read(files.cert));
  t.equal(certificate.subject, 'CN=demo/gw-1');
  t.ok(certificate.verify(new X509Certificate(read(join(authority, 'ca.pem'))).publicKey), 'by the authority');
  t.ok(certificate.checkPrivateKey(createPrivateKey(read(files.key))), 'the key in the same file goes with it');
  t.equal(statSync(files.key).mode & 0o777, 0o600, 'for its owner alone');
  t.equal(statSync(join(authority, 'ca.key')).mode & 0o777, 0o600);
  t.notOk(existsSync(join(site, 'keys', 'pending.key')), 'nothing is left behind');
});

t.test('a certificate for another gateway, or for another key, is not installed', async (t) => {
  const ours = await enrolled(t);
  const before = read(ours.files.cert);
  const folder = aFolder(t);
  const other = await enrolled(t, 'demo/gw-2');
  await balise(['enrol', 'request', ours.site]);
  const foreign = await balise(['enrol', 'install', ours.site, other.files.cert]);
  t.match(foreign, { status: 78, stderr: /it is for demo\/gw-2, and this is demo\/gw-1/ });
  const old = join(folder, 'old.pem');
  writeFileSync(old, before);
  t.match(await balise(['enrol', 'install', ours.site, old]), { status: 78, stderr: /another key/ });
  t.equal(read(ours.files.cert), before, 'what was there stays');
});

t.test('asked again before it is installed, the same request comes', async (t) => {
  const { site } = await enrolled(t);
  const [one, two] = [await balise(['enrol', 'request', site]), await balise(['enrol', 'request', site])];
  t.equal(one.stdout, two.stdout);
  t.match(one.stdout, /BEGIN CERTIFICATE REQUEST/);
});

t.test('what is no request is not signed, and no key is ever overwritten', async (t) => {
  const { authority, site } = await enrolled(t);
  const file = join(aFolder(t), 'x');
  writeFileSync(file, 'hello');
  t.match(await balise(['keys', 'sign', file, '--authority', authority]), {
    status: 78,
    stdout: '',
    stderr: /no certificate request/,
  });
  t.match(await balise(['keys', 'authority', authority]), { status: 78, stderr: /not overwritten/ });
  const key = join(site, 'hq.jwk');
  const made = await balise(['keys', 'new', key, '--kid', 'hq-7']);
  t.match(JSON.parse(made.stdout), { kid: 'hq-7', kty: 'OKP', crv: 'Ed25519', x: String, d: undefined });
  t.match(await balise(['keys', 'new', key]), { status: 78, stderr: /not overwritten/ });
  t.match(await balise(['enrol', 'install', site, file]), { status: 78, stderr: /nothing was requested/ });
});
