import { ZoneClock } from './zone-clock.js';

const two = (n: number): string => String(n).padStart(2, '0');

/** "20:14" as the zone's clocks show it, or with its date when it is of another day than `todayMs`. */
export function localTime(zone: string, ms: number, todayMs: number): string {
  const clock = ZoneClock.of(zone);
  const local = new Date(ms + clock.offsetAt(ms));
  const time = `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}`;
  return clock.dayAt(ms) === clock.dayAt(todayMs) ? time : `${local.toISOString().slice(0, 10)} ${time}`;
}

/** "Buenos Aires" of America/Argentina/Buenos_Aires. */
export const cityOf = (zone: string): string => (zone.split('/').at(-1) ?? zone).replaceAll('_', ' ');
