import { type FSWatcher, mkdirSync, readFileSync, watch } from 'node:fs';
import type { Temporal } from 'temporal-polyfill';
import type { PolicyBundle, Profiles } from '../config/schema/types.generated.js';
import type { Judge } from './calls/judge.js';
import type { Clock } from './clock/clock.js';
import { programData } from './config/paths.js';
import type { SiteFiles } from './config/site.js';
import type { OwnList } from './do-not-call/own-list.js';
import { ListShelf, listFolder } from './do-not-call/shelf.js';
import { decide, mayCallAtAll } from './policy/decide.js';
import type { Decision } from './policy/decision.js';
import { decideDesk } from './policy/desk.js';
import { type Explanation, explain } from './policy/explain.js';
import type { HandsetId } from './policy/ids.js';
import type { ZoneTables } from './policy/number-zones.js';
import { type CompiledPolicy, compilePolicy, type PolicyInput } from './policy/policy.js';
import type { DialRequest, DoNotCallLists, Facts, PolicyState, UsageBook } from './policy/request.js';
import { type Acceptance, endOf, judgeBundle } from './policy-bundle/acceptance.js';
import { BundleFault, bundleDigest, type VerifiedBundle, verifyBundle } from './policy-bundle/bundle.js';
import { type BundleAnswer, BundleInbox, type BundleInboxOptions } from './policy-bundle/inbox.js';
import { BundleShelf, bundleFolder } from './policy-bundle/shelf.js';
import type { PolicyWitness } from './policy-bundle/witness.js';
import type { PolicyWarning } from './policy-watch.js';

const HOUR_MS = 3_600_000;
/** Widenings that an event names; a bundle may have thousands. */
const MOST_TOLD = 20;

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** The policy of a site's folder, with the zones that the program knows. */
export function policyOfFolder(files: SiteFiles): PolicyInput {
  const { countries } = readJson(programData('number-zones.json')) as Pick<ZoneTables, 'countries'>;
  const prefixZones = readJson(programData('number-prefixes.json')) as Omit<ZoneTables, 'countries'>;
  return { ...files, zonesOf: countries, prefixZones };
}

/**
 * The policy in force at a site, as `calls` and the line plane ask it: that of the folder, or where the site has keys for it
 * the signed bundle in force. Until `load` has found a good one, such a site refuses every call.
 */
export class SitePolicy implements Judge {
  #base: PolicyInput;
  readonly #lists: ListShelf;
  readonly #doNotCall: DoNotCallLists;
  readonly #shelf: BundleShelf;
  #compiled: CompiledPolicy;
  #bundle: PolicyBundle | undefined;
  #state: PolicyState | undefined;
  #heardMs = 0;
  #watcher: FSWatcher | undefined;
  #loading: Promise<void> = Promise.resolve();
  #digest = '';
  #inbox: BundleInbox | undefined;
  #onChanged: () => void = () => undefined;

