/** How long to wait before each respawn, and when a process that keeps dying is a crash loop. */
export interface BackOff {
  /** Milliseconds to wait before the next start, after a life of `livedMs`. The first death is answered at once. */
  next(livedMs: number): number;
  /** Deaths in a row, each after a short life. */
  readonly deaths: number;
}

const HEALTHY_MS = 30_000;
const LONGEST_MS = 5_000;
/** Deaths in a row from which on a process is said to be in a crash loop. */
export const CRASH_LOOP_DEATHS = 5;

/** Nothing, 100 ms, 200 ms ... up to 5 s; a life of 30 s wipes the slate. */
export function backOff(): BackOff {
  let deaths = 0;
  return {
    get deaths() {
      return deaths;
    },
    next(livedMs: number): number {
      deaths = livedMs >= HEALTHY_MS ? 1 : deaths + 1;
      return deaths === 1 ? 0 : Math.min(LONGEST_MS, 100 * 2 ** (deaths - 2));
    },
  };
}
