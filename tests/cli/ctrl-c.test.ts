/** Signals to a whole group: Ctrl-C at a gateway's terminal, and what a shell or a supervisor sends. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { projectRoot } from '../../gateway/config/paths.js';
import type { HandsetPage } from '../../gateway/console/api/handsets.js';
import { GatewayClient } from '../../scripts/cli/gateway-client.js';
import { freePort } from '../../scripts/peers/free-port.js';
import { boardPeer } from '../peers/board-peer.js';
import { handset, makeSite } from '../peers/site.js';
import { PseudoTerminal } from './pseudo-terminal.js';

const GATEWAY = join(projectRoot(), 'dist', 'gateway', 'main.js');

interface Said {
  readonly event?: string;
  readonly plane?: string;
  readonly planePid?: number;
}

/** A line of the log; the terminal shows the key before it. */
const saidIn = (line: string): Said =>
  line.includes('{"') ? (JSON.parse(line.slice(line.indexOf('{"'))) as Said) : {};
const planesOf = (said: readonly Said[]) =>
  said.flatMap(({ plane, planePid }) =>
    plane === undefined || planePid === undefined ? [] : { name: plane, pid: planePid },
  );

/** A gateway at a terminal of its own, with the processes that it says it has started. */
async function atTerminal(t: Test, site: string) {
  const terminal = new PseudoTerminal(t, ['--config', site], GATEWAY);
  await terminal.shows('"event":"gateway.ready"');
  const said = () => terminal.text.split('\r\n').map(saidIn);
  return { terminal, planes: planesOf(said()), said };
}

/** A gateway in a group of its own, as a shell makes it for what it runs. Not at `script`, which stops with what it runs. */
async function inGroup(t: Test, site: string) {
  const gateway = spawn(process.execPath, [GATEWAY, '--config', site], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: Said[] = [];
  const exited = new Promise<number | null>((resolve) => gateway.once('close', resolve));
  t.teardown(async () => {
    gateway.kill('SIGKILL');
    await exited;
  });
  await new Promise<void>((resolve) =>
    createInterface({ input: gateway.stdout }).on('line', (line) => {
      const one = saidIn(line);
      said.push(one);
      if (one.event === 'gateway.ready') resolve();
    }),
  );
  return { pid: gateway.pid ?? 0, planes: planesOf(said), said: () => said, exited };
}

/** It stopped in order, and nothing was told to be lost. */
function isOrderly(t: Test, said: readonly Said[]): void {
  const events = said.flatMap(({ event }) => event ?? []);
  const at = (event: string): number => events.indexOf(event);
  t.ok(-1 < at('gateway.stopping') && at('gateway.stopping') < at('gateway.stopped'), `it stops in order: ${events}`);
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
  const { terminal, planes, said } = await atTerminal(t, site);
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
  isOrderly(t, said());
  await board.relayIs(0, false);
});

t.test('a SIGTERM to its whole group ends a gateway in order: its planes are in groups of their own', async (t) => {
  const site = makeSite(t, await freePort());
  const { pid, planes, said, exited } = await inGroup(t, site);
  const group = groupOf(pid);
  t.same(planes.map(({ name }) => name).sort(), ['engine', 'relay']);
  for (const plane of planes) t.not(groupOf(plane.pid), group, plane.name);
  // It hears of it last: whatever else the signal reached is gone by then.
  process.kill(pid, 'SIGSTOP');
  process.kill(-group, 'SIGTERM');
  for (const plane of planes) t.ok(process.kill(plane.pid, 0), `${plane.name} lives`);
  process.kill(pid, 'SIGCONT');
  t.equal(await exited, 0);
  isOrderly(t, said());
});
