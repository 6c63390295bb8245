import { pointerSteps } from './json-text.js';

/**
 * What is left of a value of type T when its faulty parts are taken out: anything may be missing. The cross-references are
 * checked on this, so that one slip does not hide the others, and the compiler makes each check look before it leaps.
 */
export type Sound<T> = T extends readonly (infer U)[]
  ? readonly (Sound<U> | undefined)[]
  : T extends object
    ? { readonly [K in keyof T]?: Sound<T[K]> | undefined }
    : T;

/** `value` without what stands at `pointers`; entries of lists become undefined, so that the others keep their places. `value` itself is never changed. */
export function soundPart<T>(value: unknown, pointers: readonly string[]): Sound<T> | undefined {
  if (pointers.includes('')) return undefined;
  if (pointers.length === 0) return value as Sound<T>;
  const copy = structuredClone(value);
  for (const pointer of pointers) {
    const steps = pointerSteps(pointer);
    const last = steps.pop() ?? '';
    let node: unknown = copy;
    for (const step of steps) node = isContainer(node) ? node[step] : undefined;
    if (isContainer(node) && Object.hasOwn(node, last)) node[last] = undefined;
  }
  return copy as Sound<T>;
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Freezes a value and all that it holds. */
export function deepFreeze<T>(value: T): T {
  if (isContainer(value) && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
