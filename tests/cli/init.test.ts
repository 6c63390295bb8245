import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { PseudoTerminal } from './pseudo-terminal.js';
import { balise } from './terminal.js';

const GIVEN = [
  ...['--name', 'north', '--country', 'BE', '--zone', 'Europe/Brussels', '--language', 'fr'],
  ...['--cell', '10.20.0.1', '--cell-network', '10.20.0.0/16', '--carrier', '10.30.0.1'],
  ...['--trunk-host', 'sip.carrier.example', '--trunk-network', '198.51.100.0/24'],
  ...['--caller', '+442079460900', '--allow', '+442079460*'],
];

function place(t: Test): { readonly above: string; readonly folder: string } {
  const above = mkdtempSync(join(tmpdir(), 'balise-init-'));
  t.teardown(() => rmSync(above, { recursive: true, force: true }));
  return { above, folder: join(above, 'site') };
}

t.test('a site that is made of flags alone is one that balise check finds sound', async (t) => {
  const { folder } = place(t);
  const made = await balise(['init', folder, ...GIVEN]);
  t.match(made, { status: 0, stdout: /is a sound site/ }, made.stderr);
  t.match(await balise(['check', folder]), { status: 0 });
  const added = await balise(['handset', 'add', folder, 'a-101', '--wing', 'a', '--profile', 'first']);
  t.match(added, { status: 0 }, 'and takes its first handset');
  t.match(await balise(['init', folder, ...GIVEN]), { status: 64, stderr: /is there already, and is not empty/ });
});

t.test('what is missing, and what cannot be, is told at once, and nothing is left behind', async (t) => {
  const { above, folder } = place(t);
  t.match(await balise(['init', folder, '--name', 'north']), {
    status: 64,
    stderr:
      /--country, --language, --cell, --cell-network, --carrier, --trunk-host, --trunk-network, --caller, --allow: missing/,
  });
  t.match(await balise(['init', folder, ...GIVEN, '--cell', 'here']), {
    status: 64,
    stderr: /--cell "here": expected/,
  });
  t.match(await balise(['init', folder, ...GIVEN, '--cell-network', '10.20.0.0/99']), {
    status: 78,
    stderr: /wings\.json/,
  });
  t.same(readdirSync(above), []);
});

t.test('at a terminal it asks for what was not given, and again for what cannot be', async (t) => {
  const { folder } = place(t);
  mkdirSync(folder);
  const terminal = new PseudoTerminal(t, ['init', folder, ...GIVEN.slice(2)]);
  await terminal.shows('A short name of the site: ');
  terminal.type('North!\r');
  await terminal.shows('expected small letters');
  await terminal.shows('A short name of the site: ', 2);
  terminal.type('north\r');
  await terminal.shows('[gw-1]: ');
  terminal.type('\r');
  await terminal.shows('first wing [a]: ');
  terminal.type('b\r');
  await terminal.shows('Its port [5060]: ');
  terminal.type('\r');
  await terminal.shows('[127.0.0.1]: ');
  terminal.type('\r');
  t.equal(await terminal.exited, 0);
  t.match(JSON.parse(readFileSync(join(folder, 'site.json'), 'utf8')), { site: 'north', gateway: 'gw-1' });
  t.match(JSON.parse(readFileSync(join(folder, 'wings.json'), 'utf8')), [{ id: 'b' }]);
});

t.test('whoever gives up at a question leaves nothing behind', async (t) => {
  const { folder } = place(t);
  const terminal = new PseudoTerminal(t, ['init', folder]);
  await terminal.shows('A short name of the site: ');
  terminal.type('\u0004');
  t.equal(await terminal.exited, 64);
  t.notOk(existsSync(folder));
});
