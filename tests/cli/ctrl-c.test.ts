/** Ctrl-C at the terminal of a gateway: the terminal sends SIGINT to every process of its group, the planes too. */
import { join } from 'node:path';
import t from 'tap';
import { projectRoot } from '../../gateway/config/paths.js';
import type { HandsetPage } from '../../gateway/console/api/handsets.js';
import { GatewayClient } from '../../scripts/cli/gateway-client.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { boardPeer } from '../peers/board-peer.js';
import { handset, makeSite } from '../peers/site.js';
import { PseudoTerminal } from './pseudo-terminal.js';

t.test('Ctrl-C ends a gateway in order: its planes leave the signal to it, and none is lost on the way', async (t) => {
  const board = await boardPeer(t);
  const handsets = [handset('a-101', { line: board.line })];
  const site = makeSite(t, await freePort(), { boards: board.boards, handsets });
  const gateway = join(projectRoot(), 'dist', 'gateway', 'main.js');
  const terminal = new PseudoTerminal(t, ['--config', site], gateway);
  await terminal.shows('"event":"gateway.ready"');
  await board.relayIs(0, true);

  // Each plane has the signal by itself first: which of them is quicker than the gateway decides nothing then.
  const planes = [...terminal.text.matchAll(/"plane":"([^"]+)","planePid":([0-9]+)/g)];
  t.same(planes.map(([, name]) => name).sort(), ['engine', 'modbus-1', 'relay']);
  for (const [, , pid] of planes) process.kill(Number(pid), 'SIGINT');
  board.setHook(0, true);
  const client = await GatewayClient.of(site);
  const hook = async () => (await client.ask<HandsetPage>('GET', '/api/handsets/a-101')).view.hook;
  while ((await hook()) !== 'off') await new Promise((resolve) => setImmediate(resolve));

  terminal.type('\x03');
  t.equal(await terminal.exited, 0);
  const events = terminal.text.split('\r\n').flatMap((line) => /"event":"([^"]+)"/.exec(line)?.[1] ?? []);
  const at = (event: string): number => events.indexOf(event);
  t.ok(-1 < at('gateway.stopping') && at('gateway.stopping') < at('gateway.stopped'), 'it stops in order');
  t.same(
    events.filter((event) => /^alarm$|plane-lost|^plane\.(lost|killed)$/.test(event)),
    [],
  );
  await board.relayIs(0, false);
});
