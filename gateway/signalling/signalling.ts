import type { EventEmitter } from 'node:events';
import Srf from 'drachtio-srf';
import type { Logger } from 'pino';
import type { CallSink, DialOrder, SignallingPlane } from '../calls/ports.js';
import type { EndCause, LegDialog } from '../calls/record.js';
import type { Clock, Timer } from '../clock/clock.js';
import { type Deadline, msLeft } from '../clock/deadline.js';
import type { CallId } from '../policy/ids.js';
import { EngineControl } from '../sip-engine/control/client.js';
import type { HandsetAccount, Violation } from './account.js';
import { Door } from './door.js';
import { handsetDialog, trunkDialog } from './leg-dialog.js';
import { Registrar } from './registrar.js';
import { causeOf, mayFailOver, statusFor, type TrunkAccount, type TwoLegs } from './two-legs.js';

export interface SignallingOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly realm: string;
  readonly accounts: readonly HandsetAccount[];
  readonly trunks: readonly TrunkAccount[];
  readonly newCallId: () => CallId;
  readonly violation: (violation: Violation) => void;
  /** For measurements alone: INVITEs are believed without a challenge. */
  readonly challengeInvites?: boolean;
}

export interface EnginePlace {
  readonly client: { readonly host: string; readonly port: number; readonly secret: string };
  /** Absent with a real drachtio server, which has no control socket. */
  readonly control?: { readonly socket: string; readonly secret: string };
  /** The port of the listener on the cell's side: what comes in elsewhere is no handset. */
  readonly cellPort: number;
}

const SERVER = 'Balise';
/** What a handset may not ask for inside a call, and what it is told. */
const FORBIDDEN: Readonly<Record<string, { status: number; alarm: boolean }>> = {
  refer: { status: 603, alarm: true },
  message: { status: 405, alarm: false },
  notify: { status: 405, alarm: false },
  subscribe: { status: 405, alarm: false },
  publish: { status: 405, alarm: false },
};

/** The signalling plane: a drachtio application on the embedded engine, or on a real drachtio server. */
export class Signalling implements SignallingPlane {
  readonly registrar: Registrar;
  readonly #options: SignallingOptions;
  readonly #door: Door;
  readonly #calls = new Map<CallId, TwoLegs>();
  readonly #byDialog = new Map<string, CallId>();
  readonly #deadlines = new Map<CallId, Timer>();
  #sink: CallSink | undefined;
  #srf: Srf | undefined;
  #control: EngineControl | undefined;
  #cellPort = 0;
  #onLost: (why: string) => void = () => undefined;

  constructor(options: SignallingOptions) {
    this.#options = options;
    this.#door = new Door(options);
    this.registrar = new Registrar(options.clock, options.violation);
  }

  setSink(sink: CallSink): void {
    this.#sink = sink;
  }

  /** Who is to kill and respawn the engine when it was lost; called after the calls have heard of it. */
  onLost(lost: (why: string) => void): void {
    this.#onLost = lost;
  }

  get liveCount(): number {
    return this.#calls.size;
  }

