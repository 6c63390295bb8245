import { isIPv6 } from 'node:net';
import type Srf from 'drachtio-srf';
import type { Clock } from '../clock/clock.js';
import type { HandsetAccount } from './account.js';
import { challenges, type DigestVerdict, verify } from './digest.js';
import { Lockout } from './lockout.js';
import { Nonces } from './nonces.js';
import type { Violations } from './violations.js';

export interface DoorOptions {
  readonly clock: Clock;
  readonly realm: string;
  readonly accounts: readonly HandsetAccount[];
}

/** Who may speak from the cell side: every request is answered by a challenge until it proves who it is. */
export class Door {
  readonly #realm: string;
  #byUser: ReadonlyMap<string, HandsetAccount> = new Map();
  readonly #nonces: Nonces;
  readonly #lockout: Lockout;
  readonly #violations: Violations;

  constructor({ clock, realm, accounts }: DoorOptions, violations: Violations) {
    this.#realm = realm;
    this.setAccounts(accounts);
    this.#nonces = new Nonces(clock);
    this.#lockout = new Lockout(clock);
    this.#violations = violations;
  }

  /** From now on these may speak, and nobody else. */
  setAccounts(accounts: readonly HandsetAccount[]): void {
    this.#byUser = new Map(accounts.map((account) => [account.user, account]));
  }

  /** The account that this request proves; undefined when it was answered here (a challenge or a refusal). */
  admit(request: Srf.SrfRequest, response: Srf.SrfResponse, isChallenged = true): HandsetAccount | undefined {
    const address = request.source_address;
    const blockedS = this.#lockout.secondsLeft(address);
    if (blockedS > 0) {
      this.#violations.count('sip.blocked');
      response.send(403, { headers: { 'Retry-After': String(blockedS) } });
      return undefined;
    }
    const user = userOf(request.getParsedHeader('from').uri);
    const account = user === undefined ? undefined : this.#byUser.get(user);
    if (account === undefined) {
      this.#violations.count('handset.unknown');
      return this.#refuse(request, response, 'handset.unknown', 'nobody of that name');
    }
    if (!isIn(account, address)) {
      this.#violations.alarm({
        code: 'sip.foreign-address',
        detail: `${account.handset} spoke from ${address}, outside its wing`,
        handset: account.handset,
        address,
      });
      return this.#refuse(request, response, 'sip.foreign-address', 'outside the wing');
    }
    if (!isChallenged) return account;
    const verdict = verify(request.get('authorization'), {
      method: request.method,
      uri: request.uri,
      realm: this.#realm,
      user: account.user,
      ha1: account.ha1,
      nonces: this.#nonces,
      address,
    });
    if (verdict.is === 'good') return account;
    if (verdict.is === 'bad') this.#distrust(verdict, account, address);
    this.#challenge(response, account, address, verdict.is === 'stale');
    return undefined;
  }

  #challenge(response: Srf.SrfResponse, account: HandsetAccount, address: string, stale: boolean): void {
    const values = challenges(this.#realm, account.ha1, this.#nonces.issue(address), stale);
    // A header field row each, never joined by commas (RFC 3261 §7.3.1); drachtio-srf has no other way to say one twice.
    response.send(401, { headers: { 'WWW-Authenticate': values.join('\r\nWWW-Authenticate: ') } });
  }

  #distrust(verdict: Extract<DigestVerdict, { is: 'bad' }>, account: HandsetAccount, address: string): void {
    const { handset } = account;
    const say = (code: string, detail: string): void => this.#violations.alarm({ code, detail, handset, address });
    this.#violations.count(`sip.digest-${verdict.why}`);
    // These three were made by somebody who knows the secret, and are not where they belong.
    if (verdict.why === 'replayed') say('sip.replayed-nonce', `a used credential of ${handset} came again`);
    if (verdict.why === 'elsewhere')
      say('sip.replayed-nonce', `a credential of ${handset} came from ${address} instead`);
    if (verdict.why === 'uri') say('sip.moved-credential', `a credential of ${handset} came with another request`);
    this.#failed(address, account);
  }

  #refuse(request: Srf.SrfRequest, response: Srf.SrfResponse, code: string, why: string): undefined {
    this.#failed(request.source_address, undefined);
    response.send(403, { headers: { Warning: `399 balise "${code}: ${why}"` } });
    return undefined;
  }

  #failed(address: string, account: HandsetAccount | undefined): void {
    if (!this.#lockout.failed(address)) return;
    this.#violations.alarm({
      code: 'sip.locked-out',
      detail: `ten failures in a minute from ${address}: blocked for five minutes`,
      address,
      ...(account && { handset: account.handset }),
    });
  }
}

/** Addresses that were looked for in a network: a handset speaks a dozen times in a call, always from the same. */
const looked = new WeakMap<HandsetAccount['network'], Map<string, boolean>>();
const MOST_LOOKED = 256;

/** Whether an address is in the network of the handset's wing. */
export function isIn({ network }: HandsetAccount, address: string): boolean {
  const known = looked.get(network) ?? new Map<string, boolean>();
  const before = known.get(address);
  if (before !== undefined) return before;
  const is = network.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  if (known.size >= MOST_LOOKED) known.clear();
  known.set(address, is);
  looked.set(network, known);
  return is;
}

/** The user part of a SIP URI. */
export function userOf(uri: string): string | undefined {
  return /^sips?:([^@;?]+)@/i.exec(uri)?.[1];
}
