/**
 * What every device agent is: leases come in over the bus, a driver lets the relays follow them, states and health go out.
 *
 * The promise: a pair is connected only while its lease stands. The bus connection closed, the bus silent, the parent gone
 * (EOF on stdin), SIGTERM, a fault of our own: each ends all leases first and asks questions afterwards.
 */
import type { Logger } from 'pino';
import type { AgentHealthMessage, LineStateMessage } from '../config/schema/types.generated.js';
import { type BusAccess, BusLink } from './bus-link.js';
import { type AgentClock, agentClock, bootId } from './clock.js';
import { LeaseKeeper } from './lease-keeper.js';
import { readLease } from './lease-message.js';
import { type Launch, launched } from './life-line.js';
import { type AgentLog, agentLog, cannotStart } from './log.js';
import { ServiceManager } from './service-manager.js';
import { readShow, type Show } from './show-message.js';

export type LineReport = Pick<LineStateMessage, 'hook' | 'relay' | 'tamper'> & { readonly leaseNs: bigint };
export type HealthReport = Pick<AgentHealthMessage, 'port' | 'boards'>;

/** What the driver of a kind of hardware may use. */
export interface AgentHost {
  readonly clock: AgentClock;
  readonly log: Logger;
  readonly leases: LeaseKeeper;
  /** A line changed, or was asked for. */
  state(handset: string, report: LineReport): void;
  /** A key was pressed. */
  key(handset: string, key: string): void;
  /** Something in the health changed: it is told at once. */
  healthChanged(): void;
}

/** A kind of hardware. */
export interface AgentDriver {
  start(): void;
  /** A lease began, changed or ended; `confirm` names a line that is to be read back and reported. */
  leasesChanged(confirm?: string): void;
  /** What a handset's lamp and display are to show; only a kind that has some. */
  show?(handset: string, show: Show): void;
  /** Every line's state as it is known now. */
  states(): ReadonlyMap<string, LineReport>;
  health(): HealthReport;
  /** All leases have ended: opens every relay, waits for the boards' word as long as `ms`, and lets go of the hardware. */
  stop(ms: number): Promise<void>;
}

/** What `--check` found. */
export interface CheckReport {
  /** Everything that the configuration names is there, and is what it says. */
  readonly isWell: boolean;
  readonly lines: readonly string[];
}

export interface AgentParts {
  readonly bus: BusAccess;
  readonly handsets: readonly string[];
  /** Its handsets have keys, a lamp and a display. */
  readonly hasKeypads?: boolean;
  readonly driver: (host: AgentHost) => AgentDriver;
  /** Talks to the hardware, tells what it finds, and changes nothing. Never rejects. */
  readonly check: (clock: AgentClock) => Promise<CheckReport>;
}

const HEALTH_MS = 1_000;
const RELAYS_MS = 1_200;
const GOODBYE_MS = 300;

/**
 * Runs an agent until its life line ends; with `--check`, has it look at its hardware instead, prints what it finds, and
 * exits 0, or 1 when something is not as the configuration says. `read` makes its parts from the configuration and throws an `Error` that tells
 * what is wrong with it; the process then exits 78 (EX_CONFIG).
 */
export async function runAgent(read: (config: unknown) => AgentParts): Promise<void> {
  let launch: Launch;
  let parts: AgentParts;
  try {
    launch = await launched();
    parts = read(launch.config);
  } catch (fault) {
    return cannotStart(fault);
  }
  if (launch.isCheck) {
    const { isWell, lines } = await parts.check(agentClock());
    process.stdout.write(lines.map((line) => `${line}\n`).join(''), () => process.exit(isWell ? 0 : 1));
    return;
  }
  new Agent(parts, launch, agentLog()).run();
}

class Agent {
  readonly #log: Logger;
  readonly #leave: AgentLog['leave'];
  readonly #clock = agentClock();
  readonly #leases: LeaseKeeper;
  readonly #link: BusLink;
  readonly #driver: AgentDriver;
  readonly #service: ServiceManager;
  #ready = false;
  #ending = false;
  #leasesRefused = 0;
  #healthDue = false;

