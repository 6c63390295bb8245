import { execFile } from 'node:child_process';
import type { AgentClock } from './clock.js';

const PROGRAM = 'systemd-notify';

export interface ServiceManagerOptions {
  readonly clock: Pick<AgentClock, 'after'>;
  /** Nobody could be told; said once, for the same will be so the next time. */
  readonly onFault: (fault: Error) => void;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * What a service tells systemd of itself (sd_notify(3)): that it is ready, that it is alive, that it ends. Node has no datagram
 * sockets of the Unix kind, so systemd's own `systemd-notify` says it; a unit needs `Type=notify` and `NotifyAccess=all`.
 * Where nobody is to be told, nothing happens.
 */
export class ServiceManager {
  readonly #options: ServiceManagerOptions;
  /** Half of the time after which systemd takes the service for dead (sd_watchdog_enabled(3)), milliseconds. */
  readonly #beatMs: number | undefined;
  #isThere: boolean;

  constructor(options: ServiceManagerOptions) {
    this.#options = options;
    const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: us, WATCHDOG_PID: pid } = options.env ?? process.env;
    this.#isThere = socket !== undefined && socket !== '';
    const isForUs = pid === undefined || pid === String(process.pid);
    this.#beatMs = isForUs && Number(us) > 0 ? Number(us) / 2_000 : undefined;
  }

  /** The service does its work; from now on its event loop's beat is told, where systemd watches it. */
  ready(): void {
    this.#tell('READY=1');
    if (this.#isThere) this.#beatLater();
  }

  stopping(): void {
    this.#tell('STOPPING=1');
    this.#isThere = false;
  }

  #beatLater(): void {
    if (this.#beatMs === undefined) return;
    this.#options.clock.after(this.#beatMs, () => {
      this.#tell('WATCHDOG=1');
      if (this.#isThere) this.#beatLater();
    });
  }

  #tell(what: string): void {
    if (!this.#isThere) return;
    const env = this.#options.env ?? process.env;
    execFile(PROGRAM, [what], { env, timeout: 5_000 }, (fault) => {
      if (fault === null || !this.#isThere) return;
      this.#isThere = false;
      this.#options.onFault(fault);
    });
  }
}
