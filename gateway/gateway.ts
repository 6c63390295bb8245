/**
 * The composition root: builds the rooms of one site, joins them, and starts and stops them in order.
 * Whatever is not up refuses calls; nothing here can allow one.
 */
import type { Logger } from 'pino';
import { believesInvites } from './bench-profile.js';
import type { Bus } from './bus/bus.js';
import { Calls } from './calls/calls.js';
import type { CallSink } from './calls/ports.js';
import type { Clock } from './clock/clock.js';
import { readBootId, systemClock } from './clock/system-clock.js';
import { ClockWatch } from './clock/trust.js';
import type { SiteFiles } from './config/site.js';
import type { RunningConsole } from './console/console.js';
import { OwnList } from './do-not-call/own-list.js';
import { GatewayMetrics } from './gateway-metrics.js';
import { fittingsOf } from './lines/agent-plan.js';
import { Lines } from './lines/lines.js';
import { RelayPlane } from './media/relay-plane.js';
import { SdpSession } from './media/sdp-session.js';
import { PlaneProcesses } from './plane-processes.js';
import { holidayRules } from './policy/holiday-rules.js';
import { type CallId, callId } from './policy/ids.js';
import type { Schedule } from './schedule/schedule.js';
import type { GatewayHealth } from './service.js';
import { Signalling } from './signalling/signalling.js';
import { accountsOf, trunksOf } from './site-accounts.js';
import { siteAudioTests } from './site-audio-tests.js';
import { makeBus, readVersion } from './site-bus.js';
import { allOf, SiteDesk, uplinkView } from './site-desk.js';
import { SiteHandsets } from './site-handsets.js';
import { keyedRequest, keypadObserver, keysAtDesk } from './site-keypads.js';
import { SiteListening } from './site-listening.js';
import { SiteMedia, type SitePlane } from './site-media.js';
import { SitePolicy } from './site-policy.js';
import { LiveSite } from './site-reload.js';
import { siteSchedule } from './site-schedule.js';
import { tokenKeyOf } from './site-token-key.js';
import { siteUplink } from './site-uplink.js';
import { SiteWork, workTold } from './site-work.js';
import { openStore } from './store/open.js';
import type { Store } from './store/store.js';
import { uuid7 } from './store/uuid7.js';
import type { EarlyPlanes } from './supervisor/early-planes.js';
import { takeRunFolder } from './supervisor/run-folder.js';
import type { Checkpoints } from './uplink/checkpoints.js';
import { numberTokens } from './uplink/number-token.js';
import type { Uplink } from './uplink/uplink.js';

const STOP_CALLS_MS = 5_000;

/** One site, running. */
export class Gateway {
  readonly #live: LiveSite;
  readonly #files: SiteFiles;
  readonly #log: Logger;
  readonly #early: EarlyPlanes | undefined;
  readonly #clock: Clock;
  readonly #watch: ClockWatch;
  readonly #bootId = readBootId();
  #believesInvites = false;
  #policy: SitePolicy | undefined;
  #schedule: Schedule | undefined;
  #doNotCall: OwnList | undefined;
  #store: Store | undefined;
  #bus: Bus | undefined;
  #media: SitePlane | undefined;
  #signalling: Signalling | undefined;
  #lines: Lines | undefined;
  #calls: Calls | undefined;
  #uplink: Uplink | undefined;
  #checkpoints: Checkpoints | undefined;
  #processes: PlaneProcesses | undefined;
  #console: RunningConsole | undefined;
  #desk: SiteDesk | undefined;
  readonly #siteMedia: SiteMedia;
  #listening: SiteListening | undefined;
  #tests: ReturnType<typeof siteAudioTests>;
  #work: SiteWork | undefined;
  #metrics: GatewayMetrics | undefined;
  #handsets: SiteHandsets | undefined;
  #releaseRunFolder: () => void = () => undefined;
  #stopped: Promise<void> | undefined;

