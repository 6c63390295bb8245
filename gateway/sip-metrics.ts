import { Counter, Gauge, type Registry } from 'prom-client';
import type { TrunkState } from './signalling/trunks.js';
import { type EngineStatus, OPEN_NOW } from './sip-engine/control/protocol.js';

/** What the metrics ask signalling for, each time that somebody looks. */
export interface SipSource {
  /** The engine's counts since its start, and what is open now; undefined where there is no engine of ours to ask. */
  engineStatus(): Promise<EngineStatus | undefined>;
  /** How often each rule of the cell and trunk side was broken since the start, by its code. */
  readonly counts: Readonly<Record<string, number>>;
  readonly trunkStates: readonly TrunkState[];
}

/** `refusedByRate` as Prometheus writes names. */
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Adds what SIP has to tell to the gateway's metrics. A respawned engine counts from nothing, which Prometheus understands. */
export function addSipMetrics(registry: Registry, sip: SipSource): void {
  const registers = [registry];
  const ofEngine = async (isOpen: boolean): Promise<(readonly [string, number])[]> =>
    Object.entries((await sip.engineStatus()) ?? {}).filter(([name]) => OPEN_NOW.has(name) === isOpen);
  new Counter({
    name: 'balise_sip_engine_events_total',
    help: 'What the SIP server counted: messages, and what each limit refused.',
    labelNames: ['event'],
    registers,
    async collect() {
      const counted = await ofEngine(false);
      this.reset();
      for (const [name, count] of counted) this.inc({ event: snake(name) }, count);
    },
  });
  new Gauge({
    name: 'balise_sip_engine_open',
    help: 'What the SIP server holds: dialogs, transactions, connections.',
    labelNames: ['what'],
    registers,
    async collect() {
      const held = await ofEngine(true);
      this.reset();
      for (const [name, count] of held) this.set({ what: snake(name) }, count);
    },
  });
  new Counter({
    name: 'balise_sip_rules_broken_total',
    help: 'What a handset or a carrier tried and may not, by the code of its alarm or count.',
    labelNames: ['code'],
    registers,
    collect() {
      this.reset();
      for (const [code, count] of Object.entries(sip.counts)) this.inc({ code }, count);
    },
  });
  new Gauge({
    name: 'balise_trunk_up',
    help: '1: calls go to this trunk. 0: it is skipped.',
    labelNames: ['trunk'],
    registers,
    collect() {
      this.reset();
      for (const { trunk, isUp } of sip.trunkStates) this.set({ trunk }, Number(isUp));
    },
  });
}
