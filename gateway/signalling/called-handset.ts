import type Srf from 'drachtio-srf';
import type { EndCause, LegDialog } from '../calls/record.js';
import { staysWithin } from './contact.js';
import { asOffer, nextOffer, silentOffer } from './handset-offer.js';
import type { JudgedSrf } from './judged-srf.js';
import { handsetEnd, judgeOf, type LegOwner, sendBye } from './leg.js';
import { trunkDialog } from './leg-dialog.js';
import { LegTurns, ownerAt } from './leg-turns.js';
import type { Place } from './registrar.js';
import { reinvite } from './reinvite.js';
import type { Session } from './session.js';
import type { HandsetSide } from './two-legs.js';

/** For a phone that can answer by itself: two habits of phones and a standard (RFC 5373 §4). */
const ANSWER_BY_ITSELF = {
  'Call-Info': '<sip:localhost>;answer-after=0',
  'Alert-Info': '<http://localhost>;info=alert-autoanswer',
  'Answer-Mode': 'Auto',
};

/**
 * The leg to a handset whose person has keyed a call: we are its UAC. The INVITE describes a session without sound; the one
 * that carries the call is offered when the far end has answered, in the same dialog (RFC 3725 §4.4).
 */
export class CalledHandset implements HandsetSide {
  readonly #srf: JudgedSrf;
  readonly #place: Place;
  readonly #isAllowed: (address: string) => boolean;
  readonly #owner: LegOwner;
  readonly #offer: string;
  /** Our last offer, the next one's version rests on it; and the handset's answer to the first. */
  #last: string;
  #first = '';
  /** Offers are made one after the other (RFC 3261 §14.1). */
  #offering: Promise<unknown> = Promise.resolve();
  #request: Srf.SrfRequest | undefined;
  #dialog: Srf.Dialog | undefined;
  #journalled: LegDialog | undefined;
  /** What carries the call; undefined while nothing does. */
  #session: Session | undefined;
  /** The INVITE has no final answer. */
  #pending = true;
  #over = false;
  #ending: EndCause | undefined;
  readonly turns: LegTurns;

