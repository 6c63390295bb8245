import type { AgentDriver, AgentHost, HealthReport, LineReport } from '../agent.js';
import { type AgentTimer, MS, msBetween } from '../clock.js';
import type { Show } from '../show-message.js';
import { openWire, Reopening, type Wire } from '../wire.js';
import { Card } from './card.js';
import type { LineCardConfig } from './config.js';
import { LineCutter } from './message.js';

/** While stopping, whether all is open is looked at this often, milliseconds. */
const STOP_LOOK_MS = 10;

/** One card on its port: what comes goes to the machine, and what the machine says goes out. */
export class CardLoop implements AgentDriver {
  readonly #config: LineCardConfig;
  readonly #host: AgentHost;
  readonly #card: Card;
  #cutter = new LineCutter();
  #wire: Wire | undefined;
  #timer: AgentTimer | undefined;
  readonly #reopening = new Reopening();
  #stopping = false;

  constructor(
    config: LineCardConfig,
    host: AgentHost,
    private readonly open: typeof openWire = openWire,
  ) {
    this.#config = config;
    this.#host = host;
    const events = {
      line: (handset: string, report: LineReport) => host.state(handset, report),
      key: (handset: string, key: string) => host.key(handset, key),
      health: () => host.healthChanged(),
    };
    this.#card = new Card(config.card, host.leases, events, (bytes) => this.#wire?.onWireMs(bytes) ?? 0);
  }

  start(): void {
    void this.#connect();
  }

  leasesChanged(confirm?: string): void {
    if (confirm !== undefined) this.#card.confirm(confirm);
    this.#go();
  }

  show(handset: string, { lamp, text }: Show): void {
    this.#card.show(handset, lamp, text);
    this.#go();
  }

  states(): ReadonlyMap<string, LineReport> {
    return new Map(this.#card.reports());
  }

  health(): HealthReport {
    return { port: this.#wire === undefined ? 'lost' : 'open', boards: [this.#card.health()] };
  }

  async stop(ms: number): Promise<void> {
    this.#stopping = true;
    const { clock } = this.#host;
    const endNs = clock.nowNs() + BigInt(ms) * MS;
    this.#go();
    while (this.#wire !== undefined && !this.#card.isOpen && clock.nowNs() < endNs) {
      await new Promise<void>((resolve) => void clock.after(STOP_LOOK_MS, resolve));
    }
    this.#timer?.cancel();
    this.#wire?.close();
    this.#wire = undefined;
  }

  async #connect(): Promise<void> {
    const { clock, log } = this.#host;
    try {
      const wire = await this.open(this.#config.transport);
      if (this.#stopping) {
        wire.close();
        return;
      }
      log.info({ event: 'port.open' });
      this.#reopening.done();
      this.#cutter = new LineCutter();
      this.#wire = wire;
      wire.onData = (bytes) => this.#data(bytes);
      wire.onLost = (why) => {
        log.error({ event: 'port.lost', why });
        this.#portLost(why);
      };
      this.#card.portOpen(clock.nowNs());
      this.#host.healthChanged();
      this.#go();
    } catch (error) {
      // The same fault again and again is one line at each back-off, at debug.
      log.debug({ event: 'port.open-failed', err: error });
      this.#portLost(`the port cannot be opened: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #portLost(why: string): void {
    this.#wire = undefined;
    this.#timer?.cancel();
    this.#card.portLost(why);
    this.#host.healthChanged();
    if (this.#stopping) return;
    this.#host.clock.after(this.#reopening.next(), () => void this.#connect());
  }

  #data(bytes: Buffer): void {
    for (const line of this.#cutter.take(bytes)) {
      const answer = this.#card.heard(line, this.#host.clock.nowNs());
      if (answer !== undefined) this.#wire?.write(answer);
    }
    this.#go();
  }

  /** Says what there is to say, and sets the alarm for the next time. */
  #go(): void {
    const wire = this.#wire;
    if (wire === undefined) return;
    const { clock } = this.#host;
    for (;;) {
      const bytes = this.#card.next(clock.nowNs());
      if (bytes === undefined) break;
      wire.write(bytes);
    }
    this.#timer?.cancel();
    const nowNs = clock.nowNs();
    const instants = [this.#card.nextNs(nowNs), this.#host.leases.nextEndNs(nowNs)];
    const atNs = instants.reduce((least, one) => (one === undefined || (least ?? one) < one ? least : one));
    this.#timer = clock.after(msBetween(nowNs, atNs ?? nowNs), () => this.#go());
  }
}
