import type Srf from 'drachtio-srf';
import type { Clock } from '../clock/clock.js';
import type { HandsetId } from '../policy/ids.js';
import type { HandsetAccount, Violation } from './account.js';
import { userOf } from './door.js';

const LONGEST_S = 3_600;
const SHORTEST_S = 60;

interface Binding {
  readonly contact: string;
  readonly address: string;
  readonly untilNs: bigint;
}

/** One contact a handset (RFC 3261 §10.3, narrowed): a second one from another address is refused while the first lives. */
export class Registrar {
  readonly #bindings = new Map<HandsetId, Binding>();

  constructor(
    private readonly clock: Clock,
    private readonly violation: (violation: Violation) => void,
  ) {}

  isRegistered(handset: HandsetId): boolean {
    return (this.#bindings.get(handset)?.untilNs ?? 0n) > this.clock.monotonicNs();
  }

  get count(): number {
    const now = this.clock.monotonicNs();
    let alive = 0;
    for (const { untilNs } of this.#bindings.values()) if (untilNs > now) alive += 1;
    return alive;
  }

  /** Answers an authenticated REGISTER. */
  register(account: HandsetAccount, request: Srf.SrfRequest, response: Srf.SrfResponse): void {
    const { handset } = account;
    const address = request.source_address;
    if (userOf(request.getParsedHeader('to').uri) !== account.user) {
      this.violation({
        code: 'sip.foreign-aor',
        detail: `${handset} tried to register another's address`,
        handset,
        address,
      });
      response.send(403, {});
      return;
    }
    const alive = this.isRegistered(handset) ? this.#bindings.get(handset) : undefined;
    const contact = request.get('contact');
    if (contact === undefined) {
      response.send(200, { headers: contactsOf(alive, this.clock.monotonicNs()) });
      return;
    }
    const wanted = Number(/;\s*expires\s*=\s*(\d+)/i.exec(contact)?.[1] ?? request.get('expires') ?? LONGEST_S);
    if (alive !== undefined && alive.address !== address) {
      this.violation({
        code: 'sip.second-registration',
        detail: `${handset} is registered from ${alive.address}; ${address} wanted it too`,
        handset,
        address,
      });
      response.send(403, {});
      return;
    }
    if (wanted === 0) {
      this.#bindings.delete(handset);
      response.send(200, {});
      return;
    }
    if (!Number.isFinite(wanted)) {
      response.send(400, {});
      return;
    }
    if (wanted < SHORTEST_S) {
      response.send(423, { headers: { 'Min-Expires': String(SHORTEST_S) } });
      return;
    }
    const seconds = Math.min(wanted, LONGEST_S);
    const binding = {
      contact: contact.replace(/;\s*expires\s*=\s*\d+/i, ''),
      address,
      untilNs: this.clock.monotonicNs() + BigInt(seconds) * 1_000_000_000n,
    };
    this.#bindings.set(handset, binding);
    response.send(200, { headers: contactsOf(binding, this.clock.monotonicNs()) });
  }
}

function contactsOf(binding: Binding | undefined, nowNs: bigint): Record<string, string> {
  if (binding === undefined) return {};
  return { Contact: `${binding.contact};expires=${(binding.untilNs - nowNs) / 1_000_000_000n}` };
}
