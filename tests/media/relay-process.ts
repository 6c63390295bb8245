import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { systemClock } from '../../gateway/clock/system-clock.js';
import { programData } from '../../gateway/config/paths.js';
import type { Notice, OrderBody, Speech } from '../../gateway/media/control-protocol.js';
import { RelayLink } from '../../gateway/media/relay-link.js';
import { STEADY_HEAP } from '../../gateway/supervisor/node-flags.js';
import { RtpParty } from './rtp-party.js';

export const clock = systemClock(() => ({ trusted: true }));
const script = fileURLToPath(new URL('../../gateway/media/relay/main.js', import.meta.url));

export type DeadlineNotice = Extract<Notice, { event: 'deadline' }>;

export interface RunningRelay {
  readonly child: ChildProcess;
  readonly socket: string;
  readonly exited: Promise<unknown[]>;
}

/** Starts the relay's program as the supervisor does (`stdin`) or as a person does (`file`), and ends it with the test. */
export async function startRelay(
  t: Test,
  config: object = {},
  by: 'stdin' | 'file' = 'stdin',
  nodeFlags: readonly string[] = [],
): Promise<RunningRelay> {
  const folder = mkdtempSync(join(tmpdir(), 'balise-media-'));
  const socket = join(folder, 'relay.sock');
  const file = join(folder, 'relay.json');
  const address = '127.0.0.1';
  const whole = {
    socket,
    cellAddress: address,
    carrierAddress: address,
    ports: null,
    prompts: programData('prompts'),
    exitWhenOrphaned: true,
    ...config,
  };
  writeFileSync(file, JSON.stringify(whole));
  const args = by === 'file' ? ['--config', file] : [];
  const flags = [...STEADY_HEAP, ...nodeFlags];
  const child = spawn(process.execPath, [...flags, script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  if (by === 'stdin') child.stdin.write(`${JSON.stringify(whole)}\n`);
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the relay ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('"ready"')) resolve();
    });
  });
  return { child, socket, exited };
}

/** A connection to a relay, closed with the test. */
export async function linkTo(t: Test, socket: string) {
  const lost: string[] = [];
  const notices: DeadlineNotice[] = [];
  const others: Exclude<Notice, { event: 'beat' | 'deadline' }>[] = [];
  const news = new EventEmitter().setMaxListeners(0);
  const link = await RelayLink.connect(socket, {
    clock,
    onNotice: (notice) => {
      if (notice.event === 'deadline') notices.push(notice);
      else others.push(notice);
      news.emit('notice');
    },
    onLost: (why) => {
      lost.push(why);
      news.emit('lost');
    },
  });
  t.teardown(() => link.close());
  /** Settles when the relay has told that this call's deadline passed. Rejects after 10 s. */
  const deadlineOf = async (call: string): Promise<DeadlineNotice> => {
    const signal = AbortSignal.timeout(10_000);
    for (;;) {
      const told = notices.find((notice) => notice.call === call);
      if (told !== undefined) return told;
      await once(news, 'notice', { signal });
    }
  };
  /** Settles when the relay has told this of the call. Rejects after 20 s. */
  const told = async (event: (typeof others)[number]['event'], call: string) => {
    const signal = AbortSignal.timeout(20_000);
    for (;;) {
      const found = others.find((notice) => notice.event === event && notice.call === call);
      if (found !== undefined) return found;
      await once(news, 'notice', { signal });
    }
  };
  return { link, notices, others, told, lost, news, deadlineOf };
}

export const ALAW = { voice: [{ codec: 'pcma', payloadType: 8 }], events: 101, eventsPass: true } as const;

export type OpenOrder = Extract<OrderBody, { do: 'open' }>;

/** A handset, a carrier, and a call between them that is open and connected, but not armed. */
export async function callBetween(
  t: Test,
  link: RelayLink,
  call: string,
  extra: Partial<OpenOrder> = {},
  networks: string[] = [],
  addresses = { handset: '127.0.0.1', trunk: '127.0.0.1' },
) {
  const handset = await RtpParty.at(addresses.handset, 0x1111);
  const trunk = await RtpParty.at(addresses.trunk, 0x2222);
  t.teardown(() => {
    handset.close();
    trunk.close();
  });
  const opened = await link.order({
    do: 'open',
    call,
    handset: handset.peer(networks),
    earlyMedia: false,
    digitsAllowed: '',
    ...extra,
  });
  if (opened.event === 'failed') throw new Error(`${opened.code}: ${opened.why}`);
  const connected = await link.order({
    do: 'connect',
    call,
    trunk: trunk.peer(networks),
    toTrunk: ALAW,
    toHandset: ALAW,
  });
  if (connected.event === 'failed') throw new Error(`${connected.code}: ${connected.why}`);
  return {
    handset,
    trunk,
    /** Where the handset, and where the trunk, sends to. */
    handsetSide: opened.handsetSide,
    trunkSide: opened.trunkSide,
    arm: async (inMs: number, warningsS: readonly number[] = [], speech?: Speech) => {
      const at = clock.monotonicNs() + BigInt(Math.round(inMs * 1e6));
      const armed = await link.order({ do: 'arm', call, atNs: String(at), warningsS, ...(speech && { speech }) });
      if (armed.event === 'failed') throw new Error(`${armed.code}: ${armed.why}`);
      return at;
    },
    close: async () => {
      const closed = await link.order({ do: 'close', call });
      if (closed.event === 'failed') throw new Error(`${closed.code}: ${closed.why}`);
      return closed.counters;
    },
  };
}

/** Runs `send` every `everyMs` until told to stop; each failure ends the test. */
export function stream(everyMs: number, send: () => Promise<unknown>): { stop: () => void } {
  let on = true;
  const turn = async (): Promise<void> => {
    while (on) {
      await send();
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  };
  const running = turn();
  running.catch((error: unknown) => {
    if (on) throw error;
  });
  return {
    stop: () => {
      on = false;
    },
  };
}
