import type Srf from 'drachtio-srf';
import type { Clock } from '../clock/clock.js';
import type { HandsetId } from '../policy/ids.js';
import type { HandsetAccount } from './account.js';
import { type Contact, hasStar, readContact } from './contact.js';
import { isIn, userOf } from './door.js';
import type { Violations } from './violations.js';

const LONGEST_S = 3_600;
const SHORTEST_S = 60;

interface Binding {
  readonly contact: Contact;
  readonly address: string;
  readonly userAgent?: string;
  /** When this contact was first bound without a break. */
  readonly sinceNs: bigint;
  readonly untilNs: bigint;
}

/** Where a handset that is registered is called: its Contact, and the addresses that it speaks from. */
export interface Place {
  readonly uri: string;
  readonly addresses: readonly string[];
}

/** A registration that stands, as people look at it. */
export interface Registration {
  readonly address: string;
  /** What the phone calls itself (RFC 3261 §20.41): its word, and no proof. */
  readonly userAgent?: string;
  readonly ageMs: number;
  readonly leftMs: number;
}

const LONGEST_AGENT = 200;

/** The request that changed a handset's registration last, for as long as another one may have been overtaken by it. */
interface Change {
  readonly callId: string;
  readonly cseq: number;
  readonly untilNs: bigint;
}

/** No request is under way for longer (64·T1, RFC 3261 §17.1.2.2): a later one does not undo what was taken back. */
const UNDER_WAY_NS = 32_000_000_000n;

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a REGISTER wants done; `keep` is a question. */
type Wish =
  | { readonly is: 'keep' }
  | { readonly is: 'remove' }
  | { readonly is: 'bind'; readonly contact: Contact; readonly seconds: number }
  | ({ readonly is: 'refuse' } & Answer);

/** A registration that was taken or kept up, as it came. */
export interface Registered {
  readonly handset: HandsetId;
  readonly address: string;
  /** Its User-Agent; empty without one. */
  readonly userAgent: string;
}

/** One contact a handset (RFC 3261 §10.3, narrowed): a second one from another address is refused while the first lives. */
export class Registrar {
  readonly #bindings = new Map<HandsetId, Binding>();
  readonly #changes = new Map<HandsetId, Change>();

  constructor(
    private readonly clock: Clock,
    private readonly violations: Violations,
    private readonly registered: (registration: Registered) => void = () => undefined,
  ) {}

