import { isIPv6 } from 'node:net';
import type Srf from 'drachtio-srf';
import type { DialOrder } from '../calls/ports.js';
import type { EndCause, LegDialog } from '../calls/record.js';
import type { Clock } from '../clock/clock.js';
import type { TrunkAccount } from './account.js';
import type { JudgedSrf } from './judged-srf.js';
import { endedByEngine, judgeOf, type LegOwner, sayRedirected, sendBye } from './leg.js';
import { trunkDialog } from './leg-dialog.js';
import { showsRedirection } from './redirection.js';
import type { Session } from './session.js';
import { leastInterval, SESSION_S, sessionHeaders } from './session-timer.js';
import { credentialsFor } from './trunk-digest.js';
import { TrunkRefresh } from './trunk-refresh.js';
import { listenerOf, trunkUri } from './trunk-request.js';

/** What comes of one INVITE to one trunk. */
export interface AttemptEvents {
  /** It is on its way, or is again, with credentials; the journal must know. */
  readonly sent: (dialog: LegDialog) => void;
  /** The trunk has answered something, if only that it tries. */
  readonly heard: () => void;
  readonly rang: (earlyMedia: string | undefined) => void;
  readonly answered: (sdp: string, dialog: LegDialog) => void;
  readonly failed: (status: number) => void;
  readonly hungUp: (byDeadline: boolean) => void;
  /** After an end: nothing of it is up. */
  readonly over: () => void;
}

export interface AttemptParts {
  readonly srf: JudgedSrf;
  readonly order: DialOrder;
  readonly trunk: TrunkAccount;
  readonly owner: LegOwner;
  readonly clock: Clock;
}

/** One INVITE to one trunk, and the dialog that comes of it. */
export class TrunkAttempt {
  readonly #srf: JudgedSrf;
  readonly #order: DialOrder;
  readonly #trunk: TrunkAccount;
  readonly #owner: LegOwner;
  readonly #events: AttemptEvents;
  readonly #clock: Clock;
  /** How often a challenge was answered. */
  #proofs = 0;
  /** The session timer that is asked for, seconds. */
  #intervalS = SESSION_S;
  #refresh: TrunkRefresh | undefined;
  #request: Srf.SrfRequest | undefined;
  #dialog: Srf.Dialog | undefined;
  #session: Session | undefined;
  #journalled: LegDialog | undefined;
  /** The INVITE is out and has no final answer. */
  #pending = true;
  #over = false;
  #byeSent = false;
  #ending: EndCause | undefined;

  constructor({ srf, order, trunk, owner, clock }: AttemptParts, events: AttemptEvents) {
    this.#srf = srf;
    this.#order = order;
    this.#trunk = trunk;
    this.#owner = owner;
    this.#clock = clock;
    this.#events = events;
  }

  get isOver(): boolean {
    return this.#over;
  }

  get isPending(): boolean {
    return this.#pending;
  }

  get journalled(): LegDialog | undefined {
    return this.#journalled;
  }

  start(): void {
    this.#invite({});
  }

