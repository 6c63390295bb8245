/** Real seconds since it was made, for progress and the summary; nothing of the simulation reads it. */
export function stopwatch(): () => number {
  const { hrtime } = process;
  const from = hrtime.bigint();
  return () => Number(hrtime.bigint() - from) / 1e9;
}
