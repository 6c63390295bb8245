import type { Logger } from 'pino';
import type { Calls } from './calls/calls.js';
import type { Clock } from './clock/clock.js';
import type { Lines } from './lines/lines.js';
import type { PlaneProcesses } from './plane-processes.js';
import { handsetId } from './policy/ids.js';
import type { Registration } from './provisioning/read-back.js';
import type { Signalling } from './signalling/signalling.js';
import { accountsOf } from './site-accounts.js';
import type { SiteMedia } from './site-media.js';
import type { SitePolicy } from './site-policy.js';
import { SiteProvisioning } from './site-provisioning.js';
import { type LiveSite, SiteReload } from './site-reload.js';
import { SiteWires } from './site-wires.js';
import type { SiteWork } from './site-work.js';
import type { Store } from './store/store.js';
import type { Uplink } from './uplink/uplink.js';

/** Every part of a running site that knows its handsets. */
export interface SiteHandsetsParts {
  readonly live: LiveSite;
  readonly clock: Clock;
  readonly log: Logger;
  readonly policy: SitePolicy;
  readonly speech: SiteMedia;
  readonly signalling: Signalling;
  readonly lines: Lines;
  readonly store: Store;
  readonly calls: () => Calls | undefined;
  readonly work: () => Pick<SiteWork, 'policyChanged'> | undefined;
  readonly uplink: () => Uplink | undefined;
  readonly processes: () => PlaneProcesses | undefined;
  /** The port of the SIP server on the cell side; 0 before it listens. */
  readonly sipPort: () => number | undefined;
  readonly alarm: (code: string, detail: string, handset?: string) => void;
}

/** The handsets of a running site: their phones are provisioned, and changes to them are taken while calls run. */
export class SiteHandsets {
  readonly #provisioning: SiteProvisioning;
  readonly #reload: SiteReload;
  readonly #wires: SiteWires;
  readonly #sipPort: () => number;

  constructor(parts: SiteHandsetsParts) {
    const { live, clock, log, policy, speech, signalling, lines, store, alarm } = parts;
    const { files } = live;
    this.#sipPort = () => parts.sipPort() || files.site.sip.cell.port;
    const provisioning = new SiteProvisioning({
      files,
      clock,
      sipPort: this.#sipPort,
      alarm,
      append: (event) => store.calls.append([event]),
    });
    this.#provisioning = provisioning;
    const wires = new SiteWires({
      ...{ files, clock, log, lines },
      inCall: () =>
        parts
          .calls()
          ?.live()
          .map(({ handset }) => handset) ?? [],
      renew: async (plan, between) => (await parts.processes()?.renewAgent(plan, between)) ?? false,
      append: (event) => store.calls.append([event]),
    });
    this.#wires = wires;
    this.#reload = new SiteReload({
      live,
      log,
      handsetsChanged: () => {
        policy.handsetsChanged();
        speech.handsetsChanged();
        signalling.setAccounts(accountsOf(files));
        parts.uplink()?.handsetsChanged(files.handsets.map(({ id, wing }) => ({ id: handsetId(id), wing })));
        provisioning.handsetsChanged();
        parts.work()?.policyChanged();
        parts.calls()?.policyChanged();
        return wires.take();
      },
      startAgents: async (boards) => parts.processes()?.startAgents(boards),
      append: (events) => store.calls.append(events),
      alarm,
    });
  }

  /** Listens for devices, where the site has it so, and records what was changed while no gateway ran. */
  async start(): Promise<void> {
    await this.#provisioning.start();
    this.#reload.recordWaiting();
  }

  /** The port that devices fetch from; undefined where nothing is served. */
  get port(): number | undefined {
    return this.#provisioning.port;
  }

  /** The port of SIP on the cell side. */
  get sipPort(): number {
    return this.#sipPort();
  }

  registered(registration: Registration): void {
    this.#provisioning.registered(registration);
  }

  reload(): Promise<void> {
    return this.#reload.reload();
  }

  close(): Promise<void> {
    this.#wires.stop();
    return this.#provisioning.close();
  }
}
