/** The first wait is up to this, milliseconds. */
const FIRST_MS = 500;
const LONGEST_MS = 60_000;

/**
 * How long to wait before attempt `attempt` (from 0) to connect, milliseconds. Doubles up to a minute; between half and the
 * whole of it, by `random` in [0, 1), so that the gateways of a broker that restarts do not come back all at once.
 */
export function reconnectMs(attempt: number, random: number): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return ceiling * (0.5 + random / 2);
}
