import { generateKeyPairSync } from 'node:crypto';
import type { JWK } from 'jose';
import type { Ed25519PublicKey, PolicyBundle } from '../../config/schema/types.generated.js';
import type { Clock } from '../../gateway/clock/clock.js';
import { judgeBundle } from '../../gateway/policy-bundle/acceptance.js';
import { checkBundle, payloadOf, signBundle, verifyBundle } from '../../gateway/policy-bundle/bundle.js';
import { type BundleAnswer, BundleInbox } from '../../gateway/policy-bundle/inbox.js';
import type { Life } from './life.js';
import { HOUR_US, SECOND_US } from './timeline.js';
import type { WorldParts } from './world-parts.js';

/** What is sent that must not be taken, and why not. */
export const FORGED_BUNDLES = [
  'unsigned',
  'other-key',
  'altered',
  'one-signature',
  'one-key-twice',
  'replayed',
  'foreign',
  'expired',
] as const;
type ForgedBundle = (typeof FORGED_BUNDLES)[number];

interface Sent {
  readonly text: string;
  readonly version: number;
  /** Which of the site's books it holds. */
  readonly index: number;
  /** Absent: headquarters sent it, signed by two. */
  readonly forgery?: ForgedBundle;
}

/** To the second, as bundles have it. */
const dateOf = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

type Signer = JWK & { readonly kid: string };

function newSigner(kid: string): Signer {
  return { ...(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as JWK), kid };
}

const SIGNERS = [newSigner('policy-1'), newSigner('policy-2')] as const;
const STRANGER = newSigner('policy-1');
const KEYS = SIGNERS.map(({ kty, crv, x, kid }) => ({ kty, crv, x, kid }) as Ed25519PublicKey);

/** What the world plants in the taking of bundles. */
export interface BundlePlant {
  /** Signatures are not looked at; or what is in force is not; or every bundle passes for an older one. */
  readonly bundles?: 'unverified' | 'unversioned' | 'all-old';
}

/** Where headquarters keeps trying: its topic is retained, and the last that it sent comes again with each connection. */
const AGAIN_US = 600 * SECOND_US;

/**
 * Headquarters' policy, really signed by two keys, and what others send in its name. The gateway's side is the production inbox,
 * verification and acceptance; the bundle in force is on the simulated disk. A signature is verified outside of virtual time: the
 * world waits for `settled` before anything else happens.
 */
export class SimBundles {
  /** What the disk says is in force. */
  private inForce: PolicyBundle | undefined;
  private inForceText = '';
  private lastText = '';
  private version = 0;
  private pending = 0;
  private wake: () => void = () => undefined;
  private inbox: { readonly inbox: BundleInbox; readonly life: Life } | undefined;
  private wanted: Sent | undefined;
  private readonly sent = new Map<string, Sent>();

  constructor(
    private readonly world: WorldParts,
    private readonly plant: BundlePlant = {},
  ) {
    // The first was taken long ago.
    this.inForce = checkBundle(JSON.parse(JSON.stringify(this.payload(0))));
  }

  /** A new life of the gateway takes what comes. */
  connect(life: Life, clock: Clock): void {
    const inbox = new BundleInbox({
      clock,
      offer: (text, at) => this.tracked(this.offer(life, text, at)),
      onRefused: () => undefined,
      onLate: (text, answer) => this.answered(text, answer),
    });
    this.inbox = { inbox, life };
  }

  /** Something of the gateway's waits for a signature. */
  get isWaiting(): boolean {
    return this.pending > 0;
  }

  settled(): Promise<void> {
    return new Promise((settle) => {
      this.wake = settle;
    });
  }

  /** Headquarters wants another book to be in force, and sends it until it is. */
  send(index: number): void {
    this.tracked(
      this.signed(index, SIGNERS).then((sent) => {
        this.wanted = sent;
        this.deliver(sent);
      }),
    );
  }

  /** Somebody else sends one, or headquarters signs it as it must not. */
  forge(): void {
    const { random, policyIndex, site } = this.world;
    const forgery = random.pick(FORGED_BUNDLES);
    const index = random.int(0, site.policies.length - 1);
    // A lone signature may narrow, and the books narrow one way alone; and it may say again what holds already.
    const widens = index !== policyIndex && !(policyIndex === 0 && index === 1);
    if (forgery === 'one-signature' && !widens) return;
    this.tracked(
      this.forged(forgery, index).then((sent) => {
        if (sent !== undefined) this.deliver(sent);
      }),
    );
  }

  private deliver(sent: Sent): void {
    const { broker, timeline, watch } = this.world;
    // What is sent again is what it was.
    if (sent.forgery !== 'replayed') this.sent.set(sent.text, sent);
    watch.note(`bundle ${sent.version}`, `${sent.forgery ?? 'genuine'}, book ${sent.index}, is sent`);
    broker.down(() => {
      const { inbox: there } = this;
      there?.life.run(() => {
        this.tracked(there.inbox.take(sent.text).then((answer) => this.answered(sent.text, answer)));
      });
    });
    if (sent.forgery !== undefined) return;
    timeline.in(AGAIN_US, () => {
      if (this.wanted === sent && sent.version > (this.inForce?.version ?? 0)) this.deliver(sent);
    });
  }

