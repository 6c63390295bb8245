/** Which clock the demo plays by, and what the rules on file would say of it: its own hours are open whenever it runs. */
import { readFileSync } from 'node:fs';
import type { Temporal } from 'temporal-polyfill';
import { readCallingHours } from '../../gateway/config/calling-hours.js';
import { programData } from '../../gateway/config/paths.js';
import { CalleeHours } from '../../gateway/policy/callee-hours.js';
import { opensFrom } from '../../gateway/policy/hours.js';
import type { ZoneTables } from '../../gateway/policy/number-zones.js';

export interface PlayedPlace {
  readonly city: string;
  readonly zone: string;
  readonly country: string;
}

/** The callees of the working day. */
export const PLACES = {
  brussels: { city: 'Brussels', zone: 'Europe/Brussels', country: 'BE' },
  ankara: { city: 'Ankara', zone: 'Europe/Istanbul', country: 'TR' },
} as const satisfies Record<string, PlayedPlace>;

const timeAt = (at: Temporal.Instant, zone: string, more: Intl.DateTimeFormatOptions = {}): string =>
  new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', ...more }).format(
    at.epochMilliseconds,
  );

/** The time of day in a place, HH:MM. */
export const timeIn = ({ zone }: PlayedPlace, at: Temporal.Instant): string => timeAt(at, zone);

/** What a real site would do there now, by the calling hours on file; a sentence a place. */
export function realHours(places: readonly PlayedPlace[], at: Temporal.Instant): readonly string[] {
  const { countries } = JSON.parse(readFileSync(programData('number-zones.json'), 'utf8')) as ZoneTables;
  const callee = new CalleeHours(readCallingHours(programData('.')).hours, { countries });
  const nowMs = at.epochMilliseconds;
  return places.map((place) => {
    const { city, zone, country } = place;
    const hours = callee.placeIn(country, zone)?.hours;
    const stretch = hours?.stretchAt(nowMs);
    if (hours === undefined || stretch === undefined) return `${city} would never be called`;
    const now = `${city}, where it is ${timeIn(place, at)}, would`;
    if (stretch.isOpen) return `${now} be called${until(stretch.to, place, at)}`;
    const opensMs = opensFrom(hours, nowMs);
    return opensMs === undefined ? `${now} not be called` : `${now} not be called${until(opensMs, place, at)}`;
  });
}

function until(ms: number, { zone }: PlayedPlace, now: Temporal.Instant): string {
  if (!Number.isFinite(ms)) return '';
  const at = now.add({ milliseconds: Math.round(ms - now.epochMilliseconds) });
  const dayOf = (one: Temporal.Instant) => one.toZonedDateTimeISO(zone).toPlainDate();
  return ` until ${timeAt(at, zone, dayOf(at).equals(dayOf(now)) ? {} : { weekday: 'short' })}`;
}
