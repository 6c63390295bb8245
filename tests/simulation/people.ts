import type { CallRequest } from '../../gateway/calls/ports.js';
import type { CallRecord } from '../../gateway/calls/record.js';
import { type CallId, callId, type E164, type HandsetId, handsetId } from '../../gateway/policy/ids.js';
import { mayAskNot } from './sim-lists.js';
import { type SimHandset, WORK } from './sim-site.js';
import type { WorldParts } from './world-parts.js';

/** The persons at the handsets: they lift hooks, key numbers, hang up, and key what callees have said. */
export class People {
  /** From here on nobody calls any more. */
  isStill = false;
  private made = 0;
  /** Calls that were keyed on a card, and have no record yet. */
  private readonly keyed = new Map<CallId, HandsetId>();

  constructor(
    private readonly world: WorldParts,
    private readonly callEveryUs: number,
  ) {}

  begin(): void {
    if (Number.isFinite(this.callEveryUs)) this.nextCall();
  }

  /** Somebody lifts a hook and keys a number, now and then. */
  private nextCall(): void {
    const { random, timeline } = this.world;
    timeline.in(random.exponential(this.callEveryUs), () => {
      if (this.isStill) return;
      this.nextCall();
      const handset = this.world.anyHandset();
      // Whoever is there works.
      if (handset.profile === WORK) return;
      if (handset.hook === 'off' && !random.chance(0.2)) return;
      // One in thirty calls comes from a wire that says on-hook: cloned credentials, or a hook not read yet.
      const isRogue = random.chance(0.03);
      if (!isRogue) this.hook(handset, 'off');
      timeline.in(random.int(200_000, 4_000_000), () => void this.invite(handset, this.dialled(handset)));
      if (isRogue && random.chance(0.5)) {
        timeline.in(random.int(4_000_000, 5_500_000), () => this.hook(handset, 'off'));
      }
    });
  }

  /** A handset asks for a call. Returns which it is. */
  invite(handset: SimHandset, dialled: string): CallId {
    const { clock, random, signalling, watch } = this.world;
    this.made += 1;
    const call = callId(`00000000-0000-7000-8000-${String(this.made).padStart(12, '0')}`);
    const asked = {
      call,
      // One account in three hundred is of a handset that policy has since forgotten.
      handset: random.chance(0.003) ? handsetId(`stranger-${this.made}`) : handset.id,
      dialled,
      at: clock.wall(),
    };
    if (handset.isCard && random.chance(0.7)) {
      this.key({ ...asked, offer: '', source: 'line-card', keyed: true });
      return call;
    }
    const request = { ...asked, offer: 'offer', source: '127.0.0.1' };
    const taken = signalling.invite(request, () => watch.requested(request));
    if (!taken) this.hangUpSoon(handset.id);
    return call;
  }

  /** The card tells its agent, and that the gateway: there is no INVITE. Its display tells whoever keyed what became of it. */
  private key(request: CallRequest): void {
    const { channels, watch } = this.world;
    if (!channels.line.isOpen) {
      this.hangUpSoon(request.handset);
      return;
    }
    this.keyed.set(request.call, request.handset);
    const arrived = (): void => watch.requested(request);
    channels.line.tell((sink) => sink.request(request), arrived, true);
  }

  /** A call has its record. */
  ended({ call, handset }: Pick<CallRecord, 'call' | 'handset'>): void {
    if (this.keyed.delete(call)) this.hangUpSoon(handset);
  }

  private dialled(handset: SimHandset): string {
    const { random, site } = this.world;
    const number = random.pick(site.numbersFor(handset));
    const dice = random.next();
    if (dice < 0.85) return number;
    if (dice < 0.9) return number.replace('+', '00');
    return random.pick(['112', '+33199000001', '12ab', '+442079460013', '+4420', '+882161234567', number.slice(0, -1)]);
  }

  /** Somebody has nothing more to hear. */
  hangUpSoon(handset: HandsetId): void {
    const { random, timeline } = this.world;
    timeline.in(random.int(300_000, 4_000_000), () => this.hookDown(handset));
  }

  hookDown(id: HandsetId): void {
    const handset = this.world.site.handsets.get(id);
    if (handset === undefined || handset.hook === 'on') return;
    this.hook(handset, 'on');
  }

  hook(handset: SimHandset, hook: SimHandset['hook']): void {
    if (handset.hook === hook) return;
    handset.hook = hook;
    handset.hookSinceUs = this.world.timeline.nowUs;
    this.world.line.hookChanged(handset.id);
  }

  /** Some who were talked to say no, and the person keys it. */
  talkedTo(number: E164): void {
    const { random, timeline, lists, clock } = this.world;
    if (!mayAskNot(number) || !random.chance(0.2)) return;
    timeline.in(random.int(1e6, 20e6), () => {
      const { gateway } = this.world;
      gateway?.life.run(() => {
        lists.telling(number);
        const isKept = this.world.ownList.refused(number, 'keyed');
        if (isKept && !gateway.life.isDead && clock.wrongMs === 0) lists.refused(number, clock.trueMs());
      });
    });
  }
}
