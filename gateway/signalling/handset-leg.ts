import type Srf from 'drachtio-srf';
import type { EndCause, LegDialog } from '../calls/record.js';
import { type LegOwner, sendBye } from './leg.js';
import { handsetDialog } from './leg-dialog.js';
import { statusFor } from './outcomes.js';
import { FORBIDDEN, sameMedia } from './rules-in-dialog.js';

const SERVER = 'Balise';

/** The leg to the handset: we are its UAS. */
export class HandsetLeg {
  readonly #request: Srf.SrfRequest;
  readonly #response: Srf.SrfResponse;
  readonly #owner: LegOwner;
  /** A message of ours that carries our To tag. */
  #sent: Srf.SipMessage | undefined;
  #dialog: Srf.Dialog | undefined;
  /** The INVITE has its final answer. */
  #answered = false;
  #over = false;
  #ending: EndCause | undefined;

  constructor(request: Srf.SrfRequest, response: Srf.SrfResponse, owner: LegOwner) {
    this.#request = request;
    this.#response = response;
    this.#owner = owner;
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
    this.#response.send(180, '', { headers: { Server: SERVER } }, (error, sent) => {
      if (!error) this.#sent = sent;
    });
  }

  /** 200 with this SDP. Tells `accepted` when the ACK is in. */
  accept(srf: Srf, answer: string): void {
    if (this.#answered) return;
    this.#answered = true;
    srf.createUAS(this.#request, this.#response, { localSdp: answer, headers: { Server: SERVER } }).then(
      (dialog) => {
        this.#dialog = dialog;
        this.#watch(dialog);
        if (this.#ending !== undefined) this.#bye(dialog, this.#ending);
      },
      () => {
        this.#over = true;
        if (this.#ending === undefined) this.#owner.tell({ type: 'handset-cancelled' });
        else this.#owner.over();
      },
    );
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
    if (!this.#answered) this.refuse(statusFor(cause), cause);
    else if (this.#dialog !== undefined && !this.#over) this.#bye(this.#dialog, cause);
  }

  #bye(dialog: Srf.Dialog, cause: EndCause): void {
    sendBye(dialog, cause, () => {
      this.#over = true;
      this.#owner.over();
    });
  }

  #watch(dialog: Srf.Dialog): void {
    const { tell, over, violations, handset } = this.#owner;
    dialog.once('ack', () => tell({ type: 'accepted' }));
    dialog.on('destroy', () => {
      this.#over = true;
      if (this.#ending === undefined) tell({ type: 'handset-hung-up' });
      else over();
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
          violations.alarm({
            code: `sip.${method}`,
            detail: `${handset} sent ${method.toUpperCase()} in a call`,
            handset,
          });
      });
    }
  }
}
