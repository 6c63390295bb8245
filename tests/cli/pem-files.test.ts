/** What `balise check` and `balise doctor` find in the PEM files that a site names, and `balise keys` when it makes some. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { newAuthority, newServer } from '../../scripts/headquarters/certificates.js';
import { makeSite } from '../peers/site.js';
import { balise } from './terminal.js';

const LOOPBACK = { address: '127.0.0.1', port: 0 };
const YEARS_AGO_MS = Date.now() - 3 * 365 * 86_400_000;

/** One authority and its certificates, and others of the same names that do not belong to it: made once for all tests here. */
const made = (async () => {
  const nowMs = Date.now();
  const [authority, stranger] = [await newAuthority('carriers', nowMs), await newAuthority('strangers', nowMs)];
  return {
    ...{ authority, stranger },
    ours: await newServer(['gateway.example'], authority, nowMs),
    other: await newServer(['gateway.example'], authority, nowMs),
    old: await newServer(['gateway.example'], authority, YEARS_AGO_MS),
  };
})();

/** A site with a trunk by TLS, whose files are as they should be; `files` are put in their place. */
async function tlsSite(t: Test, files: Readonly<Record<string, string | undefined>> = {}): Promise<string> {
  const { authority, ours } = await made;
  const carrierTls = { ...LOOPBACK, cert: 'gw.pem', key: 'gw.key', ca: 'ca.pem' };
  const sip = { realm: 'balise', engine: 'embedded', cell: LOOPBACK, carrier: LOOPBACK, carrierTls };
  const trunk = { id: 'carrier', host: '127.0.0.1', port: 9, transport: 'tls', register: false, optionsS: 0 };
  const more = { callerIdentity: '+442079460900', networks: ['127.0.0.0/8'] };
  const site = makeSite(t, 9, { trunks: [{ ...trunk, ...more }], site: { sip } });
  const all = { 'gw.pem': ours.certificate, 'gw.key': ours.key, 'ca.pem': authority.certificate, ...files };
  for (const [name, content] of Object.entries(all))
    if (content !== undefined) writeFileSync(join(site, name), content, { mode: 0o600 });
  return site;
}

async function checked(site: string) {
  const { status, stdout } = await balise(['check', site, '--json']);
  const { faults } = JSON.parse(stdout) as { faults: { file: string; pointer: string; found: string; hint: string }[] };
  return { status, found: faults.map(({ file, pointer, found, hint }) => [file, pointer, found, hint] as const) };
}

t.test('the files of a trunk by TLS that are as they should be are no fault', async (t) => {
  const site = await tlsSite(t);
  t.same(await checked(site), { status: 0, found: [] });
  const { stdout } = await balise(['doctor', site, '--only', 'certificates']);
  t.match(stdout, /ok +certificate of sip\.carrierTls +.*gw\.pem is good until/);
  t.match(stdout, /ok +key of sip\.carrierTls +.*gw\.key is its key/);
  t.match(stdout, /ok +authorities of sip\.carrierTls +.*ca\.pem is good until/);
});

