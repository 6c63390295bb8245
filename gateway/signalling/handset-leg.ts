import type Srf from 'drachtio-srf';
import type { EndCause, LegDialog } from '../calls/record.js';
import type { JudgedSrf } from './judged-srf.js';
import { handsetEnd, judgeOf, type LegOwner, sendBye } from './leg.js';
import { handsetDialog } from './leg-dialog.js';
import { LegTurns, ownerAt } from './leg-turns.js';
import { statusFor } from './outcomes.js';
import type { Session } from './session.js';
import type { HandsetSide } from './two-legs.js';

const SERVER = 'Balise';
/** A 180 that follows the last one sooner says nothing new: the carrier rang as it was called. */
const JUST_RANG_NS = 200_000_000n;

/** The leg to the handset: we are its UAS. Nothing that the trunk says gets here; each line is the gateway's own. */
export class HandsetLeg implements HandsetSide {
  readonly #srf: JudgedSrf;
  readonly #request: Srf.SrfRequest;
  readonly #response: Srf.SrfResponse;
  readonly #owner: LegOwner;
  /** A message of ours that carries our To tag. */
  #sent: Srf.SipMessage | undefined;
  #dialog: Srf.Dialog | undefined;
  #session: Session | undefined;
  /** The INVITE has its final answer. */
  #answered = false;
  #rangNs: bigint | undefined;
  /** The SDP of our last 183. */
  #early: string | undefined;
  #over = false;
  #ending: EndCause | undefined;
  readonly turns: LegTurns;

  constructor(srf: JudgedSrf, request: Srf.SrfRequest, response: Srf.SrfResponse, owner: LegOwner) {
    this.#srf = srf;
    this.#request = request;
    this.#response = response;
    this.#owner = owner;
    const { handset, openSession } = owner;
    this.turns = new LegTurns({
      dialog: () => this.#dialog,
      isUp: () => !this.#over && this.#ending === undefined,
      session: () => this.#session,
      setSession: (session) => {
        this.#session = session;
      },
      offer: () => request.body,
      openSession,
    });
    const isPeer = (address: string): boolean => address === request.source_address;
    srf.judges.set(
      this.journalled.dialogId,
      judgeOf(ownerAt(owner, this.turns), () => ({ leg: 'handset', handset, isPeer, session: this.#session })),
    );
    request.on('cancel', () => {
      this.#answered = true;
      this.#over = true;
      owner.tell({ type: 'handset-cancelled' });
    });
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** The dialog as the journal keeps it. */
  get journalled(): LegDialog {
    return handsetDialog(this.#request, this.#sent);
  }

  /** 180, with our To tag and without a body: the handset rings back by itself. */
  ring(): void {
    if (this.#answered) return;
    const rangNs = this.#rangNs;
    const nowNs = this.#owner.clock.monotonicNs();
    // A reliable one is not said twice: the handset has acknowledged that it heard it.
    if (rangNs !== undefined && (nowNs - rangNs < JUST_RANG_NS || this.#isReliable)) return;
    this.#rangNs = nowNs;
    this.#provisional(180);
  }

  /** 180, and then `done`: our To tag is in the dialog from then on. */
  ready(done: () => void): void {
    if (this.#answered) return;
    this.#rangNs = this.#owner.clock.monotonicNs();
    this.#provisional(180, undefined, done);
  }

  /** 183 with this SDP: what the handset hears before its final status. The same is not said twice. */
  early(answer: string): void {
    if (this.#answered || answer === this.#early) return;
    this.#early = answer;
    this.#provisional(183, answer);
  }

  /** Whether the handset wants to acknowledge what we say before the answer (RFC 3262 §3); the engine answers its PRACK. */
  get #isReliable(): boolean {
    return this.#request.has('require') && /\b100rel\b/i.test(this.#request.get('require'));
  }

  #provisional(status: number, body?: string, done: () => void = () => undefined): void {
    const send = this.#response.send as unknown as (
      status: number,
      reason: string,
      options: object,
      sent: (error: unknown, sent?: Srf.SipMessage) => void,
      acknowledged?: () => void,
    ) => void;
    const headers = {
      Server: SERVER,
      ...(body !== undefined && { 'Content-Type': 'application/sdp' }),
      ...(this.#isReliable && { Require: '100rel' }),
    };
    const sent = (error: unknown, message?: Srf.SipMessage): void => {
      if (error) return;
      this.#sent = message;
      done();
    };
    const options = { headers, ...(body !== undefined && { body }) };
    if (this.#isReliable) send.call(this.#response, status, '', options, sent, () => undefined);
    else send.call(this.#response, status, '', options, sent);
  }

  /** 200 with this SDP. Tells `accepted` when the ACK is in. */
  accept(answer: string): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#session = this.#owner.openSession(this.#request.body, answer, false);
    const options = { localSdp: answer, headers: { Server: SERVER } };
    this.#srf.createUAS(this.#request, this.#response, options, (error, dialog) => {
      if (error || dialog === undefined) this.#notAccepted();
      else this.#accepted(dialog);
    });
  }

  #accepted(dialog: Srf.Dialog): void {
    this.#dialog = dialog;
    dialog.once('ack', () => this.#owner.tell({ type: 'accepted' }));
    dialog.on('destroy', (request) => {
      const { tell, over } = this.#owner;
      this.#over = true;
      this.turns.hostGone();
      if (this.#ending !== undefined) over();
      else tell(handsetEnd(request));
    });
    if (this.#ending !== undefined) this.#bye(this.#ending);
  }

  #notAccepted(): void {
    this.#over = true;
    if (this.#ending === undefined) this.#owner.tell({ type: 'handset-cancelled' });
    else this.#owner.over();
  }

  /** Final failure, if none was given yet. */
  refuse(status: number, rule: string): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#over = true;
    this.#response.send(status, { headers: { Server: SERVER, Warning: `399 balise "${rule}"` } });
  }

  /** Ends the leg in the way that its state asks for. */
  end(cause: EndCause): void {
    this.#ending = cause;
    this.turns.hostGone();
    if (!this.#answered) this.refuse(statusFor(cause), cause);
    else if (this.#dialog !== undefined && !this.#over) this.#bye(cause);
  }

  /** Nothing more is expected of this leg. */
  forget(): void {
    this.#srf.judges.delete(this.journalled.dialogId);
    if (this.#dialog !== undefined) this.#srf.forgetDialog(this.#dialog);
  }

  #bye(cause: EndCause): void {
    sendBye({ srf: this.#srf, dialog: this.journalled, cause }, () => {
      this.#over = true;
      this.#owner.over();
    });
  }
}