  /** Calls the handset at once. `isAllowed`: an address of its wing. */
  constructor(srf: JudgedSrf, place: Place, isAllowed: (address: string) => boolean, owner: LegOwner) {
    this.#srf = srf;
    this.#place = place;
    this.#isAllowed = isAllowed;
    this.#owner = owner;
    this.#offer = silentOffer(place.addresses[0] ?? '');
    this.#last = this.#offer;
    this.turns = new LegTurns({
      dialog: () => this.#dialog,
      isUp: () => !this.#over && this.#ending === undefined,
      session: () => this.#session,
      setSession: (session) => {
        this.#session = session;
      },
      offer: () => asOffer(this.#dialog?.remote.sdp ?? ''),
      openSession: owner.openSession,
    });
    this.#invite();
  }

  get isOver(): boolean {
    return this.#over;
  }

  get journalled(): LegDialog | undefined {
    return this.#journalled;
  }

  /** A dialog that is up has no ringing: what its person hears meanwhile comes by `early`. */
  ring(): void {
    // Nor is there anything to be told before a final status.
  }

  ready(done: () => void): void {
    if (this.#dialog !== undefined && !this.#over) done();
  }

  /** Offers what is heard while the far end rings; a handset that will not have it hears nothing. */
  early(answer: string): void {
    const dialog = this.#dialog;
    if (dialog === undefined || this.#over || this.#ending !== undefined) return;
    const offer = this.#next(answer);
    this.#offering = this.#offering.then(() => reinvite(dialog, offer)).catch(() => undefined);
  }

  #next(sdp: string): string {
    this.#last = nextOffer(this.#last, sdp);
    return this.#last;
  }

  /** Offers the session that carries the call. Tells `accepted` when the handset has taken it and nothing else. */
  accept(answer: string): void {
    const dialog = this.#dialog;
    if (dialog === undefined || this.#over || this.#ending !== undefined) return;
    const offer = this.#next(answer);
    // What it answered first: to what it heard since then it may have said less.
    const session = this.#owner.openSession(this.#first, offer, false);
    this.#offering
      .then(() => reinvite(dialog, offer))
      .then(
        (sdp) => this.#took(session, sdp),
        (fault: { status?: number }) => this.#tookNot(fault.status ?? 503),
      );
  }

  /** What it takes is the session of its first answer, or another one, which nobody has looked at. */
  #took(session: Session, sdp: string): void {
    if (this.#ending !== undefined || this.#over) return;
    if (session.answer(sdp) === undefined) {
      this.#tookNot(488);
      return;
    }
    this.#session = session;
    const { tell, held } = this.#owner;
    if (session.asked !== 'sendrecv') held('handset', session.asked);
    tell({ type: 'accepted' });
  }

  #tookNot(status: number): void {
    if (this.#ending !== undefined || this.#over) return;
    const why = `the handset would not take the call that was keyed on it (${status})`;
    this.#owner.tell({ type: 'handset-failed', status, why });
  }

  refuse(): void {
    this.end('refused');
  }

  /** Ends the leg in the way that its state asks for: CANCEL, or BYE. */
  end(cause: EndCause): void {
    this.#ending = cause;
    this.turns.hostGone();
    if (this.#pending) this.#cancel();
    else if (!this.#over) this.#bye(cause);
  }

  forget(): void {
    if (this.#journalled !== undefined) this.#srf.judges.delete(this.#journalled.dialogId);
    if (this.#dialog !== undefined) this.#srf.forgetDialog(this.#dialog);
  }

  #invite(): void {
    const headers = {
      From: '<sip:balise@localhost>',
      Contact: '<sip:balise@localhost>',
      'X-Balise-Listener': 'cell',
      ...ANSWER_BY_ITSELF,
    };
    const sent = (error: unknown, request: Srf.SrfRequest | undefined): void => {
      if (!error && request !== undefined) this.#sent(request);
    };
    this.#srf.createUAC(
      this.#place.uri,
      { localSdp: this.#offer, headers } as Srf.CreateUACOptions,
      { cbRequest: sent as unknown as (request: Srf.SrfRequest) => void },
      (error: { status?: number } | null, dialog) => {
        this.#pending = false;
        if (dialog === undefined) this.#failed(error?.status ?? 503);
        else this.#answered(dialog);
      },
    );
  }

  #sent(request: Srf.SrfRequest): void {
    this.#request = request;
    const journalled = this.#know(request, undefined);
    const { handset } = this.#owner;
    const isPeer = (address: string): boolean => this.#place.addresses.includes(address);
    const facts = () => ({ leg: 'handset' as const, handset, isPeer, session: this.#session });
    this.#srf.judges.set(journalled.dialogId, judgeOf(ownerAt(this.#owner, this.turns), facts));
    this.#owner.tell({ type: 'handset-called', dialog: journalled });
    if (this.#ending !== undefined) this.#cancel();
  }

  #know(request: Srf.SrfRequest, response: Srf.SrfResponse | undefined): LegDialog {
    const dialog: LegDialog = { ...trunkDialog(request, response), leg: 'handset' };
    this.#journalled = dialog;
    return dialog;
  }

  #failed(status: number): void {
    const { tell, over } = this.#owner;
    this.#over = true;
    if (this.#ending === undefined) {
      const why = `the handset did not take the call that was keyed on it (${status})`;
      tell({ type: 'handset-failed', status: 480, why });
    } else over();
  }

  #answered(dialog: Srf.Dialog): void {
    this.#dialog = dialog;
    this.#first = dialog.remote.sdp;
    const response = (dialog as Srf.Dialog & { res: Srf.SrfResponse }).res;
    const journalled = this.#know(dialog.req, response);
    const { tell, over, violations, handset } = this.#owner;
    dialog.on('destroy', (request) => {
      this.#over = true;
      this.turns.hostGone();
      if (this.#ending !== undefined) over();
      else tell(handsetEnd(request));
    });
    // A 200 that crosses our CANCEL is a call that must not live (RFC 3261 §15.1.1).
    if (this.#ending !== undefined) this.#bye(this.#ending);
    else if (staysWithin(response, this.#isAllowed)) {
      tell({ type: 'handset-answered', offer: asOffer(dialog.remote.sdp), dialog: journalled });
    } else {
      const detail = `${handset} would have us speak outside its wing`;
      violations.alarm({ code: 'sip.foreign-contact', detail, handset, address: response.source_address });
      tell({ type: 'handset-failed', status: 403, why: detail });
    }
  }

  #cancel(): void {
    this.#request?.cancel(() => undefined);
  }

  #bye(cause: EndCause): void {
    if (this.#journalled === undefined) return;
    sendBye({ srf: this.#srf, dialog: this.#journalled, cause }, () => {
      this.#over = true;
      this.#owner.over();
    });
  }
}
