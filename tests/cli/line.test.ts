import t from 'tap';
import { boardPeer } from '../peers/board-peer.js';
import { GatewayProcess } from '../peers/gateway-process.js';
import { handset, makeSite } from '../peers/site.js';
import { balise } from './terminal.js';

t.test('balise line lists, tests, cuts and releases the wires of a running site', async (t) => {
  const board = await boardPeer(t);
  const site = makeSite(t, 9, {
    boards: board.boards,
    handsets: [handset('a-101', { line: board.line }), handset('a-102')],
  });
  const running = await GatewayProcess.start(t, site);
  await board.relayIs(0, true);
  board.setHook(0, true);
  const listed = async () => (await balise(['line', 'list', site])).stdout;
  while (!/a-101 +a +off +connected +idle/.test(await listed())) await new Promise((resolve) => setImmediate(resolve));
  t.match(await listed(), /^handset +wing +hook +relay +does\n/);
  t.match(await listed(), /a-102 +a +none +none +idle/);
  const { lines } = JSON.parse((await balise(['line', 'list', site, '--json'])).stdout) as { lines: unknown[] };
  t.equal(lines.length, 2);

  const test = await balise(['line', 'test', site, 'a-101']);
  t.match(test, { status: 0, stdout: /hook off; the relay opened after \d+ ms and closed again after \d+ ms/ });
  t.match(await balise(['line', 'test', site, 'a-102']), { status: 1, stdout: /no line is fitted/ });
  t.match(await balise(['line', 'test', site, 'z-999']), { status: 1, stderr: /no handset "z-999"/ });

  const cut = await balise(['line', 'cut', site, 'a-101', '--reason', 'a test', '--hold', '600']);
  t.match(cut, { status: 0, stdout: /a-101: 0 calls ended, held for 600 s/ });
  await board.relayIs(0, false);
  const held = await balise(['line', 'test', site, 'a-101']);
  t.match(held, { status: 0, stdout: /stays open: policy lets nobody call on it now/ });
  t.match(await balise(['line', 'release', site, 'a-101']), { status: 0, stdout: /released/ });
  await board.relayIs(0, true);

  await running.end();
  t.match(await balise(['line', 'list', site]), {
    status: 69,
    stderr: /no gateway of the site .* runs on this machine: start it/,
  });
});

t.test('balise line says what is wrong with what it was told', async (t) => {
  const site = makeSite(t, 9);
  for (const [args, why] of [
    [[], /list, test, cut or release/],
    [['ring', site], /there is no "line ring"/],
    [['list'], /which site\? say --site/],
    [['list', 'a-101', '--site', site], /list takes no handset/],
    [['test', site, 'a', 'b'], /one handset at a time/],
    [['cut', site, 'a-101'], /--reason is missing/],
    [['cut', site, 'a-101', '--reason', 'x', '--hold', '0'], /--hold: expected whole seconds/],
  ] as [string[], RegExp][]) {
    t.match(await balise(['line', ...args]), { status: 64, stderr: why }, args.join(' '));
  }
  t.match(await balise(['line', 'list', '/nowhere']), { status: 78, stderr: /nowhere/ });
  t.match(await balise(['line', '--help']), { status: 0, stdout: /usage: balise line list[\s\S]*\nexample\n/ });
});
