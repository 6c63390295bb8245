import type Srf from 'drachtio-srf';
import type { Logger } from 'pino';
import type { CallEvent, CallSink, DialOrder, SignallingPlane } from '../calls/ports.js';
import type { EndCause, LegDialog, LegName } from '../calls/record.js';
import type { Clock } from '../clock/clock.js';
import type { Deadline } from '../clock/deadline.js';
import type { CallId, HandsetId } from '../policy/ids.js';
import type { EngineStatus } from '../sip-engine/control/client.js';
import type { HandsetAccount, TrunkAccount, Violation } from './account.js';
import { CallDeadlines } from './call-deadlines.js';
import { CalledHandset } from './called-handset.js';
import { Door, isIn } from './door.js';
import { EngineConnection, type EnginePlace } from './engine-connection.js';
import { HandsetLeg } from './handset-leg.js';
import { JoinedHandset } from './joined-handset.js';
import { endLate } from './late-endings.js';
import { Reception } from './reception.js';
import { type Registered, Registrar } from './registrar.js';
import type { Direction, OpenSession } from './session.js';
import { type TrunkState, Trunks } from './trunks.js';
import { type CallParts, TwoLegs } from './two-legs.js';
import { Violations } from './violations.js';

export interface SignallingOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly realm: string;
  readonly accounts: readonly HandsetAccount[];
  readonly trunks: readonly TrunkAccount[];
  readonly newCallId: () => CallId;
  /** Who reads and writes SDP. */
  readonly openSession: OpenSession;
  readonly violation: (violation: Violation) => void;
  /** A handset has registered, or kept its registration up. */
  readonly registered?: (registration: Registered) => void;
  /** A leg has been put on hold, or taken off it, by a re-INVITE or UPDATE of its own that was granted. */
  readonly held?: (call: CallId, leg: LegName, direction: Direction) => void;
  /** The handset of a call has keyed a digit in an INFO; '' where it cannot be read. No INFO goes to the trunk. */
  readonly keyed?: (call: CallId, key: string) => void;
  /** For measurements alone: INVITEs are believed without a challenge. */
  readonly challengeInvites?: boolean;
}

/** The signalling plane: a drachtio application on the embedded engine, or on a real drachtio server. */
export class Signalling implements SignallingPlane {
  readonly registrar: Registrar;
  readonly #options: SignallingOptions;
  readonly #violations: Violations;
  readonly #door: Door;
  readonly #engine: EngineConnection;
  readonly #deadlines: CallDeadlines;
  readonly #trunks: Trunks;
  readonly #calls = new Map<CallId, TwoLegs>();
  #sink: CallSink | undefined;
  #onLost: (why: string) => void = () => undefined;

