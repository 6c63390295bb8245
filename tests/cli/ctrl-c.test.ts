/** Signals to a whole group: Ctrl-C at a gateway's terminal, and what a shell or a supervisor sends. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { projectRoot } from '../../gateway/config/paths.js';
import type { HandsetPage } from '../../gateway/console/api/handsets.js';
import { GatewayClient } from '../../scripts/cli/gateway-client.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { boardPeer } from '../peers/board-peer.js';
import { handset, makeSite } from '../peers/site.js';
import { PseudoTerminal } from './pseudo-terminal.js';

const GATEWAY = join(projectRoot(), 'dist', 'gateway', 'main.js');

/** A gateway at a terminal of its own, with the processes that it says it has started. */
async function atTerminal(t: Test, site: string) {
  const terminal = new PseudoTerminal(t, ['--config', site], GATEWAY);
  await terminal.shows('"event":"gateway.ready"');
  const [, pid] = /"pid":([0-9]+)/.exec(terminal.text) ?? [];
  const said = terminal.text.matchAll(/"plane":"([^"]+)","planePid":([0-9]+)/g);
  return { terminal, pid: Number(pid), planes: [...said].map(([, name = '', id]) => ({ name, pid: Number(id) })) };
}

/** It stopped in order, and nothing was told to be lost. */
function isOrderly(t: Test, { text }: PseudoTerminal): void {
  const events = text.split('\r\n').flatMap((line) => /"event":"([^"]+)"/.exec(line)?.[1] ?? []);
  const at = (event: string): number => events.indexOf(event);
  t.ok(-1 < at('gateway.stopping') && at('gateway.stopping') < at('gateway.stopped'), 'it stops in order');
  const lost = events.filter((event) => /^alarm$|plane-lost|^plane\.(lost|killed)$/.test(event));
  t.same(lost, [], 'and loses nothing on the way');
}

/** The group of a process, to which a shell's or a supervisor's signals go: the fifth field of proc(5)'s stat. */
const groupOf = (pid: number): number =>
  Number(
    readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')[2],
  );

t.test('Ctrl-C ends a gateway in order: its planes leave the signal to it, and none is lost on the way', async (t) => {
  const board = await boardPeer(t);
  const handsets = [handset('a-101', { line: board.line })];
  const site = makeSite(t, await freePort(), { boards: board.boards, handsets });
  const { terminal, planes } = await atTerminal(t, site);
  await board.relayIs(0, true);

  // Each plane has the signal by itself first: which of them is quicker than the gateway decides nothing then.
  t.same(planes.map(({ name }) => name).sort(), ['engine', 'modbus-1', 'relay']);
  for (const { pid } of planes) process.kill(pid, 'SIGINT');
  board.setHook(0, true);
  const client = await GatewayClient.of(site);
  const hook = async () => (await client.ask<HandsetPage>('GET', '/api/handsets/a-101')).view.hook;
  while ((await hook()) !== 'off') await new Promise((resolve) => setImmediate(resolve));

  terminal.type('\x03');
  t.equal(await terminal.exited, 0);
  isOrderly(t, terminal);
  await board.relayIs(0, false);
});

t.test('a SIGTERM to its whole group ends a gateway in order: its planes are in groups of their own', async (t) => {
  const site = makeSite(t, await freePort());
  const { terminal, pid, planes } = await atTerminal(t, site);
  const group = groupOf(pid);
  t.same(planes.map(({ name }) => name).sort(), ['engine', 'relay']);
  for (const plane of planes) t.not(groupOf(plane.pid), group, plane.name);
  // It hears of it last: whatever else the signal reached is gone by then.
  process.kill(pid, 'SIGSTOP');
  process.kill(-group, 'SIGTERM');
  for (const plane of planes) t.ok(process.kill(plane.pid, 0), `${plane.name} lives`);
  process.kill(pid, 'SIGCONT');
  t.equal(await terminal.exited, 0);
  isOrderly(t, terminal);
});
