/**
 * The composition root: builds the rooms of one site, joins them, and starts and stops them in order.
 * Whatever is not up refuses calls; nothing here can allow one.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { Bus } from './bus/bus.js';
import { Calls } from './calls/calls.js';
import type { CallSink, CutoffResult } from './calls/ports.js';
import type { Clock } from './clock/clock.js';
import { readBootId, systemClock } from './clock/system-clock.js';
import { ClockWatch } from './clock/trust.js';
import { projectRoot } from './config/paths.js';
import type { SiteFiles } from './config/site.js';
import { type RunningConsole, startConsole } from './console/console.js';
import { fittingsOf, MODBUS_LINE, planAgents } from './lines/agent-plan.js';
import { Lines } from './lines/lines.js';
import { RelayPlane } from './media/relay-plane.js';
import { type CallId, callId, handsetId } from './policy/ids.js';
import { Signalling } from './signalling/signalling.js';
import { accountsOf, trunksOf } from './site-accounts.js';
import { SitePolicy } from './site-policy.js';
import { SiteWatch } from './site-watch.js';
import { openStore } from './store/open.js';
import type { Store } from './store/store.js';
import { uuid7 } from './store/uuid7.js';
import { SMALL_HEAP, STEADY_HEAP } from './supervisor/node-flags.js';
import { type PlaneFacts, PlaneProcess } from './supervisor/plane-process.js';
import { takeRunFolder } from './supervisor/run-folder.js';
import type { CommandResult, HouseCommand } from './uplink/command-desk.js';
import { cutoffOrders, lockdownTarget } from './uplink/cutoff-order.js';
import { numberTokens } from './uplink/number-token.js';
import { Uplink } from './uplink/uplink.js';

/** The compiled programs stand beside this file. */
const programs = dirname(dirname(fileURLToPath(import.meta.url)));
const STOP_CALLS_MS = 5_000;
const LOOPBACK = '127.0.0.1';

interface EngineFacts {
  readonly client: { readonly address: string; readonly port: number };
  readonly listeners: readonly { readonly name: string; readonly transport: string; readonly port: number }[];
}

/** One site, running. */
export class Gateway {
  readonly #files: SiteFiles;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #watch: ClockWatch;
  readonly #bootId = readBootId();
  readonly #processes: PlaneProcess[] = [];
  readonly #secrets = { client: secret(), control: secret() };
  #store: Store | undefined;
  #bus: Bus | undefined;
  #media: RelayPlane | undefined;
  #signalling: Signalling | undefined;
  #lines: Lines | undefined;
  #calls: Calls | undefined;
  #uplink: Uplink | undefined;
  #console: RunningConsole | undefined;
  #siteWatch: SiteWatch | undefined;
  #releaseRunFolder: () => void = () => undefined;
  #engine: EngineFacts | undefined;
  #stopped: Promise<void> | undefined;

