import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { Bus } from './bus/bus.js';
import { freshSecret } from './bus/identities.js';
import type { PlaneName } from './calls/ports.js';
import type { Clock } from './clock/clock.js';
import { programData } from './config/paths.js';
import type { SiteFiles } from './config/site.js';
import { type AgentPlan, planAgents } from './lines/agent-plan.js';
import type { RelayPlane } from './media/relay-plane.js';
import { RtpenginePlane } from './media/rtpengine/rtpengine-plane.js';
import type { Signalling } from './signalling/signalling.js';
import { engineLimits } from './site-engine.js';
import type { EarlyPlanes, EarlyProgram } from './supervisor/early-planes.js';
import { SMALL_HEAP } from './supervisor/node-flags.js';
import { type PlaneFacts, PlaneProcess } from './supervisor/plane-process.js';
import { ENGINE, RELAY } from './supervisor/plane-programs.js';

/** The compiled programs stand beside this file. */
const programs = dirname(dirname(fileURLToPath(import.meta.url)));
const LOOPBACK = '127.0.0.1';
/** How long to wait before an rtpengine that did not answer is tried again, milliseconds. */
const REACH_AGAIN_MS = 1_000;

/** A server on every address of the machine is reached from within by its own. */
const isAnywhere = (address: string) => address === '0.0.0.0' || address === '::';

interface EngineFacts {
  readonly client: { readonly address: string; readonly port: number };
  readonly listeners: readonly { readonly name: string; readonly transport: string; readonly port: number }[];
}

/** An agent that the gateway started. */
interface RunningAgent {
  plan: AgentPlan;
  readonly secret: string;
  readonly process: PlaneProcess;
}

export interface PlaneProcessesOptions {
  readonly files: SiteFiles;
  /** Where sockets and pid files are. */
  readonly runFolder: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signalling: Signalling;
  readonly media: RelayPlane | RtpenginePlane;
  readonly bus: Bus;
  /** A plane's new process is up and joined: it may be used again. */
  readonly onBack: (plane: PlaneName) => void;
  readonly alarm: (code: string, message: string) => void;
  /** Processes that were started ahead. */
  readonly early: EarlyPlanes | undefined;
}

/** What runs the planes of a site: the engine, the media relay and an agent for each bus of boards, each in a process of its own. */
export class PlaneProcesses {
  readonly #options: PlaneProcessesOptions;
  readonly #processes: PlaneProcess[] = [];
  readonly #secrets = { client: freshSecret(), control: freshSecret() };
  readonly #agents = new Map<string, RunningAgent>();
  #engine: EngineFacts | undefined;
  #busPort = 0;
  #stopping = false;

  constructor(options: PlaneProcessesOptions) {
    this.#options = options;
  }

