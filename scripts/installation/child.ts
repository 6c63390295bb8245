import { spawnSync } from 'node:child_process';
import { EXIT } from '../cli/command.js';
import { InstallFault } from './fault.js';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a program to its end and gives what it printed. Throws an `InstallFault` with its last words when it fails; `hint` says what to do. */
export function run(program: string, args: readonly string[], options: RunOptions = {}, hint?: string): string {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    ...options,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (status === 0) return stdout;
  const why = error?.message ?? `${stderr}${stdout}`.trim().split('\n').slice(-15).join('\n');
  const todo = hint === undefined ? '' : `\n${hint}`;
  throw new InstallFault(`${program} ${args.slice(0, 3).join(' ')} failed: ${why}${todo}`, EXIT.unavailable);
}