  /** Joins an engine that has just been started. Rejects when it cannot be reached. */
  async attach(place: EnginePlace): Promise<void> {
    this.detach();
    this.#cellPort = place.cellPort;
    const srf = new Srf();
    this.#routes(srf);
    if (place.control !== undefined) {
      const control = await EngineControl.connect(place.control.socket, place.control.secret);
      control.onLost((why) => this.#lost(srf, why));
      control.onDeadline((dialogId) => this.#deadlineFired(dialogId));
      this.#control = control;
    }
    await new Promise<void>((resolve, reject) => {
      srf.once('connect', (error: unknown) => (error ? reject(error) : resolve()));
      srf.once('error', reject);
      // Without attempts of its own to come back: who is lost has a successor, and the owner attaches to that.
      srf.connect({ ...place.client, reconnect: { maxAttempts: 1 } } as Srf.SrfConfig);
    });
    this.#srf = srf;
    srf.on('error', (error: Error) => this.#lost(srf, error.message));
    (srf as unknown as EventEmitter).on('close', () => this.#lost(srf, 'the client connection closed'));
  }

  /** Lets go of the engine on purpose: nobody is told. */
  detach(): void {
    const srf = this.#srf;
    this.#srf = undefined;
    this.#control?.close();
    this.#control = undefined;
    try {
      srf?.disconnect();
    } catch (error) {
      // drachtio-srf asserts that its socket is there, and learns of its end a turn of the loop after us.
      this.#options.log.debug({ event: 'engine.detach', why: error instanceof Error ? error.message : String(error) });
    }
  }

  #lost(srf: Srf, why: string): void {
    if (this.#srf !== srf) return;
    this.detach();
    this.#calls.clear();
    this.#byDialog.clear();
    for (const timer of this.#deadlines.values()) timer.cancel();
    this.#deadlines.clear();
    this.#sink?.planeLost('signalling', why);
    this.#onLost(why);
  }

  #routes(srf: Srf): void {
    srf.invite((request, response) => this.#invited(request, response));
    srf.use('register', (request, response) => {
      if (!this.#fromCell(request)) {
        response.send(403, {});
        return;
      }
      const account = this.#door.admit(request, response);
      if (account !== undefined) this.registrar.register(account, request, response);
    });
    srf.use('options', (_request, response) =>
      response.send(200, { headers: { Allow: 'INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO' } }),
    );
    for (const [method, { status }] of Object.entries(FORBIDDEN)) {
      srf.use(method, (_request, response) => response.send(status, {}));
    }
  }

  #fromCell(request: Srf.SrfRequest): boolean {
    const { receivedOn } = request as Srf.SrfRequest & { receivedOn?: string };
    return receivedOn === undefined || receivedOn.endsWith(`:${this.#cellPort}`);
  }

  #invited(request: Srf.SrfRequest, response: Srf.SrfResponse): void {
    const { violation, clock, newCallId, challengeInvites } = this.#options;
    if (!this.#fromCell(request)) {
      violation({
        code: 'sip.inward-call',
        detail: `an INVITE came from ${request.source_address} on the trunk side`,
        address: request.source_address,
      });
      response.send(403, {});
      return;
    }
    const account = this.#door.admit(request, response, challengeInvites !== false);
    if (account === undefined) return;
    if (request.has('replaces') || request.has('join')) {
      violation({
        code: 'sip.replaces',
        detail: `${account.handset} tried to take over a call`,
        handset: account.handset,
        address: request.source_address,
      });
      response.send(481, {});
      return;
    }
    if (!request.has('contact') || request.body === '' || request.body === undefined) {
      response.send(400, {});
      return;
    }
    const call = newCallId();
    const legs: TwoLegs = {
      call,
      handset: account.handset,
      request,
      response,
      handsetAnswered: false,
      handsetOver: false,
      trunksLeft: [],
      trunkRang: false,
      trunkOver: true,
      trunkPending: false,
      legsToReport: [],
      reported: false,
    };
    this.#calls.set(call, legs);
    request.on('cancel', () => {
      legs.handsetAnswered = true;
      legs.handsetOver = true;
      this.#tell(call, { type: 'handset-cancelled' });
    });
    this.#sink?.request({
      call,
      handset: account.handset,
      dialled: request.uri,
      at: clock.wall(),
      offer: request.body,
      source: request.source_address,
    });
  }

  #tell(call: CallId, event: Parameters<CallSink['event']>[1]): void {
    this.#sink?.event(call, event);
  }

  ring(call: CallId): void {
    const legs = this.#calls.get(call);
    if (legs === undefined || legs.handsetAnswered) return;
    legs.response.send(180, '', { headers: { Server: SERVER } }, (error, sent) => {
      if (!error) legs.sent = sent;
    });
  }