  /** Starts every process; settles when each is ready and joined. Rejects when one cannot start at all. */
  async start(busPort: number): Promise<void> {
    this.#busPort = busPort;
    const { boards, handsets } = this.#options.files;
    const agents = planAgents(boards, handsets).map((plan) => this.#startAgent(plan));
    const starts = [this.#startRelay(), this.#startEngine(), ...agents];
    // A site with an rtpengine or a drachtio server of its own wants none of ours.
    await Promise.all([...starts, this.#options.early?.end()]);
  }

  /** Ends every process in order; settles when all are gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#processes.map((process) => process.stop()));
  }

  states(): readonly { readonly name: string; readonly state: 'up' | 'down'; readonly detail: string }[] {
    return this.#processes.map(({ name, pid }) => ({ name, state: pid === undefined ? 'down' : 'up', detail: '' }));
  }

  /**
   * Ends an agent and starts it anew with other wires: its relays are open meanwhile. `between` runs when the old process is
   * gone. Rejects when the new one does not start, and it is tried again for ever. False for an agent that is not ours to start.
   */
  async renewAgent(plan: AgentPlan, between: () => void): Promise<boolean> {
    const { agent: name, handsets, hasKeypads } = plan;
    const agent = this.#agents.get(name);
    if (agent === undefined) return false;
    await agent.process.renew(() => {
      agent.plan = plan;
      // What the old process was connected with ended with it; the new one gets these rights and no others.
      this.#options.bus.addIdentity({ name, secret: agent.secret, handsets, hasKeypads });
      between();
    });
    return true;
  }

  /**
   * Starts the agents of boards that came while the gateway runs, with no wires yet; settles when each is ready. Rejects when
   * one does not start: none of them stays then.
   */
  async startAgents(boards: SiteFiles['boards']): Promise<void> {
    const plans = planAgents(boards, []);
    const starts = await Promise.allSettled(plans.map((plan) => this.#startAgent(plan)));
    const failed = starts.find(({ status }) => status === 'rejected');
    if (failed?.status !== 'rejected') return;
    for (const { agent } of plans) {
      const started = this.#agents.get(agent)?.process;
      this.#agents.delete(agent);
      await started?.stop();
      if (started !== undefined) this.#processes.splice(this.#processes.indexOf(started), 1);
    }
    throw failed.reason;
  }

  /** The port on which the engine listens for `cell`, `carrier` or `carrier-tls`; 0 before it listens. */
  listenerPort(name: 'cell' | 'carrier' | 'carrier-tls'): number {
    return this.#engine?.listeners.find((listener) => listener.name === name)?.port ?? 0;
  }

  async #startRelay(): Promise<void> {
    const { files, runFolder, media, onBack } = this.#options;
    if (media instanceof RtpenginePlane) {
      await this.#reachRtpengine(media);
      return;
    }
    const socket = join(runFolder, 'relay.sock');
    const { cellAddress, carrierAddress, ports } = files.site.media;
    const process = this.#plane('relay', RELAY, {
      config: () => ({
        socket,
        cellAddress,
        carrierAddress,
        ports,
        prompts: programData('prompts'),
        exitWhenOrphaned: true,
      }),
      onReady: async () => {
        await media.attach(socket);
        onBack('media');
      },
    });
    // The room itself tells the calls when its socket closes; that is sooner than the exit.
    media.onLost((why) => process.kill(why));
    await process.start();
  }

  /** The daemon is not ours to start: it is waited for, and when it was lost, reached again as soon as it answers. */
  async #reachRtpengine(media: RtpenginePlane): Promise<void> {
    const { files, clock, log, onBack, alarm } = this.#options;
    const { rtpengine } = files.site.media;
    if (rtpengine === undefined) throw new Error('site.json names no rtpengine');
    const reach = async (): Promise<void> => {
      await media.attach(rtpengine.address, rtpengine.port);
      onBack('media');
    };
    const again = (): void => {
      reach().catch((error: unknown) => {
        log.warn({ event: 'media.rtpengine-away', why: error instanceof Error ? error.message : String(error) });
        if (!this.#stopping) clock.after(REACH_AGAIN_MS, again);
      });
    };
    media.onLost(again);
    // A site whose daemon is away is up all the same, and refuses every call until it is there.
    await reach().catch((error: unknown) => {
      alarm('media.rtpengine-away', error instanceof Error ? error.message : String(error));
      clock.after(REACH_AGAIN_MS, again);
    });
  }

  async #startEngine(): Promise<void> {
    const { files, runFolder, signalling, onBack } = this.#options;
    const { sip } = files.site;
    if (sip.engine === 'drachtio' && sip.drachtio !== undefined) {
      const { host, port, secret } = sip.drachtio;
      await signalling.attach({ client: { host, port, secret }, cell: sip.cell });
      return;
    }
    const socket = join(runFolder, 'engine.sock');
    const control = { socket, secret: this.#secrets.control };
    const process = this.#plane('engine', ENGINE, {
      config: () => ({
        listeners: [this.#listener('cell'), this.#listener('carrier'), ...this.#tlsListeners()],
        client: { address: LOOPBACK, port: 0, secret: this.#secrets.client },
        control,
        ...engineLimits(sip.limits),
        guard: true,
        exitWhenOrphaned: true,
      }),
      onReady: async (facts) => {
        const engine = facts as unknown as EngineFacts;
        this.#engine = engine;
        await signalling.attach({
          client: { host: engine.client.address, port: engine.client.port, secret: this.#secrets.client },
          control,
          cell: { address: sip.cell.address, port: this.listenerPort('cell') },
        });
        onBack('signalling');
      },
    });
    signalling.onLost((why) => process.kill(why));
    await process.start();
  }

  /** A respawned engine takes the ports that its predecessor had: handsets and trunks know no others. */
  #listener(name: 'cell' | 'carrier') {
    const { address, port } = this.#options.files.site.sip[name];
    return { name, address, port: this.#engine ? this.listenerPort(name) : port, transports: ['udp', 'tcp'] };
  }

  /** For trunks that are reached by TLS: a listener to itself, whose certificate is ours. */
  #tlsListeners() {
    const { folder, site } = this.#options.files;
    if (site.sip.carrierTls === undefined) return [];
    const { address, port, cert, key, ca } = site.sip.carrierTls;
    const tls = {
      ...{ cert: resolve(folder, cert), key: resolve(folder, key) },
      ...(ca === undefined ? {} : { ca: resolve(folder, ca) }),
    };
    return [
      {
        name: 'carrier-tls',
        address,
        port: this.#engine ? this.listenerPort('carrier-tls') : port,
        transports: ['tls'],
        tls,
      },
    ];
  }

  async #startAgent(plan: AgentPlan): Promise<void> {
    const { files, bus, onBack } = this.#options;
    const { address, tls, agents } = files.site.bus;
    const where = { address: isAnywhere(address) ? LOOPBACK : address, port: this.#busPort };
    const { agent: name, handsets, hasKeypads, program } = plan;
    const foreign = agents.find((agent) => agent.name === name);
    if (foreign !== undefined) {
      // Somebody else starts it, and gave it its secret: the bus knows it by the hash alone.
      bus.addIdentity({ name, secretHash: foreign.secretHash, handsets, hasKeypads });
      return;
    }
    const secret = freshSecret();
    bus.addIdentity({ name, secret, handsets, hasKeypads });
    const ca = tls === undefined ? {} : { ca: resolve(files.folder, tls.ca) };
    // Its death is told to the lines by its last will on the bus.
    const process = this.#plane(
      name,
      { script: join(programs, program), nodeFlags: SMALL_HEAP },
      {
        config: () => (this.#agents.get(name)?.plan ?? plan).config({ ...where, secret, ...ca }),
        onReady: async () => onBack('line'),
      },
    );
    this.#agents.set(name, { plan, secret, process });
    await process.start();
  }

  #plane(
    name: string,
    program: EarlyProgram,
    how: {
      config: () => unknown;
      onReady: (facts: PlaneFacts) => Promise<void>;
    },
  ): PlaneProcess {
    const { runFolder, clock, log, alarm, early } = this.#options;
    const process = new PlaneProcess({
      name,
      ...program,
      early: early?.take(program.script),
      pidFile: join(runFolder, `${name}.pid`),
      clock,
      log,
      ...how,
      onLost: () => undefined,
      onCrashLoop: (deaths) => alarm('plane.crash-loop', `${name} died ${deaths} times in a row`),
    });
    this.#processes.push(process);
    return process;
  }
}