t.test('each file that is not is told by its name, what is wrong with it, and what to do', async (t) => {
  const { authority, ours, other, old, stranger } = await made;
  const damaged = ours.certificate.replace(/\n[A-Za-z0-9+/]{8}/, '\nAAAAAAAA');
  const cases: readonly (readonly [Readonly<Record<string, string | undefined>>, string, RegExp, RegExp])[] = [
    [{ 'gw.pem': undefined }, 'cert', /gw\.pem is not there/, /our certificate/],
    [{ 'gw.pem': 'a note' }, 'cert', /has no certificate in it/, /as PEM/],
    [{ 'gw.pem': damaged }, 'cert', /has a certificate that cannot be read/, /as PEM/],
    [{ 'gw.pem': old.certificate, 'gw.key': old.key }, 'cert', /was good until/, /put a new one/],
    [{ 'gw.pem': ours.certificate + stranger.certificate }, 'cert', /certificate 2 .*has not signed/, /first our own/],
    [{ 'gw.key': undefined }, 'key', /gw\.key is not there/, /private key/],
    [{ 'gw.key': ours.certificate }, 'key', /has no private key in it/, /private key/],
    [{ 'gw.key': other.key }, 'key', /gw\.key is not the key of .*gw\.pem/, /made together/],
    [
      { 'gw.key': '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n' },
      ...(['key', /has a passphrase/, /without a passphrase/] as const),
    ],
    [{ 'ca.pem': undefined }, 'ca', /ca\.pem is not there/, /authority/],
    [{ 'ca.pem': other.certificate }, 'ca', /CN=gateway\.example, which is no authority/, /has signed it/],
  ];
  for (const [files, member, what, todo] of cases) {
    const site = await tlsSite(t, files);
    const { status, found } = await checked(site);
    t.equal(status, 78, what.source);
    t.match(found, [['site.json', `/sip/carrierTls/${member}`, what, todo]]);
    t.match(await balise(['doctor', site, '--only', 'certificates,trunks']), { status: 1, stdout: what });
  }
  const whole = await tlsSite(t, { 'gw.pem': ours.certificate + authority.certificate });
  t.same(await checked(whole), { status: 0, found: [] }, 'with those between it and its root');
});

t.test('a key that everybody may read, and what is wrong with the console’s files, are notes', async (t) => {
  const site = await tlsSite(t);
  chmodSync(join(site, 'gw.key'), 0o644);
  t.match(await balise(['check', site]), {
    status: 0,
    stdout: /note: sip\.carrierTls\.key: .*read by everybody.*chmod 640/,
  });
  const tls = { cert: 'console.pem', key: 'console.key' };
  const web = makeSite(t, 9, { site: { console: { ...LOOPBACK, tls } } });
  t.match(await balise(['check', web]), { status: 0, stdout: /note: console\.tls\.cert: .*console\.pem is not there/ });
  t.match(await balise(['doctor', web, '--only', 'certificates']), {
    status: 1,
    stdout: /certificate of console\.tls/,
  });
});

t.test('a trunk whose files are not there is told as one that cannot be asked', async (t) => {
  const site = await tlsSite(t);
  rmSync(join(site, 'gw.key'));
  t.match(await balise(['trunk', 'test', '--site', site]), {
    status: 1,
    stdout: /^carrier: the files of sip\.carrierTls cannot be used: .*gw\.key.*balise check says which/,
  });
});

t.test('keys are signed and made by an authority that is named, or nothing is said and nothing written', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'balise-keys-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string) => join(folder, name);
  const request = at('gw.csr');
  writeFileSync(request, 'a request');
  const usage = {
    status: 64,
    stdout: '',
    stderr: /^balise keys: --authority <folder> is missing\nsee balise keys --help\n$/,
  };
  t.match(await balise(['keys', 'sign', request]), usage);
  t.match(await balise(['keys', 'server', 'mqtt.example', '--out', at('mqtt')]), usage);
  t.match(await balise(['keys', 'authority', at('hq')]), { status: 0 });
  t.match(await balise(['keys', 'sign', request, '--authority', at('hq')]), {
    status: 78,
    stdout: '',
    stderr: /no certificate request/,
  });
  const before = readFileSync(at('hq/ca.pem'), 'utf8');
  rmSync(at('hq/ca.key'));
  t.match(await balise(['keys', 'authority', at('hq')]), { status: 78, stderr: /ca\.pem is there already/ });
  t.notOk(existsSync(at('hq/ca.key')), 'no new key beside an old certificate');
  t.equal(readFileSync(at('hq/ca.pem'), 'utf8'), before);
});

t.test('the help of the people at the console and that of the callers point to one another', async (t) => {
  t.match((await balise(['people', '--help'])).stdout, /callers in the cells.* are balise person's/);
  t.match((await balise(['person', '--help'])).stdout, /balise staff's \(once balise people\)/);
});
