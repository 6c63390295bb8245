import type { Person } from '../../config/schema/types.generated.js';
import type { CallId } from '../../gateway/policy/ids.js';
import type { People } from './people.js';
import type { SimHandset } from './sim-site.js';
import { MINUTE_US, SECOND_US } from './timeline.js';
import { SIGN_ON } from './work-site.js';
import type { WorldParts } from './world-parts.js';

/** What is keyed for how a call went, and how often. */
const SAID = '11111112222334455678899';

/** Somebody who works at a handset: signs on, goes through contacts, keys what came of them, and now and then does not. */
export class Worker {
  private desk: CallId | undefined;
  private person: Person | undefined;
  private left = 0;

  constructor(
    private readonly world: WorldParts,
    private readonly people: People,
    private readonly handset: SimHandset,
    private readonly persons: readonly Person[],
    private readonly everyUs: number,
  ) {}

  begin(): void {
    const { random, timeline } = this.world;
    timeline.in(random.exponential(this.everyUs), () => {
      if (this.people.isStill) return;
      this.begin();
      if (this.handset.hook === 'on') this.lift();
    });
  }

  /** Something is said at the desk: what the last of it asks for is keyed. */
  hear(pieces: readonly string[]): void {
    const { random } = this.world;
    const asked = pieces.at(-1);
    const wrong = random.chance(0.02);
    switch (asked) {
      case 'work.code':
        this.key(`${this.person?.code ?? ''}#`);
        return;
      case 'work.pin':
        this.key(`${wrong ? '7391' : (this.person?.pin ?? '')}#`);
        return;
      case 'work.menu':
        this.goOn();
        return;
      case 'work.pause-reason':
        this.key('1');
        return;
      case 'work.paused':
        this.key('1', random.int(MINUTE_US, 8 * MINUTE_US));
        return;
      case 'work.none':
      case 'work.none-until':
        this.key('9', random.int(2 * MINUTE_US, 15 * MINUTE_US));
        return;
      case 'work.disposition':
        if (random.chance(0.04)) this.hangUp(random.int(SECOND_US, 20 * SECOND_US));
        else if (!random.chance(0.04)) this.key(random.pick([...SAID]), random.int(SECOND_US, 70 * SECOND_US));
        return;
      case 'work.call-back-time':
        this.key(random.pick(['35#', '120#', '1*1015#', '9']));
        return;
      case undefined:
      case 'work.choosing':
      case 'work.dialling':
      case 'work.noted':
        return;
      default:
        this.hangUp(random.int(SECOND_US, 6 * SECOND_US));
    }
  }

  /** A contact has answered; at some time somebody has said all. */
  talking(call: CallId): void {
    const { random, timeline } = this.world;
    timeline.in(random.exponential(140 * SECOND_US), () => {
      if (this.work()?.places.contactCallOf(this.handset.id) !== call) return;
      const dice = random.next();
      if (dice < 0.06) this.hangUp(0);
      else if (dice < 0.1) this.key('*8', 0);
      else if (dice < 0.12) this.key('*9*0', 0);
      else if (dice < 0.9) this.key('*0', 0);
    });
  }

  private lift(): void {
    const { random, timeline } = this.world;
    this.person = random.pick(this.persons);
    this.left = random.int(1, 5);
    this.people.hook(this.handset, 'off');
    timeline.in(random.int(SECOND_US, 4 * SECOND_US), () => {
      this.desk = this.people.invite(this.handset, SIGN_ON);
    });
  }

  private goOn(): void {
    const { random } = this.world;
    if (this.left <= 0) {
      if (random.chance(0.3)) this.hangUp(random.int(SECOND_US, 10 * SECOND_US));
      else this.key('9');
      return;
    }
    if (random.chance(0.12)) {
      this.key('2');
      return;
    }
    this.left -= 1;
    this.key('1');
  }

  private hangUp(us: number): void {
    const { desk } = this;
    if (desk === undefined) return;
    this.world.timeline.in(us, () => this.world.signalling.hangUpDesk(desk));
  }

  /** Key after key, as long as the call lasts. */
  private key(keys: string, afterUs = this.world.random.int(500_000, 3 * SECOND_US)): void {
    const { timeline, random } = this.world;
    const { desk } = this;
    let us = afterUs;
    for (const key of keys) {
      us += random.int(120_000, 400_000);
      timeline.in(us, () => {
        if (desk === undefined || desk !== this.desk || this.handset.hook === 'on') return;
        const { gateway } = this.world;
        const work = gateway?.work;
        if (work === undefined) return;
        const call = work.places.contactCallOf(this.handset.id) ?? desk;
        gateway?.life.run(() => work.places.key(call, key));
      });
    }
  }

  private work() {
    return this.world.gateway?.work;
  }
}
