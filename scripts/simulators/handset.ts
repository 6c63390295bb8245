import type Srf from 'drachtio-srf';
import { RtpPhone } from './rtp-phone.js';
import type { SipParty } from './sip-party.js';

export interface HandsetAccount {
  readonly user: string;
  readonly password: string;
  readonly realm: string;
}

/** What came of a call as the handset saw it. */
export type Dialled =
  | { readonly outcome: 'answered'; readonly call: HandsetCall }
  | {
      readonly outcome: 'refused';
      readonly status: number;
      readonly reason: string;
      readonly rule: string | undefined;
    };

/** One answered call at the handset. */
export class HandsetCall {
  readonly phone: RtpPhone;
  readonly #dialog: Srf.Dialog;
  /** Settles when the call is over, with who ended it and when BYE came (CLOCK_MONOTONIC, nanoseconds). */
  readonly ended: Promise<{ readonly by: 'handset' | 'gateway'; readonly atNs: bigint }>;
  #endedBy: (by: 'handset' | 'gateway') => void = () => undefined;
  #turned: (() => void)[] = [];

  constructor(dialog: Srf.Dialog, phone: RtpPhone) {
    this.#dialog = dialog;
    this.phone = phone;
    this.ended = new Promise((resolve) => {
      this.#endedBy = (by) => resolve({ by, atNs: process.hrtime.bigint() });
    });
    dialog.on('destroy', () => this.#endedBy('gateway'));
    // A re-INVITE moves the sound: to a contact, and back to the desk.
    dialog.on('modify', (request: Srf.SrfRequest, response: Srf.SrfResponse) => {
      phone.talkTo(request.body);
      response.send(200, { body: phone.sdp() });
      const waiting = this.#turned;
      this.#turned = [];
      for (const resolve of waiting) resolve();
    });
    phone.talkTo(dialog.remote.sdp);
  }

  /** Settles when the sound is moved next: to a contact, or back to the desk. */
  turned(): Promise<void> {
    return new Promise((resolve) => this.#turned.push(resolve));
  }

  async hangUp(): Promise<void> {
    await this.#dialog.destroy();
    this.#endedBy('handset');
  }
}

interface SipFailure {
  readonly status?: number;
  readonly reason?: string;
  readonly res?: { get(name: string): string | undefined };
}

/** A simulated SIP handset in a cell: registers, dials, talks, hangs up. */
export class SimulatedHandset {
  readonly #party: SipParty;
  readonly #account: HandsetAccount;
  readonly #gateway: string;

  /** `gateway` is host:port of the gateway's cell side. */
  constructor(party: SipParty, account: HandsetAccount, gateway: string) {
    this.#party = party;
    this.#account = account;
    this.#gateway = gateway;
  }

  get #aor(): string {
    return `<sip:${this.#account.user}@${this.#account.realm}>`;
  }

  get #contact(): string {
    return `<sip:${this.#account.user}@${this.#party.address}:${this.#party.port}>`;
  }

  /** Registers for ten minutes; settles with the final status. */
  register(): Promise<number> {
    const { user, password } = this.#account;
    const options = {
      uri: `sip:${this.#gateway}`,
      method: 'REGISTER',
      headers: { From: this.#aor, To: this.#aor, Contact: `${this.#contact};expires=600` },
      auth: { username: user, password },
    };
    return new Promise((resolve, reject) => {
      const sent = (error: unknown, request?: Srf.SrfRequest) => {
        if (error) return reject(error);
        request?.on('response', (response) => resolve(response?.status ?? 0));
      };
      // drachtio-srf's published types describe an older signature of `request`.
      (this.#party.srf.request as unknown as (options: unknown, sent: unknown) => void).call(
        this.#party.srf,
        options,
        sent,
      );
    });
  }

  /** Dials; settles when the call is answered or finally refused. */
  async dial(dialled: string): Promise<Dialled> {
    const { user, password } = this.#account;
    const phone = await RtpPhone.open(this.#party.address);
    try {
      const dialog = await this.#party.srf.createUAC(`sip:${dialled}@${this.#gateway}`, {
        headers: { From: this.#aor, Contact: this.#contact },
        localSdp: phone.sdp(),
        auth: { username: user, password },
      });
      return { outcome: 'answered', call: new HandsetCall(dialog, phone) };
    } catch (error) {
      phone.close();
      const failure = error as SipFailure;
      if (failure.status === undefined) throw error;
      const header = failure.res?.get('reason') ?? failure.res?.get('warning');
      const rule = /"([a-z-]+\.[a-z-]+)/.exec(header ?? '')?.[1];
      return { outcome: 'refused', status: failure.status, reason: failure.reason ?? '', rule };
    }
  }
}
