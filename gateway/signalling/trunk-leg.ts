import type Srf from 'drachtio-srf';
import type { DialOrder } from '../calls/ports.js';
import type { EndCause, LegDialog } from '../calls/record.js';
import type { Clock } from '../clock/clock.js';
import type { TrunkAccount } from './account.js';
import { type LegOwner, sendBye } from './leg.js';
import { trunkDialog } from './leg-dialog.js';
import { causeOf, mayFailOver } from './outcomes.js';

/** The leg to the carrier: we are its UAC. Trunks are tried in order, until one rings or answers. */
export class TrunkLeg {
  readonly #clock: Clock;
  readonly #owner: LegOwner;
  /** The handset's dialog, as it is when the trunk answers. */
  readonly #handsetDialog: () => LegDialog;
  /** Trunks not tried yet. */
  #left: TrunkAccount[] = [];
  #request: Srf.SrfRequest | undefined;
  #dialog: Srf.Dialog | undefined;
  #journalled: LegDialog | undefined;
  #rang = false;
  /** An INVITE is out and has no final answer. */
  #pending = false;
  #over = true;
  #ending: EndCause | undefined;

  constructor(clock: Clock, owner: LegOwner, handsetDialog: () => LegDialog) {
    this.#clock = clock;
    this.#owner = owner;
    this.#handsetDialog = handsetDialog;
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** The dialog as the journal keeps it; undefined before the first INVITE. */
  get journalled(): LegDialog | undefined {
    return this.#journalled;
  }

  dial(srf: Srf, order: DialOrder, trunks: readonly TrunkAccount[]): void {
    this.#left = [...trunks];
    this.#dialNext(srf, order, 503);
  }

  /** Ends the leg in the way that its state asks for. */
  end(cause: EndCause): void {
    this.#ending = cause;
    if (this.#pending) this.#cancel();
    else if (this.#dialog !== undefined && !this.#over) this.#bye(this.#dialog, cause);
  }

  #dialNext(srf: Srf, order: DialOrder, lastStatus: number): void {
    const trunk = this.#left.shift();
    if (trunk === undefined) {
      this.#failed(lastStatus);
      return;
    }
    this.#rang = false;
    this.#over = false;
    this.#pending = true;
    const ringing = this.#clock.after(order.ringMs, () => {
      if (this.#pending && this.#ending === undefined) this.#owner.tell({ type: 'ring-timeout' });
    });
    const settled = (): void => {
      ringing.cancel();
      this.#pending = false;
    };
    this.#invite(srf, order, trunk).then(
      (dialog) => {
        settled();
        this.#answered(dialog);
      },
      (error: { status?: number }) => {
        settled();
        this.#over = true;
        const status = error.status ?? 503;
        if (this.#ending !== undefined) this.#owner.over();
        else if (mayFailOver(status, this.#rang) && this.#left.length > 0) this.#dialNext(srf, order, status);
        else this.#failed(status);
      },
    );
  }

  #failed(status: number): void {
    this.#owner.tell({ type: 'trunk-failed', status, cause: causeOf(status) });
  }

  #invite(srf: Srf, order: DialOrder, trunk: TrunkAccount): Promise<Srf.Dialog> {
    const transport = trunk.transport === 'udp' ? '' : `;transport=${trunk.transport}`;
    const identity = order.callerIdentity;
    const sent = (error: unknown, request: Srf.SrfRequest | undefined): void => {
      if (error || request === undefined) return;
      this.#request = request;
      this.#journalled = trunkDialog(request, undefined);
      this.#owner.tell({ type: 'dialling', trunk: trunk.id, dialog: this.#journalled });
      if (this.#ending !== undefined) this.#cancel();
    };
    return srf.createUAC(
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
        cbRequest: sent as unknown as (request: Srf.SrfRequest) => void,
        cbProvisional: (provisional) => this.#provisional(provisional),
      },
    );
  }

  #provisional(provisional: Srf.SrfResponse): void {
    const { tell } = this.#owner;
    if (provisional.status === 181 || provisional.has('diversion') || provisional.has('history-info')) {
      this.#redirected('the carrier forwards a call elsewhere');
      return;
    }
    if (provisional.status < 180) return;
    this.#rang = true;
    tell({ type: 'trunk-ringing' });
    if (provisional.status === 183 && provisional.body) tell({ type: 'trunk-early-media', sdp: provisional.body });
  }

  #answered(dialog: Srf.Dialog): void {
    const { tell, over } = this.#owner;
    this.#dialog = dialog;
    const response = (dialog as Srf.Dialog & { res: Srf.SrfResponse }).res;
    const journalled = trunkDialog(dialog.req, response);
    this.#journalled = journalled;
    dialog.on('destroy', () => {
      this.#over = true;
      if (this.#ending === undefined) tell({ type: 'trunk-hung-up' });
      else over();
    });
    dialog.on('modify', (_request, answer) => answer.send(200, { body: dialog.local.sdp }));
    dialog.on('refer', (_request, answer) => answer.send(603, {}));
    // A 200 that crosses our CANCEL is a call that must not live (RFC 3261 §15.1.1).
    if (this.#ending !== undefined) this.#bye(dialog, this.#ending);
    else if (response.has('diversion') || response.has('history-info')) {
      this.#redirected('the carrier answered from elsewhere');
    } else {
      const dialogs = [this.#handsetDialog(), journalled];
      tell({ type: 'trunk-answered', answer: dialog.remote.sdp, dialogs });
    }
  }

  #redirected(detail: string): void {
    const { violations, tell, handset } = this.#owner;
    violations.alarm({ code: 'callee.redirected', detail, handset });
    tell({ type: 'callee-redirected' });
  }

  #cancel(): void {
    this.#request?.cancel(() => undefined);
  }

  #bye(dialog: Srf.Dialog, cause: EndCause): void {
    sendBye(dialog, cause, () => {
      this.#over = true;
      this.#owner.over();
    });
  }
}
