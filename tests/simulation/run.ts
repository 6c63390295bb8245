import { Breach } from './breach.js';
import { storyOf, summaryOf } from './summary.js';
import { World } from './world.js';
import { CALLS_PER_DAY, type WorldOptions } from './world-options.js';

/** A run that came to its end, or to a breach, or was stopped. */
export interface Run {
  readonly world: World;
  readonly breach: Breach | undefined;
  /** What it went through. */
  readonly summary: string;
  /** How it came to the breach, with the command that replays it; undefined without one. */
  readonly story: string | undefined;
}

/** The command that replays a run. */
export function commandOf(options: WorldOptions, days: number): string {
  const { seed, handsets, callsPerDay = CALLS_PER_DAY, shiftsPerDay, from, calm, wire, plant } = options;
  return [
    `npm run simulate -- --seed ${seed} --days ${days} --handsets ${handsets} --calls ${callsPerDay}`,
    ...(shiftsPerDay === undefined ? [] : [`--shifts ${shiftsPerDay}`]),
    ...(from === undefined ? [] : [`--from ${from}`]),
    ...(calm === true ? ['--calm'] : []),
    ...(wire === true ? ['--wire'] : []),
    ...(plant === undefined ? [] : [`--plant ${plant}`]),
  ].join(' ');
}

/** Runs a world for some days. A breach is told; anything else that goes wrong is thrown. */
export async function run(
  options: WorldOptions,
  days: number,
  onDay?: (day: number, world: World) => void,
  onBegin?: (world: World) => void,
): Promise<Run> {
  const world = new World(options);
  onBegin?.(world);
  let breach: Breach | undefined;
  try {
    await world.run(days, (day) => onDay?.(day, world));
  } catch (fault) {
    if (!(fault instanceof Breach)) throw fault;
    breach = fault;
  }
  const told = breach === undefined ? undefined : `${storyOf(world, breach)}\nreplay: ${commandOf(options, days)}`;
  return { world, breach, summary: summaryOf(world), story: told };
}