  /** @param early planes' processes that were started ahead, where there are any. */
  constructor(files: SiteFiles, log: Logger, early?: EarlyPlanes) {
    this.#early = early;
    this.#live = new LiveSite(files);
    this.#files = this.#live.files;
    this.#siteMedia = new SiteMedia(this.#files, (person) => this.#store?.work.person(person)?.languages[0]);
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
    const { site, dataFolder } = this.#files;
    const gatewayId = `${site.site}/${site.gateway}`;
    this.#believesInvites = believesInvites(process.env, site.sip);
    const run = takeRunFolder(dataFolder, this.#files.runFolder);
    this.#releaseRunFolder = run.release;
    this.#store = openStore({ ...this.#common, folder: dataFolder, gatewayId });
    await this.#watch.start();
    if (this.#believesInvites) this.#alarm('bench.no-challenge', 'handsets are not challenged: for measurements alone');

    const alarm = (code: string, why: string) => this.#alarm(code, why);
    const numberToken = numberTokens(tokenKeyOf(this.#files));
    const doNotCall = new OwnList({ store: this.#store, clock: this.#clock, numberToken, onFault: alarm });
    this.#doNotCall = doNotCall;
    const policy = new SitePolicy(this.#files, alarm, this.#store, doNotCall);
    this.#policy = policy;
    await policy.load(this.#clock.wall());
    policy.watch(
      this.#clock,
      () => {
        this.#log.info({ event: 'policy.changed', version: policy.bundle?.version });
        this.#work?.policyChanged();
        this.#calls?.policyChanged();
      },
      (text, answer) => this.#uplink?.answerPolicy(text, answer),
    );
    this.#schedule = siteSchedule({
      ...{ ...this.#common, policy, store: this.#store, alarm, uplink: () => this.#uplink },
      ...{ judgeAgain: () => this.#calls?.policyChanged(), checkpoints: () => this.#checkpoints },
    });
    const joined = siteUplink({
      ...{ ...this.#common, gatewayId, store: this.#store, numberToken, policy, doNotCall },
      ...{ calls: () => this.#calls, listening: () => this.#listening, work: () => this.#work },
    });
    this.#uplink = joined?.uplink;
    this.#checkpoints = joined?.checkpoints;
    this.#store.onAppended(() => this.#uplink?.wake());
    const bus = makeBus({ ...this.#common, alarm });
    this.#bus = bus;
    this.#makePlanes(bus, policy);
    await this.#makeListening();
    this.#makeCalls(policy, numberToken, doNotCall);
    this.#makeHandsets(policy);

    const { port: busPort } = await bus.start();
    this.#lines?.start();
    this.#processes = new PlaneProcesses({
      ...{ ...this.#common, ...this.#parts(), runFolder: run.path, bus },
      onBack: (plane) => this.#calls?.planeBack(plane),
      alarm: (code, message) => this.#alarm(code, message),
      early: this.#early,
    });
    await this.#processes.start(busPort);
    // Handsets register from here on. What only calls and the console need is loaded after this, and not before.
    holidayRules();
    await this.#calls?.recover();
    this.#work?.start();
    this.#uplink?.start();
    void this.#checkpoints?.look();
    await this.#openConsole(run.path, bus);
    await this.#handsets?.start();
    this.#schedule?.start();
    const ports = {
      cell: this.#processes.listenerPort('cell'),
      carrier: this.#processes.listenerPort('carrier'),
      bus: busPort,
      console: this.#console?.port,
      provisioning: this.#handsets?.port,
    };
    this.#log.info({ event: 'gateway.ready', site: site.site, gateway: site.gateway, ports }, 'ready');
  }

  /** Looks at the site's files anew and takes changed handsets, while calls run. Never rejects. */
  readonly reload = async (): Promise<void> => this.#handsets?.reload();

  /** Its planes as they are now, for whoever watches the gateway from outside. */
  health(): GatewayHealth {
    const { size: calls = 0 } = this.#calls ?? {};
    return { planes: this.#processes?.states() ?? [], isBusUp: this.#bus?.isUp ?? false, calls };
  }

  /** Ends every call, then every part, in order. Safe at any time and more than once. */
  stop(why: string): Promise<void> {
    this.#stopped ??= this.#stopOnce(why);
    return this.#stopped;
  }

  async #stopOnce(why: string): Promise<void> {
    this.#log.info({ event: 'gateway.stopping', why }, 'stopping');
    this.#work?.stop();
    await this.#calls?.stop(STOP_CALLS_MS);
    await this.#console?.close();
    await this.#handsets?.close();
    this.#lines?.stop();
    await this.#signalling?.leave();
    await this.#listening?.stop();
    this.#media?.detach();
    await this.#processes?.stop();
    await this.#uplink?.stop();
    await this.#bus?.stop();
    this.#watch.stop();
    this.#schedule?.stop();
    this.#doNotCall?.close();
    this.#policy?.close();
    this.#store?.close();
    this.#releaseRunFolder();
    this.#log.info({ event: 'gateway.stopped' }, 'stopped');
  }

  #makePlanes(bus: Bus, policy: SitePolicy): void {
    const { site, boards, handsets } = this.#files;
    const { clock, log } = this.#common;
    this.#media = this.#siteMedia.driver({
      clock,
      log,
      onAlarm: (code, detail, handset) => this.#alarm(code, detail, handset),
      onArmed: (call, order) => this.#listening?.armed(call, order),
      onClosed: (call) => this.#listening?.closed(call),
      onKey: (call, key) => void this.#work?.key(call, key),
    });
    this.#signalling = new Signalling({
      clock,
      log,
      realm: site.sip.realm,
      accounts: accountsOf(this.#files),
      trunks: trunksOf(this.#files),
      newCallId: () => this.#newCallId(),
      held: (call, leg, direction) => this.#media?.hold(call, leg, direction),
      keyed: (call, key) => this.#work?.key(call, key) === true || this.#media?.keyed(call, key),
      openSession: (...agreed) => new SdpSession(...agreed),
      violation: ({ code, detail, handset, address }) => this.#alarm(code, detail, handset, undefined, address),
      registered: (registration) => this.#handsets?.registered(registration),
      challengeInvites: !this.#believesInvites,
    });
    const fittings = fittingsOf(boards, handsets);
    this.#lines = new Lines({
      clock,
      bootId: this.#bootId,
      bus,
      sink: this.#sink,
      ...fittings,
      mayCall: (handset) =>
        this.#clock.trust().trusted &&
        (policy.mayCall(handset, this.#clock.wall()) || this.#work?.isOwed(handset) === true),
      onAlarm: (alarm) => this.#alarm(alarm.code, alarm.detail, alarm.handset, alarm.board),
      onStatus: (board, status, detail) => {
        this.#uplink?.line(board, status, detail);
        this.#desk?.board(board, status, detail);
      },
      onHook: (handset, hook) => {
        this.#uplink?.hook(handset, hook);
        this.#desk?.watch.changed();
      },
      ...keysAtDesk(() => this.#work),
      onKeyed: (handset, dialled) => this.#sink.request(keyedRequest(this.#newCallId(), handset, dialled, clock)),
      onPanic: (target, board) => {
        const order = { id: this.#newCallId(), target, by: 'panic-input', hold: 'until-released' } as const;
        void this.#calls?.cutoff({ ...order, reason: `panic button on board ${board}` });
      },
    });
  }

  #makeHandsets(policy: SitePolicy): void {
    this.#handsets = new SiteHandsets({
      ...this.#parts(),
      ...{ ...this.#common, live: this.#live, policy, speech: this.#siteMedia },
      calls: () => this.#calls,
      work: () => this.#work,
      uplink: () => this.#uplink,
      processes: () => this.#processes,
      sipPort: () => this.#processes?.listenerPort('cell'),
      alarm: (...said) => this.#alarm(...said),
    });
  }

  async #makeListening(): Promise<void> {
    const media = this.#media;
    if (!(media instanceof RelayPlane)) return;
    this.#listening = new SiteListening({
      files: this.#files,
      clock: this.#clock,
      tap: (...order) => media.tap(...order),
      isSupervised: (handset) => this.#siteMedia.isSupervised(handset),
      cut: (order) => this.#calls?.cutoff(order),
      append: (event) => this.#store?.calls.append([event]),
      onAlarm: (code, detail) => this.#alarm(code, detail),
    });
    await this.#listening.start();
  }

  /** What the planes report to: the calls, as soon as there are any. */
  readonly #sink: CallSink = {
    request: (request) => this.#calls?.request(this.#work?.marked(request) ?? request),
    event: (call, event) => this.#calls?.event(call, event),
    planeLost: (plane, why) => this.#calls?.planeLost(plane, why),
  };

  #makeCalls(policy: SitePolicy, numberToken: ReturnType<typeof numberTokens>, doNotCall: OwnList): void {
    const { signalling, media, lines, store } = this.#parts();
    const common = { ...this.#common, media, signalling };
    const tests = siteAudioTests({ ...common, store, watch: () => this.#desk?.watch });
    this.#tests = tests;
    media.setSink(this.#sink);
    signalling.setSink(this.#sink);
    const desk = new SiteDesk({
      ...{ ...common, policy, store },
      audioTest: (handset) => tests?.report(handset),
      line: (handset) => lines.facts(handset),
      isRegistered: (handset) => signalling.registrar.isRegistered(handset),
      planes: () => this.#processes?.states() ?? [],
      lockdowns: () => this.#calls?.lockdownsInForce() ?? [],
      uplink: () => uplinkView(this.#files, this.#uplink, store),
    });
    this.#desk = desk;
    const work = SiteWork.of({
      ...{ ...common, ...this.#parts(), policy, numberToken },
      ...{ doNotCall, calls: () => this.#calls, newCallId: () => this.#newCallId() },
      told: workTold({ lines, uplink: this.#uplink, watch: desk.watch, metrics: () => this.#metrics }),
      alarm: (...said) => this.#alarm(...said),
    });
    this.#work = work;
    const metrics = new GatewayMetrics({
      calls: () => this.#calls?.size ?? 0,
      outboxDepth: () => store.outbox.depth(),
      lastSequence: () => store.outbox.last(),
      room: () => store.roomLeft(),
      isConnected: () => this.#uplink?.connected ?? false,
      isClockTrusted: () => this.#clock.trust().trusted,
      sip: signalling,
    });
    this.#metrics = metrics;
    const observers = [
      ...desk.observers,
      metrics.observer,
      keypadObserver(lines, (handset) => work?.has(handset) === true),
      ...(work === undefined ? [] : [work.observer]),
      ...(this.#uplink === undefined ? [] : [this.#uplink.observer]),
    ];
    this.#calls = new Calls({
      ...common,
      ...(tests && { tests }),
      judge: work?.judge(desk.judge) ?? desk.judge,
      ...(work === undefined ? {} : { contacts: work.numbers }),
      store: store.calls,
      line: lines,
      announcement: (request, refusal, at) => this.#siteMedia.announcement(request, refusal, at),
      numberToken,
      observer: allOf(observers),
    });
  }

  async #openConsole(runFolder: string, bus: Bus): Promise<void> {
    const calls = this.#calls;
    const metrics = this.#metrics;
    const handsets = this.#handsets;
    if (calls === undefined || metrics === undefined || handsets === undefined) return;
    this.#console = await this.#desk?.open({
      ...{ ...this.#parts(), runFolder, bus, calls, metrics, handsets, log: this.#log },
      ...{ tests: this.#tests, listening: this.#listening },
      version: readVersion(),
      newCallId: () => this.#newCallId(),
      alarm: (code, message) => this.#alarm(code, message),
    });
  }

  #alarm(code: string, message: string, handset?: string, board?: string, address?: string): void {
    this.#log.warn({ event: 'alarm', code, message, handset, board });
    const about = { ...(handset !== undefined && { handset }), ...(board !== undefined && { board }) };
    this.#desk?.watch.alarm(code, message, { ...about, ...(address !== undefined && { address }) });
    const data = { why: code, message, ...about };
    try {
      this.#store?.calls.append([{ kind: 'alarm', type: `balise.alarm.${code}`, data }]);
    } catch (error) {
      this.#log.error({ event: 'alarm.not-stored', code, err: error });
    }
  }

  get #common() {
    return { files: this.#files, clock: this.#clock, bootId: this.#bootId, log: this.#log };
  }

  #newCallId(): CallId {
    return callId(uuid7(this.#clock.wall().epochMilliseconds));
  }

  #parts(): { signalling: Signalling; media: SitePlane; lines: Lines; store: Store } {
    const signalling = this.#signalling;
    const media = this.#media;
    const lines = this.#lines;
    const store = this.#store;
    if (!signalling || !media || !lines || !store) throw new Error('the planes are made first');
    return { signalling, media, lines, store };
  }
}
