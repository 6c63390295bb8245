import { execFile } from 'node:child_process';

const PROGRAM = 'systemd-notify';
/** A service that is not well is looked at so many times as often: it may be well again before systemd loses patience. */
const LOOKS = 8;

export interface ServiceManagerOptions {
  readonly clock: { after(ms: number, run: () => void): unknown };
  /** Whether the service does its work now; while it does not, its watchdog is not fed. Left out: its event loop turns. */
  readonly isWell?: () => boolean;
  /** One line for `systemctl status`. */
  readonly status?: () => string;
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
  #saidStatus: string | undefined;

  constructor(options: ServiceManagerOptions) {
    this.#options = options;
    const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: us, WATCHDOG_PID: pid } = options.env ?? process.env;
    this.#isThere = socket !== undefined && socket !== '';
    const isForUs = pid === undefined || pid === String(process.pid);
    this.#beatMs = isForUs && Number(us) > 0 ? Number(us) / 2_000 : undefined;
  }

  /** The service does its work; from now on its beat is told, where systemd watches it, for as long as it is well. */
  ready(): void {
    this.#tell('READY=1', ...this.#news());
    if (this.#isThere) this.#beatLater(this.#beatMs);
  }

  stopping(): void {
    this.#tell('STOPPING=1');
    this.#isThere = false;
  }

  #beatLater(ms: number | undefined): void {
    if (ms === undefined || this.#beatMs === undefined) return;
    const beatMs = this.#beatMs;
    this.#options.clock.after(ms, () => {
      if (!this.#isThere) return;
      const isWell = this.#options.isWell?.() ?? true;
      this.#tell(...(isWell ? ['WATCHDOG=1'] : []), ...this.#news());
      this.#beatLater(isWell ? beatMs : beatMs / LOOKS);
    });
  }

  /** The status, when it is another than the last. */
  #news(): readonly string[] {
    const status = this.#options.status?.();
    if (status === undefined || status === this.#saidStatus) return [];
    this.#saidStatus = status;
    return [`STATUS=${status}`];
  }

  #tell(...what: string[]): void {
    if (!this.#isThere || what.length === 0) return;
    const env = this.#options.env ?? process.env;
    execFile(PROGRAM, what, { env, timeout: 5_000 }, (fault) => {
      if (fault === null || !this.#isThere) return;
      this.#isThere = false;
      this.#options.onFault(fault);
    });
  }
}
