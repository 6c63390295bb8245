import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { SiteFolder } from '../config/site-folder.js';
import { balise } from './terminal.js';

t.test('from keys to a policy in force, by the command line alone', async (t) => {
  const folder = await SiteFolder.make();
  t.teardown(() => folder.remove());
  const path = (name: string) => join(folder.path, '..', name);
  const keygen = async (kid: string) =>
    JSON.parse((await balise(['policy', 'keygen', '--kid', kid, '--key', path(kid)])).stdout);
  const keys = [await keygen('warden'), await keygen('lawyer')];
  t.ok(
    keys.every((key) => key.d === undefined),
    'only the public half is printed',
  );
  t.match(await balise(['policy', 'keygen', '--kid', 'warden', '--key', path('warden')]), {
    status: 64,
    stderr: /never overwritten/,
  });
  t.match(await balise(['policy', 'show', '--site', folder.path]), { status: 64, stderr: /has no "policy"/ });
  await folder.edit('site', (site) => {
    site.policy = { keys };
  });
  t.match(await balise(['policy', 'show', '--site', folder.path]), { status: 1, stdout: /every call is refused/ });
  const json = async (name: string) => JSON.parse(await folder.text(`${name}.json`));
  const content = { profiles: await json('profiles'), lists: await json('lists') };
  const write = (version: number) =>
    writeFileSync(
      path('policy.json'),
      JSON.stringify({ site: 'demo', version, validFrom: '2026-01-01T00:00:00Z', validOfflineH: 72, content }),
    );
  const sign = async (kid: string, from: string) => {
    const { stdout, status, stderr } = await balise(['policy', 'sign', '--key', path(kid), path(from)]);
    t.equal(status, 0, stderr);
    writeFileSync(path('policy.jws'), stdout);
  };
  const run = (what: string) => balise(['policy', what, '--site', folder.path, path('policy.jws')]);
  write(1);
  await sign('warden', 'policy.json');
  t.match(await run('apply'), { status: 1, stderr: /^needs-two-signatures: / });
  await sign('lawyer', 'policy.jws');
  t.match(await run('verify'), {
    status: 0,
    stdout: /version 1, signed by warden and lawyer: would be taken; it widens/,
  });
  t.match(await run('apply'), { status: 0, stdout: /version 1 is in force/ });
  t.match(await run('apply'), { status: 1, stderr: /^replayed: / });
  t.match(await balise(['policy', 'show', '--site', folder.path]), { status: 0, stdout: /version 1 for demo/ });
  const explain = () =>
    balise([
      'explain',
      '--site',
      folder.path,
      '--handset',
      'a-101',
      '--number',
      '+442079460001',
      '--at',
      '2026-03-04T12:00',
    ]);
  t.match(await explain(), { status: 0 });
  for (const profile of content.profiles) profile.allow = [];
  for (const profile of content.profiles) profile.lists = { allow: [], block: profile.lists?.block ?? [] };
  write(2);
  await sign('warden', 'policy.json');
  t.match(await run('diff'), {
    status: 0,
    stdout: /version 1 → 2\nwidens: nothing\nnarrows [^\n]*\n {2}handset a-101: \d+ patterns/,
  });
  t.match(await run('apply'), { status: 0, stdout: /signed by warden\n$/ });
  t.match(await explain(), { status: 1, stdout: /refused by number.not-sanctioned/ });
  t.match(
    (await balise(['policy', 'sign', '--key', path('policy.json'), path('policy.json')])).stderr,
    /no private JWK/,
  );
  t.ok(readFileSync(path('warden'), 'utf8').includes('"d"'));
});

t.test('what is called wrongly is told, with status 64', async (t) => {
  t.match(await balise(['policy']), { status: 64, stderr: /one of keygen, sign, verify, diff, apply, show/ });
  t.match(await balise(['policy', 'verify']), { status: 64, stderr: /which site\? say --site/ });
});
