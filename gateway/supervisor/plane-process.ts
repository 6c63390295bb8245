import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Logger } from 'pino';
import type { Clock, Timer } from '../clock/clock.js';
import { backOff, CRASH_LOOP_DEATHS } from './back-off.js';
import { livePid, removePidFile, writePidFile } from './pid-file.js';
import { spawnPlane } from './spawn-plane.js';

/** What a plane says of itself when it is ready: ports, sockets, its pid. */
export type PlaneFacts = Readonly<Record<string, unknown>>;

export interface PlaneProcessOptions {
  readonly name: string;
  /** The compiled program, an absolute path. */
  readonly script: string;
  /** Arguments for Node itself; see node-flags.ts. */
  readonly nodeFlags?: readonly string[];
  /** Its first life, when it was started ahead of its configuration; see early-planes.ts. */
  readonly early?: ChildProcess | undefined;
  /** Its configuration, made anew for each start; it goes over stdin, so that no secret shows in a process list. */
  readonly config: () => unknown;
  /** Where its pid is kept, so that the next gateway finds an orphan of this one. */
  readonly pidFile: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called after each start, also a respawn. A rejection kills the process: a plane that cannot be reached is no plane. */
  readonly onReady: (facts: PlaneFacts) => Promise<void>;
  /** Called once for each life that ends without having been asked to. */
  readonly onLost: (why: string) => void;
  readonly onCrashLoop: (deaths: number) => void;
}

const READY_MS = 10_000;
const STOP_MS = 3_000;
const ORPHAN_MS = 2_500;
const ORPHAN_LOOK_MS = 25;

/**
 * One plane's process: started, watched, respawned with back-off for ever, and stopped cleanly.
 * Its stdin stays open as its life line: when this process dies, however it dies, the kernel closes it and the plane ends
 * every lease that it holds.
 */
export class PlaneProcess {
  readonly #options: PlaneProcessOptions;
  readonly #backOff = backOff();
  #child: ChildProcess | undefined;
  #respawn: Timer | undefined;
  #stopping = false;
  /** It is asked to end so that a new one may begin: that is no death. */
  #renewing = false;
  /** The first start succeeded; from then on every death is answered by a respawn. */
  #started = false;
  #exited: Promise<void> = Promise.resolve();

