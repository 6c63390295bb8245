import type { HoursBook } from './hours-book.js';
import { join, type Level } from './level.js';
import { limitSet } from './limits.js';
import { limitsOfCampaign } from './profile-parts.js';
import type { CampaignFacts, DialRequest, PersonFacts } from './request.js';

const NOTHING = { allow: new Set<never>(), block: new Set<never>() };

/**
 * The levels that come with a request and not with the policy: a person's and a campaign's. They are worked out once for each
 * object, and hours that are written alike are shared, so that a request without either costs nothing more.
 */
export class AskingLevels {
  readonly #persons = new WeakMap<PersonFacts, Level>();
  readonly #spaced = new WeakMap<CampaignFacts, Level>();
  readonly #agreed = new WeakMap<CampaignFacts, Level>();
  readonly #joined = new WeakMap<Level, WeakMap<Level, Level>>();

  constructor(private readonly hours: HoursBook) {}

  person({ personFacts }: DialRequest): Level | undefined {
    if (personFacts === undefined) return undefined;
    return remembered(this.#persons, personFacts, () => ({
      ...NOTHING,
      hours: this.hours.of(personFacts),
      limits: limitSet(personFacts.limits ?? []),
    }));
  }

  campaign({ campaign, contact }: DialRequest): Level | undefined {
    if (campaign === undefined) return undefined;
    const isAgreed = contact?.isAgreed === true;
    return remembered(isAgreed ? this.#agreed : this.#spaced, campaign, () => ({
      ...NOTHING,
      hours: this.hours.of(campaign),
      limits: limitSet(limitsOfCampaign(campaign, isAgreed)),
    }));
  }

  /** Both levels at once; what was joined before is remembered. */
  joined(own: Level, other: Level | undefined): Level {
    if (other === undefined) return own;
    const known = remembered(this.#joined, own, () => new WeakMap<Level, Level>());
    return remembered(known, other, () => join(own, other, (hours) => this.hours.together(hours)));
  }
}

function remembered<K extends object, V>(book: WeakMap<K, V>, key: K, make: () => V): V {
  const known = book.get(key);
  if (known !== undefined) return known;
  const made = make();
  book.set(key, made);
  return made;
}