  constructor(files: SiteFiles, log: Logger) {
    this.#files = files;
    this.#log = log;
    this.#watch = new ClockWatch({
      mode: files.site.clock.trust,
      newestOnDisk: () => this.#store?.calls.newestInstant(),
      onChange: (trust) => {
        log.warn({ event: 'clock.trust', ...trust });
        if (!trust.trusted) this.#alarm('clock.untrusted', trust.why);
        this.#uplink?.reportStatus();
      },
    });
    this.#clock = systemClock(this.#watch.trust);
  }

  /** Starts everything. Rejects when a part cannot start; whatever had started is stopped by `stop`. */
  async start(): Promise<void> {
    const { site, dataFolder, uplink } = this.#files;
    const gatewayId = `${site.site}/${site.gateway}`;
    const run = takeRunFolder(dataFolder, this.#files.runFolder);
    this.#releaseRunFolder = run.release;
    this.#store = openStore({
      folder: dataFolder,
      clock: this.#clock,
      gatewayId,
      bootId: this.#bootId,
      log: this.#log,
    });
    await this.#watch.start();

    const policy = new SitePolicy(this.#files);
    const numberToken = numberTokens(uplink?.tokenKey ?? randomBytes(32).toString('base64'));
    if (uplink !== undefined) this.#uplink = this.#makeUplink(gatewayId, numberToken);
    this.#store.onAppended(() => this.#uplink?.wake());
    const bus = new Bus({
      ...site.bus,
      onRefused: (refusal) => this.#alarm(`bus.${refusal.kind}`, `${refusal.name}: ${refusal.detail}`),
    });
    this.#bus = bus;
    this.#makePlanes(bus, policy);
    this.#makeCalls(policy, numberToken);

    const { port: busPort } = await bus.start();
    this.#lines?.start();
    await Promise.all([
      this.#startRelay(run.path),
      this.#startEngine(run.path),
      ...this.#startAgents(run.path, bus, busPort),
    ]);
    await this.#calls?.recover();
    this.#uplink?.start();
    await this.#openConsole();
    const ports = {
      cell: this.#listenerPort('cell'),
      carrier: this.#listenerPort('carrier'),
      bus: busPort,
      console: this.#console?.port,
    };
    this.#log.info({ event: 'gateway.ready', site: site.site, gateway: site.gateway, ports }, 'ready');
  }

  /** Ends every call, then every part, in order. Safe at any time and more than once. */
  stop(why: string): Promise<void> {
    this.#stopped ??= this.#stopOnce(why);
    return this.#stopped;
  }

  async #stopOnce(why: string): Promise<void> {
    this.#log.info({ event: 'gateway.stopping', why }, 'stopping');
    await this.#calls?.stop(STOP_CALLS_MS);
    await this.#console?.close();
    this.#lines?.stop();
    this.#signalling?.detach();
    this.#media?.detach();
    await Promise.all(this.#processes.map((process) => process.stop()));
    await this.#uplink?.stop();
    await this.#bus?.stop();
    this.#watch.stop();
    this.#store?.close();
    this.#releaseRunFolder();
    this.#log.info({ event: 'gateway.stopped' }, 'stopped');
  }

  #makePlanes(bus: Bus, policy: SitePolicy): void {
    const { site, wings, trunks, boards, handsets } = this.#files;
    const clock = this.#clock;
    const log = this.#log;
    this.#media = new RelayPlane({
      clock,
      log,
      networks: { cell: wings.flatMap(({ network }) => network), carrier: trunks.flatMap(({ networks }) => networks) },
    });
    this.#signalling = new Signalling({
      clock,
      log,
      realm: site.sip.realm,
      accounts: accountsOf(this.#files),
      trunks: trunksOf(this.#files),
      newCallId: () => this.#newCallId(),
      violation: ({ code, detail, handset }) => this.#alarm(code, detail, handset),
      challengeInvites: process.env.BALISE_BENCH_NO_CHALLENGE !== '1',
    });
    const fittings = fittingsOf(boards, handsets);
    this.#lines = new Lines({
      clock,
      bootId: this.#bootId,
      bus,
      sink: this.#sink,
      ...fittings,
      mayCall: (handset) => this.#clock.trust().trusted && policy.mayCall(handset, this.#clock.wall()),
      onAlarm: (alarm) => this.#alarm(alarm.code, alarm.detail, alarm.handset, alarm.board),
      onStatus: (board, status, detail) => this.#uplink?.line(board, status, detail),
      onHook: (handset, hook) => this.#uplink?.hook(handset, hook),
    });
  }

  /** What the planes report to: the calls, as soon as there are any. */
  readonly #sink: CallSink = {
    request: (request) => this.#calls?.request(request),
    event: (call, event) => this.#calls?.event(call, event),
    planeLost: (plane, why) => this.#calls?.planeLost(plane, why),
  };

  #makeCalls(policy: SitePolicy, numberToken: ReturnType<typeof numberTokens>): void {
    const { signalling, media, lines, store } = this.#parts();
    media.setSink(this.#sink);
    signalling.setSink(this.#sink);
    const watch = new SiteWatch(this.#files, this.#clock, {
      line: (handset) => lines.facts(handset),
      isRegistered: (handset) => signalling.registrar.isRegistered(handset),
      planes: () =>
        this.#processes.map(({ name, pid }) => ({ name, state: pid === undefined ? 'down' : 'up', detail: '' })),
    });
    this.#siteWatch = watch;
    const observers = [watch.observer, ...(this.#uplink === undefined ? [] : [this.#uplink.observer])];
    this.#calls = new Calls({
      clock: this.#clock,
      bootId: this.#bootId,
      judge: policy,
      store: store.calls,
      signalling,
      media,
      line: lines,
      numberToken,
      log: this.#log,
      observer: {
        handset: (...said) => {
          for (const one of observers) one.handset(...said);
        },
        ended: (record) => {
          for (const one of observers) one.ended(record);
        },
        cutoff: (...said) => {
          for (const one of observers) one.cutoff(...said);
        },
      },
    });
  }

  #makeUplink(gatewayId: string, numberToken: ReturnType<typeof numberTokens>): Uplink | undefined {
    const { uplink } = this.#files;
    const store = this.#store;
    if (uplink === undefined || store === undefined) return undefined;
    return new Uplink({
      config: uplink,
      gatewayId,
      version: readVersion(),
      bootId: this.#bootId,
      clock: this.#clock,
      store: store.outbox,
      status: () => ({ clock: this.#clock.trust(), disk: store.roomLeft(), calls: this.#calls?.size ?? 0 }),
      onCommand: (command) => this.#command(command, numberToken),
      log: this.#log,
    });
  }

  async #command(command: HouseCommand, numberToken: ReturnType<typeof numberTokens>): Promise<CommandResult> {
    const calls = this.#calls;
    if (calls === undefined) return { outcome: 'failed', why: 'starting' };
    if (command.type === 'release') {
      calls.release(lockdownTarget(command.target), command.by);
      return { outcome: 'done' };
    }
    const live = calls.live().flatMap(({ call, number }) => (number === undefined ? [] : [{ call, number }]));
    const results = await Promise.all(cutoffOrders(command, live, numberToken).map((order) => calls.cutoff(order)));
    return { outcome: 'done', result: { ...joinedResult(command.id, results) } };
  }

  async #startRelay(runFolder: string): Promise<void> {
    const { site } = this.#files;
    const { media } = this.#parts();
    const socket = join(runFolder, 'relay.sock');
    const { cellAddress, carrierAddress, ports } = site.media;
    const process = this.#plane('relay', runFolder, join('gateway', 'media', 'relay', 'main.js'), {
      config: () => ({ socket, cellAddress, carrierAddress, ports, exitWhenOrphaned: true }),
      nodeFlags: STEADY_HEAP,
      onReady: async () => {
        await media.attach(socket);
        this.#calls?.planeBack('media');
      },
      // The plane itself tells the calls when its socket closes; that is sooner than the exit.
      onLost: () => undefined,
    });
    media.onLost((why) => process.kill(why));
    await process.start();
  }

  async #startEngine(runFolder: string): Promise<void> {
    const { sip } = this.#files.site;
    const { signalling } = this.#parts();
    if (sip.engine === 'drachtio' && sip.drachtio !== undefined) {
      const { host, port, secret: clientSecret } = sip.drachtio;
      await signalling.attach({ client: { host, port, secret: clientSecret }, cellPort: sip.cell.port });
      return;
    }
    const socket = join(runFolder, 'engine.sock');
    const transports = ['udp', 'tcp'];
    const process = this.#plane('engine', runFolder, join('gateway', 'sip-engine', 'main.js'), {
      config: () => ({
        listeners: [
          // A respawned engine takes the ports that its predecessor had: handsets and trunks know no others.
          {
            name: 'cell',
            address: sip.cell.address,
            port: this.#engine ? this.#listenerPort('cell') : sip.cell.port,
            transports,
          },
          {
            name: 'carrier',
            address: sip.carrier.address,
            port: this.#engine ? this.#listenerPort('carrier') : sip.carrier.port,
            transports,
          },
        ],
        client: { address: LOOPBACK, port: 0, secret: this.#secrets.client },
        control: { socket, secret: this.#secrets.control },
        guard: true,
        exitWhenOrphaned: true,
      }),
      onReady: async (facts) => {
        const engine = facts as unknown as EngineFacts;
        this.#engine = engine;
        await signalling.attach({
          client: { host: engine.client.address, port: engine.client.port, secret: this.#secrets.client },
          control: { socket, secret: this.#secrets.control },
          cellPort: this.#listenerPort('cell'),
        });
        this.#calls?.planeBack('signalling');
      },
      onLost: () => undefined,
    });
    signalling.onLost((why) => process.kill(why));
    await process.start();
  }

  #startAgents(runFolder: string, bus: Bus, port: number): readonly Promise<void>[] {
    const { boards, handsets } = this.#files;
    return planAgents(boards, handsets).map((plan) => {
      const agentSecret = secret();
      bus.addIdentity({ name: plan.agent, secret: agentSecret, handsets: plan.handsets });
      const process = this.#plane(plan.agent, runFolder, MODBUS_LINE, {
        config: () => plan.config({ address: LOOPBACK, port, secret: agentSecret }),
        nodeFlags: SMALL_HEAP,
        onReady: async () => this.#calls?.planeBack('line'),
        // The bus tells the lines by the agent's last will.
        onLost: () => undefined,
      });
      return process.start();
    });
  }

  #plane(
    name: string,
    runFolder: string,
    program: string,
    how: {
      config: () => unknown;
      nodeFlags?: readonly string[];
      onReady: (facts: PlaneFacts) => Promise<void>;
      onLost: (why: string) => void;
    },
  ): PlaneProcess {
    const process = new PlaneProcess({
      name,
      script: join(programs, program),
      pidFile: join(runFolder, `${name}.pid`),
      clock: this.#clock,
      log: this.#log,
      ...(how.nodeFlags === undefined ? {} : { nodeFlags: how.nodeFlags }),
      config: how.config,
      onReady: how.onReady,
      onLost: how.onLost,
      onCrashLoop: (deaths) => this.#alarm('plane.crash-loop', `${name} died ${deaths} times in a row`),
    });
    this.#processes.push(process);
    return process;
  }

  async #openConsole(): Promise<void> {
    const { site, dataFolder } = this.#files;
    const watch = this.#siteWatch;
    if (watch === undefined) return;
    const token = secret();
    writeFileSync(join(dataFolder, 'console.token'), `${token}\n`, { mode: 0o600 });
    this.#console = await startConsole({
      ...site.console,
      token,
      pageFile: join(projectRoot(), 'gateway', 'console', 'web', 'index.html'),
      source: {
        view: () => watch.view(),
        cut: async (handset, reason, hold) => {
          const target =
            handset === undefined
              ? { kind: 'site' as const }
              : { kind: 'handset' as const, handset: handsetId(handset) };
          const result = await this.#calls?.cutoff({ id: this.#newCallId(), target, reason, by: 'console', hold });
          return { calls: result?.calls ?? 0, silentMs: result?.silentMs ?? 0, complete: result?.complete ?? false };
        },
      },
    });
  }

  #alarm(code: string, message: string, handset?: string, board?: string): void {
    this.#log.warn({ event: 'alarm', code, message, handset, board });
    this.#siteWatch?.alarm(code, message);
    const data = {
      why: code,
      message,
      ...(handset !== undefined && { handset }),
      ...(board !== undefined && { board }),
    };
    try {
      this.#store?.calls.append([{ kind: 'alarm', type: `balise.alarm.${code}`, data }]);
    } catch (error) {
      this.#log.error({ event: 'alarm.not-stored', code, err: error });
    }
  }

  #newCallId(): CallId {
    return callId(uuid7(this.#clock.wall().epochMilliseconds));
  }

  #listenerPort(name: string): number {
    return this.#engine?.listeners.find((listener) => listener.name === name)?.port ?? 0;
  }

  #parts(): { signalling: Signalling; media: RelayPlane; lines: Lines; store: Store } {
    const signalling = this.#signalling;
    const media = this.#media;
    const lines = this.#lines;
    const store = this.#store;
    if (!signalling || !media || !lines || !store) throw new Error('the planes are made first');
    return { signalling, media, lines, store };
  }
}

const secret = (): string => randomBytes(24).toString('base64url');

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as { version: string };
  return version;
}

/** Several orders of one command as one result: the slowest of each measured time. */
function joinedResult(id: string, results: readonly CutoffResult[]): CutoffResult {
  const worst = (of: (result: CutoffResult) => number) => Math.max(0, ...results.map(of));
  return {
    id,
    calls: results.reduce((sum, { calls }) => sum + calls, 0),
    silentMs: worst(({ silentMs }) => silentMs),
    byesSentMs: worst(({ byesSentMs }) => byesSentMs),
    relaysOpenMs: worst(({ relaysOpenMs }) => relaysOpenMs),
    complete: results.every(({ complete }) => complete),
  };
}
