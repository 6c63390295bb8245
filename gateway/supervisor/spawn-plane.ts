import { type ChildProcess, spawn } from 'node:child_process';

/** Starts a plane's program; it waits for its configuration on standard input, which is its life line as well. */
export function spawnPlane(script: string, nodeFlags: readonly string[] = []): ChildProcess {
  return spawn(process.execPath, ['--enable-source-maps', ...nodeFlags, script], { stdio: ['pipe', 'pipe', 'pipe'] });
}