  /** Forgets the registrations of those that are not among these accounts. */
  keep(accounts: readonly HandsetAccount[]): void {
    const known = new Set(accounts.map(({ handset }) => handset));
    for (const kept of [this.#bindings, this.#changes])
      for (const handset of kept.keys()) if (!known.has(handset)) kept.delete(handset);
  }

  isRegistered(handset: HandsetId): boolean {
    return this.#alive(handset) !== undefined;
  }

  /** Where the handset is; undefined while it is not registered. */
  placeOf(handset: HandsetId): Place | undefined {
    const binding = this.#alive(handset);
    if (binding === undefined) return undefined;
    const { uri, address = binding.address } = binding.contact;
    return { uri, addresses: [address, binding.address] };
  }

  /** What stands of a handset's registration; undefined when it has none. */
  registration(handset: HandsetId): Registration | undefined {
    const binding = this.#alive(handset);
    if (binding === undefined) return undefined;
    const { address, userAgent, sinceNs, untilNs } = binding;
    const now = this.clock.monotonicNs();
    const msOf = (ns: bigint): number => Number(ns / 1_000_000n);
    const agent = userAgent === undefined ? {} : { userAgent };
    return { address, ...agent, ageMs: msOf(now - sinceNs), leftMs: msOf(untilNs - now) };
  }

  get count(): number {
    const now = this.clock.monotonicNs();
    let alive = 0;
    for (const { untilNs } of this.#bindings.values()) if (untilNs > now) alive += 1;
    return alive;
  }

  /** Answers an authenticated REGISTER. */
  register(account: HandsetAccount, request: Srf.SrfRequest, response: Srf.SrfResponse): void {
    const { status, headers = {} } = this.#judge(account, request);
    response.send(status, { headers });
  }

  #judge(account: HandsetAccount, request: Srf.SrfRequest): Answer {
    const { handset } = account;
    const address = request.source_address;
    const alarm = (code: string, detail: string): void => this.violations.alarm({ code, detail, handset, address });
    if (userOf(request.getParsedHeader('to').uri) !== account.user) {
      alarm('sip.foreign-aor', `${handset} tried to register another's address`);
      return { status: 403 };
    }
    const alive = this.#alive(handset);
    const wish = wishOf(request);
    if (wish.is === 'keep') return { status: 200, headers: this.#contactOf(alive) };
    if (alive !== undefined && alive.address !== address) {
      alarm('sip.second-registration', `${handset} is registered from ${alive.address}; ${address} wanted it too`);
      return { status: 403 };
    }
    if (wish.is === 'refuse') return wish;
    if (wish.is === 'bind' && (wish.contact.address === undefined || !isIn(account, wish.contact.address))) {
      alarm('sip.foreign-contact', `${handset} gave a contact outside its wing`);
      return { status: 403 };
    }
    const now = this.clock.monotonicNs();
    const untilNs = now + (wish.is === 'remove' ? UNDER_WAY_NS : BigInt(wish.seconds) * 1_000_000_000n);
    if (!this.#isNew(handset, request, untilNs)) return { status: 500 };
    if (wish.is === 'remove') this.#bindings.delete(handset);
    else {
      const { contact } = wish;
      const sinceNs = alive?.contact.text === contact.text ? alive.sinceNs : now;
      const agent = request.has('user-agent') ? { userAgent: request.get('user-agent').slice(0, LONGEST_AGENT) } : {};
      this.#bindings.set(handset, { contact, address, ...agent, sinceNs, untilNs });
      this.registered({ handset, address, userAgent: request.has('user-agent') ? request.get('user-agent') : '' });
    }
    return { status: 200, headers: this.#contactOf(this.#alive(handset)) };
  }

  #alive(handset: HandsetId): Binding | undefined {
    const binding = this.#bindings.get(handset);
    return binding !== undefined && binding.untilNs > this.clock.monotonicNs() ? binding : undefined;
  }

  /**
   * A request that was overtaken by a later one of its series changes nothing (RFC 3261 §10.3, step 7). With a registration
   * that has lapsed there is nothing to compare: a phone that was started anew may count from the beginning.
   */
  #isNew(handset: HandsetId, request: Srf.SrfRequest, untilNs: bigint): boolean {
    const change = { callId: request.get('call-id'), cseq: Number.parseInt(request.get('cseq'), 10), untilNs };
    const before = this.#changes.get(handset);
    const counts = before !== undefined && before.untilNs > this.clock.monotonicNs();
    if (counts && before.callId === change.callId && change.cseq <= before.cseq) return false;
    this.#changes.set(handset, change);
    return true;
  }

  #contactOf(binding: Binding | undefined): Record<string, string> {
    if (binding === undefined) return {};
    const seconds = (binding.untilNs - this.clock.monotonicNs()) / 1_000_000_000n;
    return { Contact: `${binding.contact.text};expires=${seconds}` };
  }
}

function wishOf(request: Srf.SrfRequest): Wish {
  if (!request.has('contact')) return { is: 'keep' };
  const value = request.get('contact');
  const inHeader = request.has('expires') ? request.get('expires').trim() : undefined;
  if (hasStar(value)) {
    // A star takes everything back, and can do nothing else (RFC 3261 §10.2.2).
    return value.trim() === '*' && inHeader === '0' ? { is: 'remove' } : { is: 'refuse', status: 400 };
  }
  const contact = readContact(value);
  if (contact === undefined) return { is: 'refuse', status: 403 };
  const said = contact.expires ?? inHeader ?? String(LONGEST_S);
  if (!/^\d{1,12}$/.test(said)) return { is: 'refuse', status: 400 };
  const seconds = Number(said);
  if (seconds === 0) return { is: 'remove' };
  if (seconds < SHORTEST_S) return { is: 'refuse', status: 423, headers: { 'Min-Expires': String(SHORTEST_S) } };
  return { is: 'bind', contact, seconds: Math.min(seconds, LONGEST_S) };
}