  constructor(options: PlaneProcessOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the process; settles when it is ready and `onReady` has run. Rejects when the first start fails: nothing can be built on that. */
  async start(): Promise<void> {
    await this.#endOrphan();
    await this.#spawn();
    this.#started = true;
  }

  /** Kills the process at once (it hangs, or cannot be reached); a new one follows by itself. */
  kill(why: string): void {
    if (this.#child === undefined || this.#stopping) return;
    this.#options.log.error({ event: 'plane.killed', plane: this.#options.name, why }, 'plane killed, to be respawned');
    this.#child.kill('SIGKILL');
  }

  /** Asks the process to end, and insists after 3 s. Settles when it is gone; it is not respawned. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#respawn?.cancel();
    const child = this.#child;
    if (child === undefined) return;
    child.kill('SIGTERM');
    const insist = this.#options.clock.after(STOP_MS, () => child.kill('SIGKILL'));
    await this.#exited;
    insist.cancel();
  }

  /**
   * Ends the process and starts a new one, with its configuration made anew; `between` runs when the old one is gone and the
   * new one is not there yet. Rejects when the new one does not start: it is tried again for ever, as after a death.
   */
  async renew(between: () => void): Promise<void> {
    if (this.#stopping) return;
    this.#renewing = true;
    try {
      await this.#end();
    } finally {
      this.#renewing = false;
    }
    if (this.#stopping) return;
    between();
    await this.#spawn();
  }

  async #spawn(): Promise<void> {
    const { name, script, nodeFlags, early, config, pidFile, clock, log } = this.#options;
    const bornNs = clock.monotonicNs();
    const child = !this.#started && isAlive(early) ? early : spawnPlane(script, nodeFlags);
    this.#child = child;
    if (child.pid !== undefined) writePidFile(pidFile, child.pid);
    // EPIPE here means that the process died while starting; its exit is handled below.
    child.stdin?.on('error', (error) => log.debug({ event: 'plane.stdin', plane: name, err: error }));
    child.stdin?.write(`${JSON.stringify(config())}\n`);
    this.#forwardErrors(child);

    let wasReady = false;
    this.#exited = new Promise((resolve) => {
      child.once('error', (error) => log.error({ event: 'plane.spawn-failed', plane: name, err: error }));
      child.once('close', (code, signal) => {
        if (child.pid !== undefined) removePidFile(pidFile, child.pid);
        this.#child = undefined;
        resolve();
        const livedMs = Number(clock.monotonicNs() - bornNs) / 1e6;
        if (this.#started && !this.#stopping && !this.#renewing)
          this.#died(signal ?? `exit code ${code}`, livedMs, wasReady);
      });
    });

    const facts = await this.#ready(child);
    wasReady = true;
    try {
      await this.#options.onReady(facts);
    } catch (error) {
      log.error({ event: 'plane.unreachable', plane: name, err: error });
      child.kill('SIGKILL');
      throw error;
    }
    log.info({ event: 'plane.ready', plane: name, planePid: child.pid });
  }

  /** The first line says that the process is ready; each line after it is a log line of its own. */
  #ready(child: ChildProcess): Promise<PlaneFacts> {
    const { name, clock } = this.#options;
    return new Promise((resolve, reject) => {
      const late = clock.after(READY_MS, () => {
        child.kill('SIGKILL');
        reject(new Error(`${name} was not ready within ${READY_MS / 1000} s`));
      });
      child.once('close', (code, signal) => {
        late.cancel();
        reject(new Error(`${name} ended before it was ready (${signal ?? `exit code ${code}`}); its log says why`));
      });
      if (child.stdout === null) return reject(new Error(`${name} has no standard output`));
      createInterface({ input: child.stdout }).on('line', (line) => {
        const said = parseLine(line);
        if (said?.event === 'ready') {
          late.cancel();
          resolve(said);
        } else this.#forward(line, said);
      });
    });
  }

  #died(why: string, livedMs: number, wasReady: boolean): void {
    const { name, log, clock, onLost, onCrashLoop } = this.#options;
    log.error({ event: 'plane.lost', plane: name, why, livedMs: Math.round(livedMs) }, 'plane lost');
    if (wasReady) onLost(`${name}: ${why}`);
    const waitMs = this.#backOff.next(livedMs);
    if (this.#backOff.deaths === CRASH_LOOP_DEATHS) onCrashLoop(this.#backOff.deaths);
    this.#respawn = clock.after(waitMs, () => {
      // A start that fails ends in the death of its process, and that is answered above.
      this.#spawn().catch((error: unknown) => log.error({ event: 'plane.respawn-failed', plane: name, err: error }));
    });
  }

  #forward(line: string, said: Record<string, unknown> | undefined): void {
    const { log, name } = this.#options;
    if (said === undefined) {
      log.info({ event: 'plane.said', plane: name, line: line.slice(0, 500) });
      return;
    }
    const level = typeof said.level === 'number' ? log.levels.labels[said.level] : undefined;
    const { level: _level, time: _time, pid: _pid, hostname: _hostname, ...rest } = said;
    switch (level) {
      case 'fatal':
      case 'error':
        log.error({ plane: name, ...rest });
        break;
      case 'warn':
        log.warn({ plane: name, ...rest });
        break;
      case 'info':
        log.info({ plane: name, ...rest });
        break;
      default:
        log.debug({ plane: name, ...rest });
    }
  }

  #forwardErrors(child: ChildProcess): void {
    if (child.stderr === null) return;
    const { log, name } = this.#options;
    createInterface({ input: child.stderr }).on('line', (line) => {
      log.error({ event: 'plane.stderr', plane: name, line: line.slice(0, 500) });
    });
  }

  /** A plane of a gateway that was killed ends by itself within 2 s; one that hangs is killed before its ports are wanted. */
  async #endOrphan(): Promise<void> {
    const { pidFile, clock, log, name } = this.#options;
    let waitedMs = 0;
    for (let pid = livePid(pidFile); pid !== undefined; pid = livePid(pidFile)) {
      if (waitedMs === 0)
        log.warn({ event: 'plane.orphan', plane: name, pid }, 'waiting for a plane of an earlier gateway');
      if (waitedMs >= ORPHAN_MS) process.kill(pid, 'SIGKILL');
      waitedMs += ORPHAN_LOOK_MS;
      await new Promise<void>((resolve) => clock.after(ORPHAN_LOOK_MS, resolve));
    }
  }
}

function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(child: ChildProcess | undefined): child is ChildProcess {
  return child !== undefined && child.exitCode === null && child.signalCode === null;
}
