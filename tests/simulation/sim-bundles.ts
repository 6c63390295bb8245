import type { PolicyBundle } from '../../config/schema/types.generated.js';
import type { Clock } from '../../gateway/clock/clock.js';
import { judgeBundle } from '../../gateway/policy-bundle/acceptance.js';
import { BundleFault, type BundleRefusal, checkBundle } from '../../gateway/policy-bundle/bundle.js';
import { type BundleAnswer, BundleInbox } from '../../gateway/policy-bundle/inbox.js';
import {
  type BundleFaults,
  FORGED_BUNDLES,
  FORGERIES_OF_BUNDLES,
  type ForgedBundle,
  forgedText,
  signedText,
  verified,
} from './forged-bundles.js';
import type { Life } from './life.js';
import { HOUR_US, SECOND_US } from './timeline.js';
import type { WorldParts } from './world-parts.js';

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

/** Whether one book lets through what another does not: they narrow one way alone. */
const isWider = (index: number, than: number): boolean => index !== than && !(than === 0 && index === 1);

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
    private readonly fault: BundleFaults | undefined,
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
      onLate: (text, answer) => this.answered(this.sent.get(text), answer),
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
    const payload = this.payload(index);
    const { version } = this;
    this.tracked(
      signedText(payload).then((text) => {
        this.wanted = { text, version, index };
        this.deliver(this.wanted);
      }),
    );
  }

  /** Somebody else sends one, or headquarters signs it as it must not. */
  forge(): void {
    const { random, policyIndex, site } = this.world;
    const { fault } = this;
    const any = random.pick(FORGERIES_OF_BUNDLES);
    // Who plants a blindness to one kind sends that kind.
    const forgery = typeof fault === 'object' ? fault.blindTo : any;
    const index = random.int(0, site.policies.length - 1);
    // A lone signature may narrow, and it may say again what holds already.
    if (forgery === 'one-signature' && !isWider(index, policyIndex)) return;
    this.tracked(
      this.forged(forgery, index).then((sent) => {
        if (sent !== undefined) this.deliver(sent);
      }),
    );
  }

  private deliver(sent: Sent): void {
    const { broker, timeline, watch } = this.world;
    // What is replayed is headquarters' own.
    if (sent.forgery !== 'replayed') this.sent.set(sent.text, sent);
    watch.note(`bundle ${sent.version}`, `${sent.forgery ?? 'genuine'}, book ${sent.index}, is sent`);
    broker.down(() => {
      const { inbox: there } = this;
      there?.life.run(() => {
        this.tracked(there.inbox.take(sent.text).then((answer) => this.answered(sent, answer)));
      });
    });
    if (sent.forgery !== undefined) return;
    timeline.in(AGAIN_US, () => {
      if (this.wanted === sent && sent.version > (this.inForce?.version ?? 0)) this.deliver(sent);
    });
  }

  private async offer(life: Life, text: string, at: Parameters<typeof judgeBundle>[3]) {
    try {
      return await this.taken(life, text, at);
    } catch (fault) {
      if (this.fault === 'reasonless' && fault instanceof BundleFault)
        throw new BundleFault('invalid', 'it is not good');
      throw fault;
    }
  }

  /** What is in force, as the judge has it. */
  private asJudged(before: PolicyBundle | undefined): PolicyBundle | undefined {
    const { fault } = this;
    if (before === undefined || fault === undefined) return before;
    if (fault === 'all-old') return { ...before, version: Number.MAX_SAFE_INTEGER };
    return typeof fault === 'object' && fault.blindTo === 'replayed' ? { ...before, version: 0 } : before;
  }

  private async taken(life: Life, text: string, at: Parameters<typeof judgeBundle>[3]) {
    const { site, store, watch } = this.world;
    // What is in force comes again with each connection.
    if (text === this.inForceText) return { version: this.inForce?.version ?? 0, widens: [], wasInForce: true };
    const offered = await verified(text, this.fault);
    const { bundle } = offered;
    const before = this.inForce;
    const { widens } = judgeBundle(offered, site.base, this.asJudged(before), at);
    life.point(() => {
      store.takePolicy();
      this.lastText = this.inForceText;
      this.inForce = bundle;
      this.inForceText = text;
      const sent = this.sent.get(text);
      watch.note(`bundle ${bundle.version}`, 'is in force');
      const forgery = bundle.version <= (before?.version ?? 0) ? 'replayed' : sent?.forgery;
      // Signed once it may narrow what has come into force since it was sent.
      const isLawful = forgery === 'one-signature' && !isWider(sent?.index ?? 0, this.world.policyIndex);
      const wrong = isLawful ? undefined : forgery;
      if (wrong !== undefined)
        watch.breach('no bundle that is not rightly signed', `version ${bundle.version}, ${wrong}`, '');
      this.world.policyTaken(sent?.index ?? 0);
    });
    this.world.policyChanged();
    return { version: bundle.version, widens, wasInForce: false };
  }

  private answered(sent: Sent | undefined, answer: BundleAnswer): void {
    const { clock, store, timeline, watch } = this.world;
    if (sent === undefined) return;
    const { version, forgery } = sent;
    const why = 'why' in answer ? `: ${answer.why}, ${answer.detail}` : '';
    watch.note(`bundle ${version}`, `${answer.state}${why}`);
    const isRight = clock.wrongMs === 0 && timeline.nowUs > clock.doubtedUntilUs && !store.isFaulty;
    if (answer.state !== 'refused' || !isRight) return;
    const isNewer = version > (this.inForce?.version ?? 0);
    if (forgery === undefined) {
      if (isNewer && sent === this.wanted)
        watch.breach('a rightly signed bundle is taken', `version ${version} was refused${why}`, '');
      return;
    }
    const reasons: readonly BundleRefusal[] = FORGED_BUNDLES[forgery];
    // One that has waited may have been overtaken.
    if (!reasons.includes(answer.why) && (isNewer || answer.why !== 'replayed'))
      watch.breach('a bundle is refused for its own reason', `version ${version}, ${forgery}${why}`, '');
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

  private async forged(forgery: ForgedBundle, index: number): Promise<Sent | undefined> {
    if (forgery === 'replayed') {
      const known = this.sent.get(this.lastText);
      return known === undefined ? undefined : { ...known, forgery };
    }
    const { clock, random } = this.world;
    const text = await forgedText(forgery, {
      payload: (more) => this.payload(index, more),
      yesterday: dateOf(clock.trueMs() - 86_400_000),
      int: (least, most) => random.int(least, most),
    });
    return { text, version: this.version, index, forgery };
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
