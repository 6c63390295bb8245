import type { Campaign } from '../../config/schema/types.generated.js';
import type { CalleeHours } from '../policy/callee-hours.js';
import { type Hours, NEVER, type Stretch } from '../policy/hours.js';
import { HoursBook } from '../policy/hours-book.js';
import type { Normal } from '../policy/number.js';
import { Schedule } from '../policy/schedule.js';

/** Where a callee may be: a country and every zone in question. Kept with the contact, so that choosing needs no number. */
export interface Place {
  readonly country: string;
  readonly zones: readonly string[];
}

/** The times of day between which a contact may be called, in its own zone. */
export interface OwnTimes {
  readonly earliest?: string;
  readonly latest?: string;
}

type Known = Extract<Normal, { ok: true }>;

const EVERY_DAY = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/**
 * Open where every member is. Unlike policy's join it looks no further than the next boundary when it is closed: hours that
 * never meet are asked for at every choice, and must not be searched for a year each time.
 */
class Meeting implements Hours {
  #last: Stretch | undefined;

  constructor(private readonly members: readonly Hours[]) {}

  stretchAt(ms: number): Stretch {
    const last = this.#last;
    if (last !== undefined && ms >= last.from && ms < last.answersTo) return last;
    let isOpen = true;
    let from = Number.NEGATIVE_INFINITY;
    let to = Number.POSITIVE_INFINITY;
    let answersTo = Number.POSITIVE_INFINITY;
    let opens = ms;
    for (const member of this.members) {
      const stretch = member.stretchAt(ms);
      from = Math.max(from, stretch.from);
      to = Math.min(to, stretch.to);
      answersTo = Math.min(answersTo, stretch.answersTo);
      if (stretch.isOpen) continue;
      isOpen = false;
      opens = Math.max(opens, stretch.to);
    }
    // Nothing opens before the last of those that are closed now does.
    this.#last = isOpen ? { isOpen, from, to, answersTo } : { isOpen, from: ms, to: opens, answersTo: opens };
    return this.#last;
  }
}

/** Where a number may be, by policy's own reading; undefined where no zone is known: nobody may call it. */
export function placeOf(callee: CalleeHours, number: Known, ownZone?: string): Place | undefined {
  const place = callee.placeOf(number, ownZone);
  return place === undefined ? undefined : { country: place.country, zones: place.zones };
}

/** When contacts may be called, by policy's own calling hours: one `Hours` for all that have the same place and times. */
export class ContactHours {
  readonly #book: HoursBook;
  readonly #ofCampaign = new Map<string, Hours>();
  /** Times of day by zone, earliest and latest: contacts that write them alike share them. */
  readonly #times = new Map<string, Hours>();

  /**
   * @param inForce the calling hours of the policy in force, which a signed bundle may change at any time.
   * @param zone the site's, in which a campaign's own windows are.
   */
  constructor(
    private readonly inForce: () => CalleeHours,
    zone: string,
    isHoliday: (day: number) => boolean,
  ) {
    this.#book = new HoursBook(zone, isHoliday);
  }

  /** The calling hours that `hoursOf` goes by now; once it is another object, hours that were given before are out of date. */
  get callee(): CalleeHours {
    return this.inForce();
  }

  /** Open where the callee's country, the campaign's law, the campaign's windows and the contact's own times all are. */
  hoursOf(campaign: Campaign, place: Place, { earliest, latest }: OwnTimes): Hours {
    if (place.zones.length === 0) return NEVER;
    const own = earliest === undefined && latest === undefined;
    const members = [
      this.#campaign(campaign),
      ...place.zones.flatMap((zone) => [
        this.#lawful(place.country, zone),
        ...(campaign.law === undefined || campaign.law === place.country ? [] : [this.#lawful(campaign.law, zone)]),
        ...(own ? [] : [this.#timesOfDay(zone, earliest ?? '00:00', latest ?? '24:00')]),
      ]),
    ];
    return new Meeting([...new Set(members)]);
  }

  /** The hours of a campaign have changed. */
  forget(campaign: string): void {
    this.#ofCampaign.delete(campaign);
  }

  #campaign(campaign: Campaign): Hours {
    const known = this.#ofCampaign.get(campaign.id) ?? this.#book.of(campaign);
    this.#ofCampaign.set(campaign.id, known);
    return known;
  }

  #timesOfDay(zone: string, from: string, to: string): Hours {
    const key = `${zone} ${from} ${to}`;
    const known = this.#times.get(key) ?? new Schedule(zone, [{ days: EVERY_DAY, from, to }]);
    this.#times.set(key, known);
    return known;
  }

  #lawful(country: string, zone: string): Hours {
    // The calling hours of a country in a zone depend on neither the number nor its kind.
    const anyNumber = { ok: true, number: '' as Known['number'], country, mobile: true, class: 'ordinary' } as const;
    return this.callee.placeOf(anyNumber, zone)?.hours ?? NEVER;
  }
}
