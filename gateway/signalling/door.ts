import type Srf from 'drachtio-srf';
import type { Clock } from '../clock/clock.js';
import type { HandsetAccount, Violation } from './account.js';
import { challenges, verify } from './digest.js';
import { Lockout } from './lockout.js';
import { Nonces } from './nonces.js';

export interface DoorOptions {
  readonly clock: Clock;
  readonly realm: string;
  readonly accounts: readonly HandsetAccount[];
  readonly violation: (violation: Violation) => void;
}

/** Who may speak from the cell side: every request is answered by a challenge until it proves who it is. */
export class Door {
  readonly #byUser: ReadonlyMap<string, HandsetAccount>;
  readonly #nonces: Nonces;
  readonly #lockout: Lockout;
  readonly #options: DoorOptions;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#byUser = new Map(options.accounts.map((account) => [account.user, account]));
    this.#nonces = new Nonces(options.clock);
    this.#lockout = new Lockout(options.clock);
  }

  /** The account that this request proves; undefined when it was answered here (a challenge or a refusal). */
  admit(request: Srf.SrfRequest, response: Srf.SrfResponse, isChallenged = true): HandsetAccount | undefined {
    const { violation, realm } = this.#options;
    const address = request.source_address;
    if (this.#lockout.isBlocked(address)) {
      response.send(403, { headers: { 'Retry-After': '300' } });
      return undefined;
    }
    const user = userOf(request.getParsedHeader('from').uri);
    const account = user === undefined ? undefined : this.#byUser.get(user);
    if (account === undefined) return this.#refuse(request, response, 403, 'handset.unknown', 'nobody of that name');
    if (!account.network.check(address, address.includes(':') ? 'ipv6' : 'ipv4')) {
      violation({
        code: 'sip.foreign-address',
        detail: `${account.handset} spoke from ${address}, outside its wing`,
        handset: account.handset,
        address,
      });
      return this.#refuse(request, response, 403, 'sip.foreign-address', 'outside the wing');
    }
    if (!isChallenged) return account;
    const verdict = verify(request.get('authorization'), {
      method: request.method,
      realm,
      user: account.user,
      ha1: account.ha1,
      nonces: this.#nonces,
    });
    if (verdict.is === 'good') return account;
    if (verdict.is === 'bad') {
      if (verdict.why === 'replayed') {
        violation({
          code: 'sip.replayed-nonce',
          detail: `a used credential of ${account.handset} came again`,
          handset: account.handset,
          address,
        });
      }
      this.#failed(address, account);
    }
    const values = challenges(realm, account.ha1, this.#nonces.issue(), verdict.is === 'stale');
    // One header a challenge: drachtio joins an array into headers of the same name.
    response.send(401, { headers: { 'WWW-Authenticate': values.length === 1 ? values[0] : values } });
    return undefined;
  }

  #refuse(request: Srf.SrfRequest, response: Srf.SrfResponse, status: number, code: string, why: string): undefined {
    this.#failed(request.source_address, undefined);
    response.send(status, { headers: { Warning: `399 balise "${code}: ${why}"` } });
    return undefined;
  }

  #failed(address: string, account: HandsetAccount | undefined): void {
    if (!this.#lockout.failed(address)) return;
    const handset = account && { handset: account.handset };
    this.#options.violation({
      code: 'sip.locked-out',
      detail: `ten failures in a minute from ${address}: blocked for five minutes`,
      address,
      ...handset,
    });
  }
}

/** The user part of a SIP URI. */
export function userOf(uri: string): string | undefined {
  return /^sips?:([^@;?]+)@/i.exec(uri)?.[1];
}