  /** Ends it in the way that its state asks for: CANCEL, or BYE. */
  end(cause: EndCause): void {
    this.#ending = cause;
    if (this.#pending) this.#cancel();
    else if (this.#dialog !== undefined && !this.#over) this.#bye(cause);
  }

  /** Nothing more is expected of it. */
  forget(): void {
    this.#refresh?.stop();
    if (this.#journalled !== undefined) this.#srf.judges.delete(this.#journalled.dialogId);
    if (this.#dialog !== undefined) this.#srf.forgetDialog(this.#dialog);
  }

  /** `more` are the headers of an INVITE that is sent again, with credentials or for a longer session. */
  #invite(more: Readonly<Record<string, string>>): void {
    const { number, offer } = this.#order;
    const headers = {
      ...this.#identity(),
      'X-Balise-Listener': listenerOf(this.#trunk),
      ...sessionHeaders(this.#intervalS),
      ...more,
    };
    const sent = (error: unknown, request: Srf.SrfRequest | undefined): void => {
      if (!error && request !== undefined) this.#sent(request);
    };
    this.#srf.createUAC(
      trunkUri(this.#trunk, number),
      { localSdp: offer, headers },
      {
        cbRequest: sent as unknown as (request: Srf.SrfRequest) => void,
        cbProvisional: (provisional) => this.#provisional(provisional),
      },
      (error: { status?: number; res?: Srf.SrfResponse } | null, dialog) => {
        const again = this.#again(error?.res);
        if (again !== undefined) {
          // Until it is out there is nothing to cancel.
          this.#request = undefined;
          this.#invite(again);
          return;
        }
        this.#pending = false;
        if (dialog === undefined) this.#failed(error?.status ?? 503);
        else this.#answered(dialog);
      },
    );
  }

  /** Who calls: the campaign's or the trunk's number; hidden from the callee where the trunk is to (RFC 3323 §4.1, RFC 3325 §7). */
  #identity(): Record<string, string> {
    const { host, transport, privacy } = this.#trunk;
    const { callerIdentity } = this.#order;
    const parameter = transport === 'udp' ? '' : `;transport=${transport}`;
    const asserted = { 'P-Asserted-Identity': `<sip:${callerIdentity}@${host}>` };
    if (privacy !== 'id') {
      const contact = `<sip:${callerIdentity}@localhost${parameter}>`;
      return { From: `<sip:${callerIdentity}@localhost>`, Contact: contact, ...asserted };
    }
    const from = '"Anonymous" <sip:anonymous@anonymous.invalid>';
    return { From: from, Contact: `<sip:localhost${parameter}>`, ...asserted, Privacy: 'id' };
  }

  /** The headers with which to send the INVITE again, in the same call (RFC 3261 §22.2, RFC 4028 §7.3); undefined when it is over. */
  #again(response: Srf.SrfResponse | undefined): Record<string, string> | undefined {
    const request = this.#request;
    if (response === undefined || request === undefined || this.#ending !== undefined) return undefined;
    const asked = { method: 'INVITE', uri: request.uri };
    const proof = this.#proofs < 2 ? credentialsFor(response, asked, this.#trunk.auth, this.#proofs === 0) : undefined;
    const leastS = leastInterval(response);
    // Longer once, and no more: a carrier must not keep us asking.
    if (proof === undefined && (leastS === undefined || this.#intervalS > SESSION_S)) return undefined;
    if (proof !== undefined) this.#proofs += 1;
    if (leastS !== undefined) {
      this.#intervalS = leastS;
      // It begins anew with the carrier's next question: what was proven was another request.
      this.#proofs = 0;
    }
    return {
      From: request.get('from'),
      'Call-ID': request.get('call-id'),
      CSeq: `${Number.parseInt(request.get('cseq'), 10) + 1} INVITE`,
      ...(proof && { [proof.header]: proof.value }),
    };
  }

  #sent(request: Srf.SrfRequest): void {
    this.#request = request;
    this.#tellSent(request);
    const happenings = request as unknown as NodeJS.EventEmitter;
    // Before the answer drachtio-srf takes an UPDATE by itself; what it says of the callee is for us.
    happenings.on('update', (update: Srf.SrfRequest) => {
      if (this.#ending === undefined && showsRedirection(update, this.#order.number))
        sayRedirected(this.#owner, 'the carrier forwards a call elsewhere');
    });
    if (this.#ending !== undefined) this.#cancel();
  }

  #tellSent(request: Srf.SrfRequest): void {
    this.#journalled = trunkDialog(request, undefined);
    const { handset } = this.#owner;
    const { number } = this.#order;
    const facts = () => ({ leg: 'trunk' as const, handset, number, isPeer: this.#isPeer, session: this.#session });
    this.#srf.judges.set(this.#journalled.dialogId, judgeOf(this.#owner, facts));
    this.#events.sent(this.#journalled);
  }

  /** A carrier speaks from any of its networks; without any, only from where it answered. */
  readonly #isPeer = (address: string): boolean =>
    this.#trunk.network?.check(address, isIPv6(address) ? 'ipv6' : 'ipv4') === true ||
    address === this.#journalled?.address;

  #provisional(provisional: Srf.SrfResponse): void {
    this.#events.heard();
    if (this.#ending !== undefined) return;
    if (showsRedirection(provisional, this.#order.number)) {
      sayRedirected(this.#owner, 'the carrier forwards a call elsewhere');
      return;
    }
    if (provisional.status < 180) return;
    // A description may come with any of them (RFC 3960 §3.1), not with a 183 alone.
    this.#events.rang(provisional.body ? provisional.body : undefined);
  }

  #failed(status: number): void {
    this.#over = true;
    this.#events.heard();
    if (this.#ending === undefined) this.#events.failed(status);
    else this.#events.over();
  }

  #answered(dialog: Srf.Dialog): void {
    this.#dialog = dialog;
    const response = (dialog as Srf.Dialog & { res: Srf.SrfResponse }).res;
    const journalled = trunkDialog(dialog.req, response);
    this.#journalled = journalled;
    this.#session = this.#owner.openSession(dialog.remote.sdp, this.#order.offer, true);
    dialog.on('destroy', (request) => this.#destroyed(request));
    this.#events.heard();
    // A 200 that crosses our CANCEL is a call that must not live (RFC 3261 §15.1.1).
    if (this.#ending !== undefined) this.#bye(this.#ending);
    else if (showsRedirection(response, this.#order.number)) {
      sayRedirected(this.#owner, 'the carrier answered from elsewhere');
    } else {
      this.#keepAlive(journalled, response);
      this.#events.answered(dialog.remote.sdp, journalled);
    }
  }

  /** At a carrier that challenges us the session is refreshed from here; at any other by the engine. */
  #keepAlive(dialog: LegDialog, answer: Srf.SrfResponse): void {
    const { auth, id } = this.#trunk;
    if (auth === undefined) return;
    const failed = (why: string): void => {
      const { violations, handset } = this.#owner;
      violations.alarm({ code: 'trunk.refresh-failed', detail: `${id} lost a call: ${why}`, handset });
      if (this.#ending === undefined) this.#events.hungUp(false);
    };
    const description = (): string => this.#session?.current ?? this.#order.offer;
    this.#refresh = new TrunkRefresh({ srf: this.#srf, clock: this.#clock, dialog, auth, description, failed });
    this.#refresh.start(answer, this.#intervalS);
  }

  #destroyed(request: Srf.SrfRequest): void {
    this.#refresh?.stop();
    const ended = endedByEngine(request);
    // The engine has no credentials: if its BYE is challenged, ours is the one that is believed.
    if (ended !== undefined && this.#trunk.auth !== undefined) this.#bye(this.#ending ?? 'deadline');
    else this.#over = true;
    if (this.#ending === undefined) this.#events.hungUp(ended === 'deadline');
    else if (this.#over) this.#events.over();
  }

  #cancel(): void {
    this.#request?.cancel(() => undefined);
  }

  #bye(cause: EndCause): void {
    const { journalled } = this;
    if (journalled === undefined || this.#byeSent) return;
    this.#byeSent = true;
    this.#refresh?.stop();
    const { id, auth } = this.#trunk;
    sendBye({ srf: this.#srf, dialog: journalled, cause, auth }, (status) => {
      this.#over = true;
      const { violations, handset } = this.#owner;
      if (status === 401 || status === 407)
        violations.alarm({ code: 'trunk.bye-refused', detail: `${id} does not believe our BYE`, handset });
      if (this.#ending !== undefined) this.#events.over();
    });
  }
}
