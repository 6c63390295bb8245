import { DAY_US } from './timeline.js';
import type { World } from './world.js';

function table(title: string, counts: ReadonlyMap<string, number>): string {
  const rows = [...counts].sort((a, b) => b[1] - a[1]).map(([name, n]) => `  ${String(n).padStart(9)}  ${name}`);
  return [title, ...(rows.length === 0 ? ['          none'] : rows)].join('\n');
}

/** What a run went through, as a person reads it. */
export function summaryOf({ tally, timeline, broker }: World, elapsedS: number): string {
  const days = timeline.nowUs / DAY_US;
  const { calls, granted, talked, talkMs, refused, ended, faults } = tally;
  const hours = (talkMs / 3_600_000).toFixed(1);
  return [
    `${days.toFixed(1)} virtual days in ${elapsedS.toFixed(1)} s: ${(days / elapsedS).toFixed(1)} days/s, ${timeline.steps} steps`,
    `${calls} calls, ${granted} granted, ${talked} talked for ${hours} h; headquarters has ${broker.through} events, ${broker.doubles} of them twice`,
    table('refused, by rule', refused),
    table('ended, by cause', ended),
    table('faults and orders', faults),
  ].join('\n');
}
