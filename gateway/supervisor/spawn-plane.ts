import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Starts a plane's program; it waits for its configuration on standard input, which is its life line as well. It is in a group
 * of its own: what a terminal, a shell or a supervisor sends to the gateway's whole group (SIGINT, SIGTERM, SIGTSTP) is the
 * gateway's to answer, which ends its calls first and its planes after them. Should it die of it, the life line tells.
 */
export function spawnPlane(script: string, nodeFlags: readonly string[] = []): ChildProcess {
  // systemd is told of the gateway by the gateway alone: an agent would say that it is ready, or stops, in its name.
  const { NOTIFY_SOCKET: _socket, WATCHDOG_USEC: _us, WATCHDOG_PID: _pid, ...env } = process.env;
  const args = ['--enable-source-maps', ...nodeFlags, script];
  return spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'], env, detached: true });
}
