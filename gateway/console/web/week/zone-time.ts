const made = new Map<string, Intl.DateTimeFormat>();

function wallClock(zone: string): Intl.DateTimeFormat {
  let found = made.get(zone);
  if (found === undefined) {
    found = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    made.set(zone, found);
  }
  return found;
}

/** What a zone's wall clock is ahead of UTC at an instant, milliseconds; behind it, negative. */
export function offsetMs(atMs: number, zone: string): number {
  const part: Record<string, number> = {};
  for (const { type, value } of wallClock(zone).formatToParts(atMs)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(atMs / 1000) * 1000;
}

/** The date (2026-11-23) that a zone's calendar shows at an instant. */
export function dateIn(atMs: number, zone: string): string {
  return new Date(atMs + offsetMs(atMs, zone)).toISOString().slice(0, 10);
}

/** The date some days later, or earlier. */
export function daysAfter(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/**
 * The instant at which a date begins in a zone, milliseconds. Where its midnight does not exist (clocks go forward at
 * midnight), the instant at which they do.
 */
export function startOfDate(date: string, zone: string): number {
  const wallMs = Date.parse(`${date}T00:00:00Z`);
  const guess = wallMs - offsetMs(wallMs, zone);
  const first = wallMs - offsetMs(guess, zone);
  // Within hours of a change the first guess may have the offset of the other side.
  const candidates = [guess, first].filter((atMs) => dateIn(atMs, zone) === date);
  return candidates.length > 0 ? Math.min(...candidates) : Math.max(guess, first);
}

/** Monday of the week that a date is in. */
export function mondayOf(date: string): string {
  const weekday = (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7;
  return daysAfter(date, -weekday);
}