  /**
   * @param onFault something that policy rests on cannot be used; what was in force before still is.
   * @param witness remembers what was taken, apart from the bundle's folder; a program that only looks has none.
   * @param own the gateway's own do-not-call list.
   */
  constructor(
    private readonly files: SiteFiles,
    private readonly onFault: (code: string, why: string) => void = () => undefined,
    private readonly witness?: PolicyWitness,
    own?: Pick<OwnList, 'word'>,
  ) {
    this.#lists = new ListShelf(listFolder(files.dataFolder), (list, why) =>
      onFault('dnc.unusable', `do-not-call list ${list}: ${why}`),
    );
    this.#doNotCall = {
      list: (name) => this.#lists.list(name),
      ...(own !== undefined && { word: (number) => own.word(number) }),
    };
    this.#shelf = new BundleShelf(bundleFolder(files.dataFolder));
    this.#base = policyOfFolder(files);
    this.#compiled = compilePolicy(this.#base);
    if (files.site.policy !== undefined) this.#state = { is: 'missing' };
  }

  /** The bundle in force; undefined where the folder's policy is, or none. */
  get bundle(): PolicyBundle | undefined {
    return this.#bundle;
  }

  /** The policy as it was compiled last, for looking at; it is asked through the methods below. */
  get compiled(): CompiledPolicy {
    return this.#compiled;
  }

  /** The country that a zone is in, two letters; undefined for one that is in none. */
  countryOf(zone: string): string | undefined {
    return Object.entries(this.#base.zonesOf).find(([, zones]) => zones.includes(zone))?.[0];
  }

  /** Whether the policy holds now: always where it is the folder's, and while it is good where it is headquarters'. */
  isInForce(at: Temporal.Instant): boolean {
    return this.#state === undefined || (this.#state.is === 'good' && at.epochMilliseconds < this.#state.expiresMs);
  }

  /** How it stands with the policy, for people: `good`, `missing`, `unsigned` or `expired`. */
  standing(at: Temporal.Instant): {
    readonly source: 'folder' | 'bundle';
    readonly version?: number;
    readonly state: string;
  } {
    if (this.#state === undefined) return { source: 'folder', state: 'good' };
    const version = this.#bundle === undefined ? {} : { version: this.#bundle.version };
    const state = this.#state.is === 'good' && !this.isInForce(at) ? 'expired' : this.#state.is;
    return { source: 'bundle', ...version, state };
  }

  /** The policy in force, for the status report. */
  status(): { readonly policy?: { readonly version: string } } {
    return this.#bundle === undefined ? {} : { policy: { version: String(this.#bundle.version) } };
  }

  /**
   * Reads the bundle in force from disk; one that was applied while the gateway was away is judged like any other. Nothing is
   * thrown: without a good one calls are refused, and `onFault` says why.
   */
  async load(at: Temporal.Instant): Promise<void> {
    const { policy } = this.files.site;
    if (policy === undefined) return;
    const taken = this.witness?.policyTaken();
    try {
      const text = this.#shelf.current();
      if (taken === undefined) return await this.#loadUnwitnessed(text, at);
      const inForce = [text, this.#shelf.inForce()].find(
        (one) => one !== undefined && bundleDigest(one) === taken.digest,
      );
      if (inForce === undefined) {
        const lost = `version ${taken.version} was in force and is on disk no longer: apply it, or a newer one, again`;
        throw new BundleFault('replayed', lost);
      }
      const verified = await verifyBundle(inForce, policy.keys);
      this.#put(verified, this.#shelf.state()?.heardMs ?? 0);
      this.#shelf.keepInForce(inForce);
      if (text !== undefined && text !== inForce) await this.#takeFromDisk(at);
    } catch (fault) {
      if (this.#bundle === undefined) this.#state = { is: 'unsigned' };
      this.#tell(fault);
    }
  }

  /** Where nothing remembers what was taken, the folder's own word is all there is. */
  async #loadUnwitnessed(text: string | undefined, at: Temporal.Instant): Promise<void> {
    if (text === undefined) return;
    const verified = await this.verify(text);
    const state = this.#shelf.state();
    if (state === undefined || verified.bundle.version < state.version) {
      throw new BundleFault('replayed', 'the bundle on disk is not the newest that was taken: apply the newest again');
    }
    this.#put(verified, state.heardMs);
    this.#note(verified, [], 'disk', at);
  }

  /**
   * Takes a new bundle: verified, judged against the one in force, compiled on trial, kept on disk, and in force at once.
   * Throws a `BundleFault` that says why not; nothing is changed then.
   */
  async offer(text: string, at: Temporal.Instant): Promise<Acceptance & VerifiedBundle> {
    const verified = await this.verify(text);
    return { ...this.#take(verified, at, 'uplink'), ...verified };
  }

  /** Takes what headquarters sent, which may be what is in force already; to be asked after `watch`. Never rejects. */
  async arrived(text: string): Promise<BundleAnswer> {
    if (this.#inbox !== undefined) return this.#inbox.take(text);
    return { state: 'failed', why: 'store-failed', detail: 'the gateway is starting' };
  }

  #take(verified: VerifiedBundle, at: Temporal.Instant, by: 'uplink' | 'disk'): Acceptance {
    const acceptance = judgeBundle(verified, this.#base, this.#bundle, at);
    const { text, bundle } = verified;
    const heardMs = at.epochMilliseconds;
    this.#shelf.keep(text, { version: bundle.version, heardMs });
    this.#note(verified, acceptance.widens, by, at);
    this.#put(verified, heardMs);
    this.#onChanged();
    return acceptance;
  }

  /** Before anything is in force by it: whoever asks afterwards finds what was taken, and by whose signatures. */
  #note({ bundle, signedBy, text }: VerifiedBundle, widens: readonly string[], by: string, at: Temporal.Instant): void {
    if (this.witness === undefined) return;
    const { version } = bundle;
    const digest = bundleDigest(text);
    const data = { version, digest, signedBy, widens: widens.slice(0, MOST_TOLD), by, at: at.toString() };
    const event = { kind: 'event', type: 'balise.policy.applied', data } as const;
    this.witness.takePolicy({ version, digest }, event, bundle.content.campaigns ?? []);
    this.#shelf.keepInForce(text);
  }

  /** Verifies a bundle's signatures and form, and changes nothing. Throws a `BundleFault`. */
  verify(text: string): Promise<VerifiedBundle> {
    return verifyBundle(text, this.files.site.policy?.keys ?? []);
  }

  /** The same judged against what is in force, and nothing changed. Throws a `BundleFault`. */
  judgeOffer(verified: VerifiedBundle, at: Temporal.Instant): Acceptance {
    return judgeBundle(verified, this.#base, this.#bundle, at);
  }

  /** The site's handsets have changed: policy is compiled anew with those that `files` has now. Throws when it cannot be. */
  handsetsChanged(): void {
    const base = { ...this.#base, handsets: this.files.handsets };
    this.#compiled = compilePolicy(this.#bundle === undefined ? base : { ...base, bundle: this.#bundle.content });
    this.#base = base;
  }

  /** The policy that a bundle would make of this site, for asking what if; nothing is changed. */
  onTrial({ content }: PolicyBundle): Judge {
    const compiled = compilePolicy({ ...this.#base, bundle: content });
    return {
      judge: (request, facts, at, usage) =>
        decide(compiled, usage, { ...facts, doNotCall: this.#doNotCall }, request, at),
    };
  }

  /** What ages: a list or a bundle of which less than a quarter of its life is left, or that is over. */
  warnings(at: Temporal.Instant): readonly PolicyWarning[] {
    const found: PolicyWarning[] = [];
    const nowMs = at.epochMilliseconds;
    const ageing = (
      over: PolicyWarning['code'],
      soon: PolicyWarning['code'],
      of: string,
      endMs: number,
      lifeMs: number,
    ): void => {
      const leftH = Math.floor((endMs - nowMs) / HOUR_MS);
      if (nowMs >= endMs) found.push({ code: over, of, why: `${of} is too old: calls that rest on it are refused` });
      else if (endMs - nowMs < lifeMs / 4) found.push({ code: soon, of, why: `${of} is good for ${leftH} hours more` });
    };
    for (const [name, mostAgeH] of strictestAges((this.#bundle?.content ?? this.files).profiles)) {
      const list = this.#lists.list(name);
      const of = `do-not-call list ${name}`;
      if (list.isThere) ageing('dnc.stale', 'dnc.ageing', of, list.madeMs + mostAgeH * HOUR_MS, mostAgeH * HOUR_MS);
      else found.push({ code: 'dnc.stale', of, why: `${of}: ${list.why}; calls that rest on it are refused` });
    }
    if (this.#bundle !== undefined && this.#state?.is === 'good') {
      const lifeMs = this.#bundle.validOfflineH * HOUR_MS;
      ageing('policy.expired', 'policy.expiring', 'the signed policy', this.#state.expiresMs, lifeMs);
    }
    return found;
  }

  /** Headquarters has been heard of: the bundle's time off line begins anew. Written down once an hour. */
  heard(at: Temporal.Instant): void {
    const bundle = this.#bundle;
    if (bundle === undefined || at.epochMilliseconds - this.#heardMs < HOUR_MS) return;
    this.#hear(bundle, at.epochMilliseconds);
    this.#shelf.heard({ version: bundle.version, heardMs: at.epochMilliseconds });
  }

  /**
   * Takes what is replaced on disk, and what headquarters sends, while calls run; `onChanged` then has the live ones judged
   * again. @param onLate what became of a bundle that was sent and had to wait.
   */
  watch(clock: Clock, onChanged: () => void, onLate: BundleInboxOptions['onLate'] = () => undefined): void {
    this.#onChanged = onChanged;
    this.#lists.watch(onChanged);
    this.#inbox = new BundleInbox({
      clock,
      offer: async (text, at) => this.#offerSent(text, at),
      onRefused: (fault) => this.#tell(fault),
      onLate,
    });
    if (this.files.site.policy === undefined) return;
    mkdirSync(this.#shelf.folder, { recursive: true, mode: 0o700 });
    this.#watcher = watch(this.#shelf.folder, () => {
      this.#loading = this.#loading.then(() => this.#takeFromDisk(clock.wall()));
    });
  }

  async #offerSent(text: string, at: Temporal.Instant) {
    const bundle = this.#bundle;
    if (bundle !== undefined && bundleDigest(text) === this.#digest) {
      return { version: bundle.version, widens: [], wasInForce: true };
    }
    const { widens, bundle: taken } = await this.offer(text, at);
    return { version: taken.version, widens, wasInForce: false };
  }

  close(): void {
    this.#inbox?.close();
    this.#lists.close();
    this.#watcher?.close();
  }

  judge(request: DialRequest, facts: Facts, at: Temporal.Instant, usage: UsageBook): Decision {
    if (request.desk === true) return decideDesk(this.#compiled, this.#with(facts), request, at);
    return decide(this.#compiled, usage, this.#with(facts), request, at);
  }

  /** The same request judged by every rule, with what each says. */
  explain(request: DialRequest, facts: Facts, at: Temporal.Instant, usage: UsageBook): Explanation {
    return explain(this.#compiled, usage, this.#with(facts), request, at);
  }

  /** Whether a handset's own hours are open, whatever else is against a call. */
  hasHours(handset: HandsetId, at: Temporal.Instant): boolean {
    return mayCallAtAll(this.#compiled, handset, at);
  }

  /** Whether a handset may call anybody at all now: what its line's standing lease rests on. */
  mayCall(handset: HandsetId, at: Temporal.Instant): boolean {
    return this.isInForce(at) && mayCallAtAll(this.#compiled, handset, at);
  }

  #with(facts: Facts): Facts {
    // Written out, because each judgement makes one.
    const { clock, line, lockdowns, policy } = facts;
    return { clock, line, lockdowns, doNotCall: this.#doNotCall, policy: this.#state ?? policy };
  }

  #put({ bundle, text }: Pick<VerifiedBundle, 'bundle' | 'text'>, heardMs: number): void {
    if (bundle !== this.#bundle) this.#compiled = compilePolicy({ ...this.#base, bundle: bundle.content });
    this.#bundle = bundle;
    this.#digest = bundleDigest(text);
    this.#hear(bundle, heardMs);
  }

  #hear(bundle: PolicyBundle, heardMs: number): void {
    this.#heardMs = heardMs;
    this.#state = { is: 'good', expiresMs: Math.min(endOf(bundle), heardMs + bundle.validOfflineH * HOUR_MS) };
  }

  /** Somebody has put a bundle on disk: it is judged like one that was sent. */
  async #takeFromDisk(at: Temporal.Instant): Promise<void> {
    try {
      const text = this.#shelf.current();
      if (text === undefined || bundleDigest(text) === this.#digest) return;
      const verified = await this.verify(text);
      // What was offered meanwhile may be this very one.
      if (bundleDigest(text) !== this.#digest) this.#take(verified, at, 'disk');
    } catch (fault) {
      this.#tell(fault);
    }
  }

  #tell(fault: unknown): void {
    if (fault instanceof BundleFault)
      this.onFault(`policy.${fault.code}`, `the policy bundle is not taken: ${fault.message}`);
    else this.onFault('policy.unreadable', `the policy bundle cannot be read: ${(fault as Error).message}`);
  }
}

/** How old each list may be for the profile that asks for the youngest. */
function strictestAges(profiles: Profiles): ReadonlyMap<string, number> {
  const ages = new Map<string, number>();
  for (const { list, mostAgeH } of profiles.flatMap(({ doNotCall = [] }) => doNotCall)) {
    ages.set(list, Math.min(mostAgeH, ages.get(list) ?? mostAgeH));
  }
  return ages;
}
