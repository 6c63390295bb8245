import type Srf from 'drachtio-srf';
import type { HandsetAccount, Violation } from './account.js';
import type { Door } from './door.js';
import type { Registrar } from './registrar.js';
import { FORBIDDEN } from './rules-in-dialog.js';

export interface ReceptionParts {
  readonly door: Door;
  readonly registrar: Registrar;
  readonly violation: (violation: Violation) => void;
  readonly isFromCell: (request: Srf.SrfRequest) => boolean;
  /** For measurements alone: INVITEs are believed without a challenge. */
  readonly challengeInvites: boolean;
  /** A call that is asked for properly, by whom it says. */
  readonly call: (account: HandsetAccount, request: Srf.SrfRequest, response: Srf.SrfResponse) => void;
}

/** Takes the requests that belong to no dialog: lets calls and registrations through to those who judge them. */
export class Reception {
  constructor(private readonly parts: ReceptionParts) {}

  routes(srf: Srf): void {
    const { door, registrar, isFromCell } = this.parts;
    srf.invite((request, response) => this.#invited(request, response));
    srf.use('register', (request, response) => {
      if (!isFromCell(request)) {
        response.send(403, {});
        return;
      }
      const account = door.admit(request, response);
      if (account !== undefined) registrar.register(account, request, response);
    });
    srf.use('options', (_request, response) =>
      response.send(200, { headers: { Allow: 'INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO' } }),
    );
    for (const [method, { status }] of Object.entries(FORBIDDEN)) {
      srf.use(method, (_request, response) => response.send(status, {}));
    }
  }

  #invited(request: Srf.SrfRequest, response: Srf.SrfResponse): void {
    const { door, violation, isFromCell, challengeInvites, call } = this.parts;
    if (!isFromCell(request)) {
      violation({
        code: 'sip.inward-call',
        detail: `an INVITE came from ${request.source_address} on the trunk side`,
        address: request.source_address,
      });
      response.send(403, {});
      return;
    }
    const account = door.admit(request, response, challengeInvites);
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
    call(account, request, response);
  }
}