  constructor(options: SignallingOptions) {
    const { clock, log } = options;
    this.#options = options;
    this.#violations = new Violations(clock, options.violation);
    this.registrar = new Registrar(clock, this.#violations, options.registered);
    this.#trunks = new Trunks(clock, options.trunks, this.#violations);
    this.#door = new Door(options, this.#violations);
    const reception = new Reception({
      door: this.#door,
      registrar: this.registrar,
      violations: this.#violations,
      isFromCell: (request) => this.#engine.isFromCell(request),
      challengeInvites: options.challengeInvites !== false,
      call: (account, request, response) => this.#begin(account, request, response),
    });
    this.#engine = new EngineConnection(log, {
      routes: (srf) => reception.routes(srf),
      deadline: (dialogId) => this.#deadlines.fired(dialogId),
      fault: (fault, request) => this.#fault(fault, request),
      lost: (why) => this.#lost(why),
    });
    this.#deadlines = new CallDeadlines(clock, this.#engine, this.#tell);
  }

  setSink(sink: CallSink): void {
    this.#sink = sink;
  }

  /** Who is to kill and respawn the engine when it was lost; called after the calls have heard of it. */
  onLost(lost: (why: string) => void): void {
    this.#onLost = lost;
  }

  /** The site's handsets have changed. Calls that are up go on as far as `calls` lets them. */
  setAccounts(accounts: readonly HandsetAccount[]): void {
    this.#door.setAccounts(accounts);
    this.registrar.keep(accounts);
  }

  get liveCount(): number {
    return this.#calls.size;
  }

  /** How often each rule was broken since the start, by its code. */
  get counts(): Readonly<Record<string, number>> {
    return this.#violations.counts();
  }

  /** Joins an engine that has just been started. Rejects when it cannot be reached. */
  async attach(place: EnginePlace): Promise<void> {
    await this.#engine.attach(place);
    const { srf } = this.#engine;
    if (srf !== undefined) this.#trunks.start(srf);
  }

  /** What the engine has counted since its start and holds now; undefined on a real drachtio server, or when it is lost. */
  async engineStatus(): Promise<EngineStatus | undefined> {
    return this.#engine.control?.status();
  }

  /** Whether calls go to each trunk of the site. */
  get trunkStates(): readonly TrunkState[] {
    return this.#trunks.states;
  }

  /** Leaves the carriers that have registered us, within 2 s, and then the engine. */
  async leave(): Promise<void> {
    await this.#trunks.leave();
    this.detach();
  }

  /** Lets go of the engine on purpose: nobody is told. */
  detach(): void {
    this.#trunks.stop();
    this.#violations.rest();
    this.#engine.detach();
  }

  #fault(fault: unknown, request: Srf.SrfRequest): void {
    const { method, source_address: address } = request;
    const why = fault instanceof Error ? fault.message : String(fault);
    this.#options.log.error({ event: 'signalling.fault', method, address, err: fault });
    this.#violations.alarm({
      code: 'sip.fault',
      detail: `a ${method} from ${address} met a fault of ours: ${why}`,
      address,
    });
  }

  #lost(why: string): void {
    this.#trunks.stop();
    this.#calls.clear();
    this.#deadlines.forgetAll();
    this.#sink?.planeLost('signalling', why);
    this.#onLost(why);
  }

  #begin(account: HandsetAccount, request: Srf.SrfRequest, response: Srf.SrfResponse): void {
    const { clock, newCallId } = this.#options;
    const { srf } = this.#engine;
    const { handset } = account;
    // An INVITE that came as the engine went: nobody can carry its answer any more.
    if (srf === undefined) return;
    const call = newCallId();
    this.#hold(call, handset, (owner) => new HandsetLeg(srf, request, response, owner));
    this.#sink?.request({
      call,
      handset,
      dialled: request.uri,
      at: clock.wall(),
      offer: request.body,
      source: request.source_address,
    });
  }

  #hold(call: CallId, handset: HandsetId, handsetSide: CallParts['handsetSide']): void {
    const released = (): void => {
      this.#forget(call);
      this.#tell(call, { type: 'released', plane: 'signalling', legs: ['handset', 'trunk'] });
    };
    const { clock, held, keyed, openSession } = this.#options;
    const legs = new TwoLegs({
      ...{ call, handset, handsetSide, clock, violations: this.#violations, tell: this.#tell, released },
      openSession,
      held: (...change) => held?.(call, ...change),
      keyed: (leg, key) => {
        if (leg === 'handset') keyed?.(call, key);
      },
    });
    this.#calls.set(call, legs);
  }

  callHandset(call: CallId, handset: HandsetId): void {
    const { srf } = this.#engine;
    const account = this.#options.accounts.find((one) => one.handset === handset);
    const place = this.registrar.placeOf(handset);
    if (srf === undefined || account === undefined || place === undefined) {
      this.#tell(call, { type: 'handset-failed', status: 480, why: 'the handset is not registered' });
      return;
    }
    this.#hold(call, handset, (owner) => new CalledHandset(srf, place, (address) => isIn(account, address), owner));
  }

  answerDesk(call: CallId): void {
    const handset = this.#calls.get(call)?.handset;
    handset?.ready(() => {
      const dialogs = handset.journalled === undefined ? [] : [handset.journalled];
      this.#tell(call, { type: 'trunk-answered', answer: '', dialogs });
    });
  }

  /**
   * Makes the handset's leg at the desk the handset's side of another call, before that is asked for. Returns what the handset
   * offers; undefined when it has no leg there that is up. `back`: the leg is the desk's again; false: the handset would not.
   */
  join(call: CallId, desk: CallId, handset: HandsetId, back: (isBack: boolean) => void): string | undefined {
    const turns = this.#calls.get(desk)?.handset.turns;
    if (turns === undefined || !turns.isUp || turns.guest !== undefined) return undefined;
    this.#hold(call, handset, (owner) => new JoinedHandset(turns, owner, back));
    return turns.offer;
  }

  readonly #tell = (call: CallId, event: CallEvent): void => {
    this.#sink?.event(call, event);
  };

  ring(call: CallId): void {
    this.#calls.get(call)?.handset.ring();
  }

  early(call: CallId, answer: string): void {
    this.#calls.get(call)?.handset.early(answer);
  }

  dial(call: CallId, order: DialOrder): void {
    const legs = this.#calls.get(call);
    const { srf } = this.#engine;
    if (legs === undefined || srf === undefined) {
      this.#tell(call, { type: 'trunk-failed', status: 503, cause: 'fault.signalling' });
      return;
    }
    // The To tag of the handset leg must be known before there is anything to journal.
    legs.handset.ring();
    legs.trunk.dial(srf, order, this.#trunks.available(order.trunks));
  }

  accept(call: CallId, answer: string): void {
    this.#calls.get(call)?.handset.accept(answer);
  }

  refuse(call: CallId, refusal: { readonly status: number; readonly rule: string; readonly fact: string }): void {
    this.#calls.get(call)?.handset.refuse(refusal.status, refusal.rule);
    this.#forget(call);
    this.#tell(call, { type: 'released', plane: 'signalling', legs: ['handset'] });
  }

  arm(call: CallId, deadline: Deadline): void {
    const legs = this.#calls.get(call);
    if (legs === undefined) this.#tell(call, { type: 'arm-failed', plane: 'signalling', why: 'no such call' });
    else this.#deadlines.arm(call, legs.dialogIds, deadline);
  }

  release(call: CallId, cause: EndCause): void {
    const legs = this.#calls.get(call);
    if (legs === undefined) this.#tell(call, { type: 'released', plane: 'signalling', legs: [] });
    else legs.release(cause);
  }

  endFromJournal(dialogs: readonly LegDialog[]): Promise<void> {
    const { log, trunks } = this.#options;
    return endLate({ engine: this.#engine, log, violations: this.#violations, trunks }, dialogs);
  }

  #forget(call: CallId): void {
    const legs = this.#calls.get(call);
    this.#calls.delete(call);
    if (legs === undefined) return;
    this.#deadlines.forget(call, legs.dialogIds);
    legs.forget();
  }
}