  private async offer(life: Life, text: string, at: Parameters<typeof judgeBundle>[3]) {
    const { site, store, watch } = this.world;
    // What is in force comes again with each connection.
    if (text === this.inForceText) return { version: this.inForce?.version ?? 0, widens: [], wasInForce: true };
    const verified =
      this.plant.bundles === 'unverified'
        ? { bundle: checkBundle(JSON.parse(payloadOf(text).toString() || text)), signedBy: ['policy-1', 'policy-2'] }
        : await verifyBundle(text, KEYS);
    const { bundle } = verified;
    const before = this.inForce;
    const current =
      this.plant.bundles === 'unversioned' && before !== undefined
        ? { ...before, version: 0 }
        : this.plant.bundles === 'all-old' && before !== undefined
          ? { ...before, version: Number.MAX_SAFE_INTEGER }
          : before;
    const { widens } = judgeBundle(verified, site.base, current, at);
    life.point(() => {
      store.takePolicy();
      this.lastText = this.inForceText;
      this.inForce = bundle;
      this.inForceText = text;
      const sent = this.sent.get(text);
      watch.note(`bundle ${bundle.version}`, 'is in force');
      const wrong = sent?.forgery ?? (bundle.version <= (before?.version ?? 0) ? 'replayed' : undefined);
      if (wrong !== undefined)
        watch.breach('no bundle that is not rightly signed', `version ${bundle.version}, ${wrong}`, '');
      this.world.policyTaken(sent?.index ?? 0);
    });
    this.world.policyChanged();
    return { version: bundle.version, widens, wasInForce: false };
  }

  private answered(text: string, answer: BundleAnswer): void {
    const { clock, store, timeline, watch } = this.world;
    const sent = this.sent.get(text);
    if (sent === undefined) return;
    const why = 'why' in answer ? `: ${answer.why}, ${answer.detail}` : '';
    watch.note(`bundle ${sent.version}`, `${answer.state}${why}`);
    const isRight = clock.wrongMs === 0 && timeline.nowUs > clock.doubtedUntilUs && !store.isFaulty;
    const isNewest = sent === this.wanted && sent.version > (this.inForce?.version ?? 0);
    if (sent.forgery === undefined && answer.state === 'refused' && isRight && isNewest)
      watch.breach('a rightly signed bundle is taken', `version ${sent.version} was refused${why}`, '');
  }

  private payload(index: number, more: object = {}): object {
    const { clock, site } = this.world;
    this.version += 1;
    return {
      site: 'simulated',
      version: this.version,
      validFrom: dateOf(clock.trueMs() - HOUR_US / 1e3),
      validOfflineH: 8_760,
      content: site.contents[index],
      ...more,
    };
  }

  private async signed(index: number, by: readonly Signer[], more: object = {}, forgery?: ForgedBundle): Promise<Sent> {
    const payload = this.payload(index, more);
    const { version } = this;
    const bytes = Buffer.from(JSON.stringify(payload));
    let text = '';
    for (const key of by) text = await signBundle(bytes, key, text);
    return { text, version, index, ...(forgery !== undefined && { forgery }) };
  }

  private async forged(forgery: ForgedBundle, index: number): Promise<Sent | undefined> {
    const { clock } = this.world;
    const [first] = SIGNERS;
    switch (forgery) {
      case 'unsigned':
        return { text: JSON.stringify(this.payload(index)), version: this.version, index, forgery };
      case 'other-key':
        return this.signed(index, [STRANGER, SIGNERS[1]], {}, forgery);
      case 'one-signature':
        return this.signed(index, [first], {}, forgery);
      case 'one-key-twice':
        return this.signed(index, [first, first], { validOfflineH: 8_784 }, forgery);
      case 'foreign':
        return this.signed(index, SIGNERS, { site: 'elsewhere' }, forgery);
      case 'expired':
        return this.signed(index, SIGNERS, { validUntil: dateOf(clock.trueMs() - 86_400_000) }, forgery);
      case 'replayed': {
        const known = this.sent.get(this.lastText);
        return known === undefined ? undefined : { ...known, forgery };
      }
      case 'altered': {
        const sent = await this.signed(index, SIGNERS, {}, forgery);
        const body = Buffer.from(JSON.stringify(this.payload(index))).toString('base64url');
        const text = sent.text.replace(/^([^.]*)\.[^.]*\./gm, `$1.${body}.`);
        return { ...sent, text, version: this.version };
      }
    }
  }

  private tracked<T>(work: Promise<T>): Promise<T> {
    this.pending += 1;
    const done = (): void => {
      this.pending -= 1;
      // What the gateway does with it, it does before anything else happens.
      setImmediate(() => {
        if (this.pending === 0) this.wake();
      });
    };
    work.then(done, done);
    return work;
  }
}
