import type Srf from 'drachtio-srf';
import type { HandsetAccount } from './account.js';
import { staysWithin } from './contact.js';
import { type Door, isIn } from './door.js';
import type { Handler, JudgedSrf } from './judged-srf.js';
import type { Registrar } from './registrar.js';
import { ALLOW, FORBIDDEN, unsupported } from './rules-in-dialog.js';
import type { Violations } from './violations.js';

export interface ReceptionParts {
  readonly door: Door;
  readonly registrar: Registrar;
  readonly violations: Violations;
  readonly isFromCell: (request: Srf.SrfRequest) => boolean;
  /** For measurements alone: INVITEs are believed without a challenge. */
  readonly challengeInvites: boolean;
  /** A call that is asked for properly, by whom it says. */
  readonly call: (account: HandsetAccount, request: Srf.SrfRequest, response: Srf.SrfResponse) => void;
}

/** Takes the requests that belong to no dialog: lets calls and registrations through to those who judge them. */
export class Reception {
  constructor(private readonly parts: ReceptionParts) {}

  routes(srf: JudgedSrf): void {
    const route = (method: string, handle: Handler): void => srf.use(method, srf.guarded(handle));
    route('invite', (request, response) => this.#invited(request, response));
    route('register', (request, response) => this.#registered(request, response));
    route('options', (_request, response) => response.send(200, { headers: { Allow: ALLOW } }));
    for (const method of Object.keys(FORBIDDEN)) {
      route(method, (request, response) => this.#forbidden(method, request, response));
    }
  }

  #registered(request: Srf.SrfRequest, response: Srf.SrfResponse): void {
    const { door, registrar, isFromCell } = this.parts;
    if (!isFromCell(request)) {
      this.#alarm('sip.inward-request', `a REGISTER came from ${request.source_address} on the trunk side`, request);
      response.send(403, {});
      return;
    }
    const account = door.admit(request, response);
    if (account !== undefined && this.#isUnderstood(request, response)) registrar.register(account, request, response);
  }

  #invited(request: Srf.SrfRequest, response: Srf.SrfResponse): void {
    const { door, isFromCell, challengeInvites, call } = this.parts;
    if (!isFromCell(request)) {
      this.#alarm('sip.inward-call', `an INVITE came from ${request.source_address} on the trunk side`, request);
      response.send(403, {});
      return;
    }
    const account = door.admit(request, response, challengeInvites);
    if (account === undefined) return;
    if (request.has('replaces') || request.has('join')) {
      this.#alarm('sip.replaces', `${account.handset} tried to take over a call`, request, account);
      response.send(481, {});
      return;
    }
    if (!staysWithin(request, (address) => isIn(account, address))) {
      this.#alarm('sip.foreign-contact', `${account.handset} would have us speak outside its wing`, request, account);
      response.send(403, {});
      return;
    }
    if (!this.#isUnderstood(request, response)) return;
    if (request.body === '' || request.body === undefined) {
      response.send(400, {});
      return;
    }
    call(account, request, response);
  }

  /** A request that requires what we do not have is refused 420. */
  #isUnderstood(request: Srf.SrfRequest, response: Srf.SrfResponse): boolean {
    const missing = unsupported(request);
    if (missing !== undefined) response.send(420, { headers: { Unsupported: missing } });
    return missing === undefined;
  }

  #forbidden(method: string, request: Srf.SrfRequest, response: Srf.SrfResponse): void {
    const { status, alarm } = FORBIDDEN[method] ?? { status: 405, alarm: false };
    if (alarm) this.#alarm(`sip.${method}`, `${request.source_address} sent ${method.toUpperCase()}`, request);
    else this.parts.violations.count(`sip.${method}`);
    response.send(status, { headers: { Allow: ALLOW } });
  }

  #alarm(code: string, detail: string, request: Srf.SrfRequest, account?: HandsetAccount): void {
    const address = request.source_address;
    this.parts.violations.alarm({ code, detail, address, ...(account && { handset: account.handset }) });
  }
}
