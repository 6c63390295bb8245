import type Srf from 'drachtio-srf';
import type { LegDialog } from '../calls/record.js';
import type { Clock, Timer } from '../clock/clock.js';
import type { TrunkCredentials } from './account.js';
import { agreedSession, leastInterval, SESSION_S, sessionHeaders } from './session-timer.js';
import { type FinalAnswer, type RequestOrder, sendRequest } from './trunk-request.js';

/** We refresh a little before the engine would at half of the interval: it has no credentials, and is what is behind us. */
const AT = 0.4;
/** A refresh that met a request of the carrier's (491) is tried again after this, milliseconds (RFC 3261 §14.1). */
const LATER_MS = 2_100;

export interface RefreshParts {
  readonly srf: Srf;
  readonly clock: Clock;
  readonly dialog: LegDialog;
  readonly auth: TrunkCredentials;
  /** Our description as the carrier has it. */
  readonly description: () => string;
  /** The carrier knows no such call, gives no answer, or does not believe us. */
  readonly failed: (why: string) => void;
}

/**
 * Keeps the session of a trunk leg alive (RFC 4028 §10) at a carrier that challenges requests in a dialog. Of other carriers'
 * the engine does it by itself.
 */
export class TrunkRefresh {
  #next: Timer | undefined;
  #over = false;

  constructor(private readonly parts: RefreshParts) {}

  /** Begins with the answer to our INVITE, which asked for `askedS` seconds. */
  start(answer: Srf.SrfResponse, askedS: number): void {
    const takesUpdate = answer.has('allow') && /\bUPDATE\b/i.test(answer.get('allow'));
    this.#agree(answer, askedS, takesUpdate);
  }

  stop(): void {
    this.#over = true;
    this.#next?.cancel();
  }

  #agree(answer: Srf.SrfResponse, askedS: number, takesUpdate: boolean): void {
    const { intervalS, isOurs } = agreedSession(answer, askedS);
    if (isOurs) this.#after(intervalS * 1_000 * AT, intervalS, takesUpdate);
  }

  #after(ms: number, intervalS: number, takesUpdate: boolean): void {
    this.#next?.cancel();
    if (!this.#over) this.#next = this.parts.clock.after(ms, () => this.#refresh(intervalS, takesUpdate));
  }

  #refresh(intervalS: number, takesUpdate: boolean): void {
    const { srf, dialog, auth, description } = this.parts;
    const place = { uri: dialog.remoteTarget, stackDialogId: dialog.dialogId };
    const headers = sessionHeaders(intervalS, 'uac');
    const order: RequestOrder = takesUpdate
      ? { method: 'UPDATE', ...place, headers }
      : { method: 'INVITE', ...place, headers, body: description() };
    sendRequest(srf, order, auth, (answer) => {
      // A 2xx is acknowledged even when the call is over meanwhile: the carrier would repeat it for 32 s.
      if (!takesUpdate && answer !== undefined && answer.response.status < 300) answer.acknowledge();
      if (!this.#over) this.#answered(answer, intervalS, takesUpdate);
    });
  }

  #answered(answer: FinalAnswer | undefined, intervalS: number, takesUpdate: boolean): void {
    const { failed } = this.parts;
    if (answer === undefined) return;
    const { response } = answer;
    const { status } = response;
    if (status < 300) this.#agree(response, intervalS, takesUpdate);
    else if (status === 422) {
      const leastS = leastInterval(response);
      // Longer once, and no more: a carrier must not keep us asking.
      if (leastS !== undefined && leastS > intervalS && intervalS <= SESSION_S) this.#after(0, leastS, takesUpdate);
    } else if (status === 491) this.#after(LATER_MS, intervalS, takesUpdate);
    else if (status === 401 || status === 407) failed(`it does not believe us (${status})`);
    // Of anything else the engine's own refresh is the second try, and the end of the interval the end (§10).
    else if (status === 408 || status === 481) failed(`it knows no such call (${status})`);
  }
}
