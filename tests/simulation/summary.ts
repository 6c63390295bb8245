import type { Breach } from './breach.js';
import { instant } from './chronicle.js';
import { DAY_US } from './timeline.js';
import type { World } from './world.js';

function table(title: string, counts: ReadonlyMap<string, number>): string {
  const rows = [...counts].sort((a, b) => b[1] - a[1]).map(([name, n]) => `  ${String(n).padStart(9)}  ${name}`);
  return [title, ...(rows.length === 0 ? ['          none'] : rows)].join('\n');
}

/** What a run went through, as a person reads it. The same seed gives the same text, to the last byte. */
export function summaryOf({ tally, timeline, broker, watch }: World): string {
  const { calls, granted, talked, talkMs, refused, ended, faults } = tally;
  const hours = (talkMs / 3_600_000).toFixed(1);
  return [
    `${(timeline.nowUs / DAY_US).toFixed(1)} virtual days, ${timeline.steps} steps, ${watch.chronicle.count} happenings, digest ${watch.chronicle.digest}`,
    `${calls} calls, ${granted} granted, ${talked} talked for ${hours} h; headquarters has ${broker.through} events, ${broker.doubles} of them twice`,
    table('refused, by rule', refused),
    table('ended, by cause', ended),
    table('faults and orders', faults),
  ].join('\n');
}

/** How it came to a breach: the last that happened to the call, handset or order that it is about, and to the site meanwhile. */
export function storyOf({ watch, timeline, clock }: World, breach: Breach): string {
  const { promise, detail, about } = breach;
  return [
    `BREACH of "${promise}"`,
    `  ${detail}`,
    `  at ${instant(timeline.nowUs)}, step ${timeline.steps}; truly it is ${new Date(clock.trueMs()).toISOString()}`,
    about === ''
      ? 'the last that happened to the site:'
      : `the last that happened to ${about}, and to the site meanwhile:`,
    ...watch.chronicle.story(about),
  ].join('\n');
}
