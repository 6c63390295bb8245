/** What a measurement of whole calls stands on: a site, a gateway that runs it, and SIPp at both ends. */
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startDemoBroker } from '../headquarters/demo-broker.js';
import { freePort } from '../peers/free-port.js';
import type { JsonObject } from '../peers/site.js';
import { startBoard } from '../simulators/board.js';
import { BenchGateway } from './gateway.js';
import { ADDRESS_FIELD, carrierScenario, handsetScenario } from './scenario.js';
import { Sipp, type SippCounts } from './sipp.js';
import { CHALLENGED_NUMBER, handsetLines, NUMBERS, type SitePorts, writeBenchSite } from './site.js';

export interface RigOptions {
  /** Of the whole run; each rig takes a folder of its own below it. */
  readonly folder: string;
  readonly challenged: boolean;
  /** Settings of the site's one profile, e.g. `{ maxTalkS: 10 }`. */
  readonly talk?: JsonObject;
}

export interface CallsOrder {
  /** Calls a second. */
  readonly rate: number;
  readonly calls: number;
  /** How long handsets talk before they hang up, milliseconds; absent: they wait for the gateway's BYE. */
  readonly talkMs?: number;
  /** The longest that the gateway may leave a handset without the next message, milliseconds. */
  readonly patienceMs?: number;
  readonly traced?: boolean;
  /** Audio ports, in turn, of the handsets and of the carrier. Default: nobody listens. */
  readonly rtpPorts?: { readonly handset: readonly number[]; readonly trunk: readonly number[] };
}

/** Calls that are being placed. */
export interface CallsGoing {
  readonly handsets: Sipp;
  readonly carrier: Sipp;
  /** Settles when the handsets have done, and ends the carrier. */
  done(): Promise<SippCounts & { readonly failed: number }>;
}

const PATIENCE_MS = 6_000;
/** The carrier may be told of an end so much later than the handset. */
const LAST_BYE_MS = 3_000;
/** What SIPp may take beyond its calls, seconds. */
const SPARE_S = 10;

export class Rig {
  readonly gateway: BenchGateway;
  readonly folder: string;
  readonly #options: RigOptions;
  readonly #ports: SitePorts;
  readonly #close: () => Promise<void>;
  #placed = 0;
  #runs = 0;

  private constructor(
    options: RigOptions,
    folder: string,
    ports: SitePorts,
    gateway: BenchGateway,
    close: () => Promise<void>,
  ) {
    this.#options = options;
    this.folder = folder;
    this.#ports = ports;
    this.gateway = gateway;
    this.#close = close;
  }

  static async start(options: RigOptions): Promise<Rig> {
    const place = await sitePlace(options);
    try {
      const gateway = await BenchGateway.start(place.folder, options.challenged);
      return new Rig(options, place.folder, place.ports, gateway, place.close);
    } catch (error) {
      await place.close();
      throw error;
    }
  }

  /** Lets the just-in-time compiler see the work before it is measured, by short calls: 300 in three seconds unless told. */
  async warmUp({ rate, calls } = { rate: 100, calls: 300 }): Promise<void> {
    await (await this.place({ rate, calls, talkMs: 50 })).done();
    await wait(200);
  }

  /** Begins calls; settles when both ends are ready and the first is about to go out. */
  async place(order: CallsOrder): Promise<CallsGoing> {
    const { rate, calls, talkMs, patienceMs = PATIENCE_MS, traced = false, rtpPorts } = order;
    const folder = join(this.folder, `calls-${++this.#runs}`);
    const [near, far] = [join(folder, 'handsets'), join(folder, 'carrier')];
    for (const path of [near, far]) mkdirSync(path, { recursive: true });
    const timeoutS = Math.ceil(calls / rate + (talkMs ?? patienceMs) / 1_000) + SPARE_S;
    const carrier = await Sipp.start({
      folder: far,
      scenario: carrierScenario(),
      lines: (rtpPorts?.trunk ?? [9]).map((port) => `${port};`),
      port: this.#ports.trunk,
      timeoutS: timeoutS + SPARE_S,
      traced,
      args: ['-m', String(calls)],
    });
    const { challenged } = this.#options;
    const from = this.#placed;
    this.#placed += calls;
    const handsets = await Sipp.start({
      folder: near,
      scenario: handsetScenario({
        challenged,
        ends: talkMs === undefined ? 'waits' : 'hangs-up',
      }),
      lines: handsetLines(calls, from, challenged ? [CHALLENGED_NUMBER] : NUMBERS, rtpPorts?.handset),
      port: await freePort(),
      remote: `127.0.0.1:${this.#ports.cell}`,
      timeoutS,
      traced,
      args: [
        ...['-r', String(rate), '-m', String(calls), '-l', String(calls), '-d', String(talkMs ?? 0)],
        ...['-recv_timeout', String(patienceMs), '-t', 'ui', '-ip_field', String(ADDRESS_FIELD), '-max_socket', '500'],
        ...(challenged ? ['-auth_uri', `${CHALLENGED_NUMBER}@127.0.0.1:${this.#ports.cell}`] : []),
      ],
    });
    return {
      handsets,
      carrier,
      done: async () => {
        await handsets.exited;
        const { counts } = handsets;
        // It ends with its last call; calls that never came to it do not hold it up for long.
        const late = new AbortController();
        await Promise.race([
          carrier.exited,
          wait(LAST_BYE_MS, undefined, { signal: late.signal }).catch(() => undefined),
        ]);
        late.abort();
        await carrier.end();
        return { ...counts, failed: calls - counts.successful };
      },
    };
  }

  async stop(): Promise<void> {
    await this.gateway.stop();
    await this.#close();
  }
}

/** A site's folder with everything around it that the gateway speaks to, and no gateway yet. */
export async function sitePlace({ folder: parent, talk }: Pick<RigOptions, 'folder' | 'talk'>): Promise<{
  readonly folder: string;
  readonly ports: SitePorts;
  readonly close: () => Promise<void>;
}> {
  const folder = mkdtempSync(join(parent, 'site-'));
  const [broker, board, cell, trunk] = await Promise.all([
    startDemoBroker(),
    startBoard({ port: 0 }),
    freePort(),
    freePort(),
  ]);
  board.setHook(0, true);
  const ports = { cell, trunk, board: board.port, brokerUrl: broker.url };
  writeBenchSite(folder, ports, talk);
  return {
    folder,
    ports,
    close: async () => {
      await Promise.all([broker.close(), board.close()]);
    },
  };
}