  dial(call: CallId, order: DialOrder): void {
    const legs = this.#calls.get(call);
    if (legs === undefined) {
      this.#tell(call, { type: 'trunk-failed', status: 503, cause: 'fault.signalling' });
      return;
    }
    legs.order = order;
    legs.trunksLeft = order.trunks.flatMap((id) => this.#options.trunks.filter((trunk) => trunk.id === id));
    // The To tag of the handset leg must be known before there is anything to journal.
    this.ring(call);
    this.#dialNext(legs, 503);
  }

  #dialNext(legs: TwoLegs, lastStatus: number): void {
    const trunk = legs.trunksLeft.shift();
    const { order, call } = legs;
    const srf = this.#srf;
    if (trunk === undefined || order === undefined || srf === undefined) {
      this.#tell(call, { type: 'trunk-failed', status: lastStatus, cause: causeOf(lastStatus) });
      return;
    }
    legs.trunkRang = false;
    legs.trunkOver = false;
    legs.trunkPending = true;
    const identity = order.callerIdentity;
    const ringing = this.#options.clock.after(order.ringMs, () => {
      if (legs.trunkPending && legs.releasing === undefined) {
        this.#tell(call, { type: 'ring-timeout' });
      }
    });
    const transport = trunk.transport === 'udp' ? '' : `;transport=${trunk.transport}`;
    srf
      .createUAC(
        `sip:${order.number}@${trunk.host}:${trunk.port}${transport}`,
        {
          localSdp: order.offer,
          headers: {
            From: `<sip:${identity}@localhost>`,
            Contact: `<sip:${identity}@localhost${transport}>`,
            'P-Asserted-Identity': `<sip:${identity}@localhost>`,
            'X-Balise-Listener': 'carrier',
          },
          ...(trunk.auth && { auth: trunk.auth }),
        },
        {
          cbRequest: ((error: unknown, sent: Srf.SrfRequest) => {
            if (error || sent === undefined) return;
            legs.trunkRequest = sent;
            legs.trunkLeg = trunkDialog(sent, undefined);
            this.#byDialog.set(legs.trunkLeg.dialogId, call);
            this.#tell(call, { type: 'dialling', trunk: trunk.id, dialog: legs.trunkLeg });
            if (legs.releasing !== undefined) this.#cancel(legs);
          }) as unknown as (request: Srf.SrfRequest) => void,
          cbProvisional: (provisional) => this.#provisional(legs, provisional),
        },
      )
      .then(
        (dialog) => {
          ringing.cancel();
          legs.trunkPending = false;
          this.#trunkAnswered(legs, dialog);
        },
        (error: { status?: number }) => {
          ringing.cancel();
          legs.trunkPending = false;
          legs.trunkOver = true;
          const status = error.status ?? 503;
          if (legs.releasing !== undefined) {
            this.#report(legs);
            return;
          }
          if (mayFailOver(status, legs.trunkRang) && legs.trunksLeft.length > 0) {
            this.#dialNext(legs, status);
            return;
          }
          this.#tell(call, { type: 'trunk-failed', status, cause: causeOf(status) });
        },
      );
  }

  #provisional(legs: TwoLegs, provisional: Srf.SrfResponse): void {
    if (provisional.status === 181 || provisional.has('diversion') || provisional.has('history-info')) {
      this.#options.violation({
        code: 'callee.redirected',
        detail: 'the carrier forwards a call elsewhere',
        handset: legs.handset,
      });
      this.#tell(legs.call, { type: 'callee-redirected' });
      return;
    }
    if (provisional.status < 180) return;
    legs.trunkRang = true;
    this.#tell(legs.call, { type: 'trunk-ringing' });
    if (provisional.status === 183 && provisional.body)
      this.#tell(legs.call, { type: 'trunk-early-media', sdp: provisional.body });
  }

  #trunkAnswered(legs: TwoLegs, dialog: Srf.Dialog): void {
    const { call } = legs;
    legs.trunkDialog = dialog;
    const response = (dialog as Srf.Dialog & { res: Srf.SrfResponse }).res;
    legs.trunkLeg = trunkDialog(dialog.req, response);
    dialog.on('destroy', () => {
      legs.trunkOver = true;
      if (legs.releasing === undefined) this.#tell(call, { type: 'trunk-hung-up' });
      else this.#report(legs);
    });
    dialog.on('modify', (_request, answer) => answer.send(200, { body: dialog.local.sdp }));
    dialog.on('refer', (_request, answer) => answer.send(603, {}));
    // A 200 that crosses our CANCEL is a call that must not live (RFC 3261 §15.1.1).
    if (legs.releasing !== undefined) {
      this.#bye(legs, 'trunk');
      return;
    }
    if (response.has('diversion') || response.has('history-info')) {
      this.#options.violation({
        code: 'callee.redirected',
        detail: 'the carrier answered from elsewhere',
        handset: legs.handset,
      });
      this.#tell(call, { type: 'callee-redirected' });
      return;
    }
    this.#tell(call, {
      type: 'trunk-answered',
      answer: dialog.remote.sdp,
      dialogs: [handsetDialog(legs.request, legs.sent), legs.trunkLeg],
    });
  }

  accept(call: CallId, answer: string): void {
    const legs = this.#calls.get(call);
    if (legs === undefined || this.#srf === undefined || legs.handsetAnswered) return;
    legs.handsetAnswered = true;
    this.#srf.createUAS(legs.request, legs.response, { localSdp: answer, headers: { Server: SERVER } }).then(
      (dialog) => {
        legs.handsetDialog = dialog;
        this.#watchHandset(legs, dialog);
        if (legs.releasing !== undefined) this.#bye(legs, 'handset');
      },
      () => {
        legs.handsetOver = true;
        if (legs.releasing !== undefined) this.#report(legs);
        else this.#tell(call, { type: 'handset-cancelled' });
      },
    );
  }

  #watchHandset(legs: TwoLegs, dialog: Srf.Dialog): void {
    const { call, handset } = legs;
    dialog.once('ack', () => this.#tell(call, { type: 'accepted' }));
    dialog.on('destroy', () => {
      legs.handsetOver = true;
      if (legs.releasing === undefined) this.#tell(call, { type: 'handset-hung-up' });
      else this.#report(legs);
    });
    dialog.on('modify', (request, answer) => {
      // Hold and session refresh keep address and codecs; anything else is another call.
      if (sameMedia(request.body, dialog.remote.sdp)) answer.send(200, { body: dialog.local.sdp });
      else answer.send(488, {});
    });
    dialog.on('info', (_request, answer) => answer.send(200, {}));
    dialog.on('update', (_request, answer) => answer.send(200, {}));
    for (const [method, { status, alarm }] of Object.entries(FORBIDDEN)) {
      dialog.on(method as 'refer', (_request, answer) => {
        answer.send(status, {});
        if (alarm)
          this.#options.violation({
            code: `sip.${method}`,
            detail: `${handset} sent ${method.toUpperCase()} in a call`,
            handset,
          });
      });
    }
  }

  refuse(call: CallId, refusal: { readonly status: number; readonly rule: string; readonly fact: string }): void {
    const legs = this.#calls.get(call);
    if (legs !== undefined && !legs.handsetAnswered) {
      legs.handsetAnswered = true;
      legs.response.send(refusal.status, { headers: { Server: SERVER, Warning: `399 balise "${refusal.rule}"` } });
    }
    this.#forget(call);
    this.#tell(call, { type: 'released', plane: 'signalling', legs: ['handset'] });
  }

  arm(call: CallId, deadline: Deadline): void {
    const legs = this.#calls.get(call);
    if (legs === undefined) {
      this.#tell(call, { type: 'arm-failed', plane: 'signalling', why: 'no such call' });
      return;
    }
    if (this.#control === undefined) {
      const { clock } = this.#options;
      this.#deadlines.get(call)?.cancel();
      this.#deadlines.set(
        call,
        clock.after(msLeft(clock, deadline), () => this.#tell(call, { type: 'deadline-passed', by: 'signalling' })),
      );
      this.#tell(call, { type: 'armed', plane: 'signalling' });
      return;
    }
    const handset = handsetDialog(legs.request, legs.sent).dialogId;
    this.#byDialog.set(handset, call);
    const ids = [handset, ...(legs.trunkLeg === undefined ? [] : [legs.trunkLeg.dialogId])];
    const { control } = { control: this.#control };
    void Promise.all(ids.map((id) => control.deadline(id, deadline.monotonicNs))).then((outcomes) => {
      const fault = outcomes.find((outcome) => !outcome.ok);
      if (fault === undefined || fault.ok) this.#tell(call, { type: 'armed', plane: 'signalling' });
      else this.#tell(call, { type: 'arm-failed', plane: 'signalling', why: fault.why });
    });
  }

  #deadlineFired(dialogId: string): void {
    const call = this.#byDialog.get(dialogId);
    if (call !== undefined) this.#tell(call, { type: 'deadline-passed', by: 'signalling' });
  }

  release(call: CallId, cause: EndCause): void {
    const legs = this.#calls.get(call);
    if (legs === undefined) {
      this.#tell(call, { type: 'released', plane: 'signalling', legs: [] });
      return;
    }
    if (legs.releasing !== undefined) return;
    legs.releasing = cause;
    if (!legs.handsetAnswered) {
      legs.handsetAnswered = true;
      legs.handsetOver = true;
      legs.response.send(statusFor(cause), { headers: { Server: SERVER, Warning: `399 balise "${cause}"` } });
    } else if (legs.handsetDialog !== undefined) this.#bye(legs, 'handset');
    if (legs.trunkPending) this.#cancel(legs);
    else if (legs.trunkDialog !== undefined) this.#bye(legs, 'trunk');
    this.#report(legs);
  }

  #cancel(legs: TwoLegs): void {
    legs.trunkRequest?.cancel(() => undefined);
  }

  /** BYE to one leg; whatever comes of it, the other leg has its own. */
  #bye(legs: TwoLegs, leg: 'handset' | 'trunk'): void {
    const dialog = leg === 'handset' ? legs.handsetDialog : legs.trunkDialog;
    const isOver = leg === 'handset' ? legs.handsetOver : legs.trunkOver;
    if (dialog === undefined || isOver) return;
    dialog.destroy({ headers: { Reason: `Q.850;cause=16;text="${legs.releasing ?? 'end'}"` } }, () => {
      if (leg === 'handset') legs.handsetOver = true;
      else legs.trunkOver = true;
      this.#report(legs);
    });
  }

  #report(legs: TwoLegs): void {
    if (!legs.handsetOver || !legs.trunkOver || legs.reported) return;
    legs.reported = true;
    this.#forget(legs.call);
    this.#tell(legs.call, { type: 'released', plane: 'signalling', legs: ['handset', 'trunk'] });
  }

  #forget(call: CallId): void {
    const legs = this.#calls.get(call);
    this.#calls.delete(call);
    this.#deadlines.get(call)?.cancel();
    this.#deadlines.delete(call);
    if (legs === undefined) return;
    this.#byDialog.delete(handsetDialog(legs.request, undefined).dialogId);
    if (legs.trunkLeg !== undefined) this.#byDialog.delete(legs.trunkLeg.dialogId);
  }

  async endFromJournal(dialogs: readonly LegDialog[]): Promise<void> {
    const control = this.#control;
    if (control === undefined) return this.#endOnRealServer(dialogs);
    await Promise.all(
      dialogs.map(async (dialog) => {
        const paid = await control.restore({ ...dialog, listener: dialog.leg === 'handset' ? 'cell' : 'carrier' });
        const { leg, dialogId } = dialog;
        const level = paid.ok ? 'info' : 'error';
        this.#options.log[level]({ event: 'signalling.leg-ended-late', leg, dialog: dialogId, ...paid });
      }),
    );
  }

  /** A real drachtio server has outlived us, and knows its dialogs by id. */
  async #endOnRealServer(dialogs: readonly LegDialog[]): Promise<void> {
    const srf = this.#srf;
    if (srf === undefined) throw new Error('no SIP server to end the legs with');
    const request = srf.request as unknown as (
      options: unknown,
      sent: (error: unknown, request?: Srf.SrfRequest) => void,
    ) => void;
    await Promise.allSettled(
      dialogs.map(
        (dialog) =>
          new Promise<void>((resolve) => {
            request.call(srf, { method: 'BYE', stackDialogId: dialog.dialogId }, (error, sent) => {
              if (error || sent === undefined) resolve();
              else sent.on('response', () => resolve());
            });
          }),
      ),
    );
  }
}

/** Whether a re-INVITE's SDP keeps the address, port and payload types of the one before. */
function sameMedia(now: string, before: string): boolean {
  const of = (sdp: string) =>
    [
      /^c=(.*)$/m.exec(sdp)?.[1]?.trim(),
      /^m=audio (.*)$/m.exec(sdp)?.[1]?.trim(),
      (sdp.match(/^m=/gm) ?? []).length,
    ].join('|');
  return now === '' || of(now) === of(before);
}
