import type { Plant, Plants } from './plant.js';
import { PLANTS_OF_DISK } from './plants-of-disk.js';
import { PLANTS_OF_LIMITS } from './plants-of-limits.js';
import { PLANTS_OF_PLANES } from './plants-of-planes.js';
import { PLANTS_OF_POLICY } from './plants-of-policy.js';
import { PLANTS_OF_WORK } from './plants-of-work.js';

/** Each by its name; at least one breaks each of the promises. */
export const PLANTS: Plants = {
  ...PLANTS_OF_PLANES,
  ...PLANTS_OF_POLICY,
  ...PLANTS_OF_LIMITS,
  ...PLANTS_OF_DISK,
  ...PLANTS_OF_WORK,
};

export function plantNamed(name: string | undefined): Plant | undefined {
  const plant = name !== undefined && Object.hasOwn(PLANTS, name) ? PLANTS[name] : undefined;
  if (name !== undefined && plant === undefined) throw new Error(`there is no fault "${name}" to plant`);
  return plant;
}