  constructor({ bus, handsets, hasKeypads, driver }: AgentParts, launch: Launch, { log, leave }: AgentLog) {
    this.#log = log;
    this.#leave = leave;
    this.#service = new ServiceManager({
      clock: this.#clock,
      onFault: (error) => log.warn({ event: 'service-manager.not-told', err: error }),
    });
    this.#leases = new LeaseKeeper(handsets, bootId());
    this.#driver = driver({
      clock: this.#clock,
      log,
      leases: this.#leases,
      state: (handset, report) => this.#publishState(handset, report),
      key: (handset, key) => this.#link.publishKey(handset, JSON.stringify({ key, ...this.#stamp() })),
      healthChanged: () => this.#healthSoon(),
    });
    this.#link = new BusLink({
      bus,
      handsets,
      clock: this.#clock,
      log,
      onUp: () => this.#up(),
      onDown: (why) => this.#endLeases(why),
      onLease: (handset, payload) => this.#lease(handset, payload),
      ...(hasKeypads ? { onShow: (handset, payload) => this.#show(handset, payload) } : {}),
    });
    launch.onEnd((why) => void this.#end(why, 0));
    process.on('SIGTERM', () => void this.#end('SIGTERM', 0));
    if (!launch.hasLifeLine) process.on('SIGINT', () => void this.#end('SIGINT', 0));
    for (const fault of ['uncaughtException', 'unhandledRejection'] as const) {
      process.on(fault, (error: unknown) => {
        log.fatal({ event: 'agent.fault', err: error });
        void this.#end('a fault of the program', 1);
      });
    }
  }

  run(): void {
    this.#driver.start();
    this.#beat();
    // A bus that is not there yet is no fault of ours: without it every relay is open.
    this.#service.ready();
  }

  #beat(): void {
    if (this.#ending) return;
    this.#publishHealth();
    this.#clock.after(HEALTH_MS, () => this.#beat());
  }

  #up(): void {
    if (!this.#ready) {
      this.#ready = true;
      this.#log.info({ event: 'ready', pid: process.pid });
    }
    // The gateway believes a line only after both: the health that vouches for the board, and the line's own state.
    for (const [handset, report] of this.#driver.states()) this.#publishState(handset, report);
    this.#publishHealth();
  }

  #lease(handset: string, payload: Buffer): void {
    if (this.#ending) return;
    const lease = readLease(payload);
    const verdict = lease === undefined ? 'malformed' : this.#leases.accept(handset, lease, this.#clock.nowNs());
    if (verdict === 'obeyed') {
      this.#driver.leasesChanged(lease?.confirm === true ? handset : undefined);
      return;
    }
    this.#leasesRefused += 1;
    this.#log.warn({ event: 'lease.refused', handset, verdict });
  }

  #show(handset: string, payload: Buffer): void {
    const show = readShow(payload);
    if (show === undefined) this.#log.warn({ event: 'show.malformed', handset });
    else this.#driver.show?.(handset, show);
  }

  #endLeases(why: string): void {
    this.#leases.endAll();
    this.#driver.leasesChanged();
    this.#log.warn({ event: 'lease.all-ended', why });
  }

  #publishState(handset: string, { leaseNs, ...report }: LineReport): void {
    const message: LineStateMessage = { ...report, ...this.#stamp(), leaseNs: `${leaseNs}` };
    this.#link.publishState(handset, JSON.stringify(message));
  }

  /** Several changes of one moment are one message. */
  #healthSoon(): void {
    if (this.#healthDue) return;
    this.#healthDue = true;
    setImmediate(() => {
      this.#healthDue = false;
      this.#publishHealth();
    });
  }

  #publishHealth(): void {
    const message: AgentHealthMessage = {
      ...this.#stamp(),
      leasesRefused: this.#leasesRefused,
      ...this.#driver.health(),
    };
    this.#link.publishHealth(JSON.stringify(message));
  }

  #stamp(): { readonly at: string; readonly atNs: string } {
    return { at: this.#clock.wall(), atNs: `${this.#clock.nowNs()}` };
  }

  async #end(why: string, code: number): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    this.#service.stopping();
    this.#endLeases(why);
    await this.#driver.stop(RELAYS_MS);
    await this.#link.close(GOODBYE_MS);
    this.#log.info({ event: 'agent.ended', why });
    this.#leave(code);
  }
}
