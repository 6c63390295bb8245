import { spawn } from 'node:child_process';
import type { Test } from 'tap';
import { until } from '../device-agents/harness.js';

/** A service manager's socket (sd_notify(3)): what came there, and how often it said this. */
export interface ServiceSocket {
  heard(): string;
  count(said: string): number;
}

/** Listens as systemd does, at a path or, with an `@` before it, at an abstract name; socat hears. */
export async function serviceSocket(t: Test, name: string): Promise<ServiceSocket> {
  const at = name.startsWith('@') ? `ABSTRACT-RECV:${name.slice(1)}` : `UNIX-RECV:${name}`;
  const socat = spawn('socat', ['-u', '-d', '-d', at, 'STDOUT'], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => socat.kill('SIGKILL'));
  let heard = '';
  socat.stdout.on('data', (bytes: Buffer) => {
    heard += `${bytes}\n`;
  });
  let said = '';
  socat.stderr.on('data', (bytes: Buffer) => {
    said += bytes;
  });
  await until('socat listens', () => said.includes('starting data transfer loop'));
  return {
    heard: () => heard,
    // Two datagrams that are read in one go stand side by side, with nothing between them.
    count: (said) => heard.split(said).length - 1,
  };
}
