import { useEffect, useState } from 'preact/hooks';

/** One value that the page shows, and who is told when it changes. */
export class Store<T> {
  readonly #told = new Set<() => void>();
  #value: T;

  constructor(first: T) {
    this.#value = first;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const tell of [...this.#told]) tell();
  }

  /** Calls `tell` after each change until the function that it gives is called. */
  watch(tell: () => void): () => void {
    this.#told.add(tell);
    return () => {
      this.#told.delete(tell);
    };
  }
}

/** The store's value, or the part of it that `pick` takes; the component is drawn again when that part is another. */
export function useStore<T>(store: Store<T>): T;
export function useStore<T, P>(store: Store<T>, pick: (value: T) => P): P;
export function useStore<T, P>(store: Store<T>, pick?: (value: T) => P): T | P {
  const read = (): T | P => (pick === undefined ? store.value : pick(store.value));
  const now = read();
  const [, draw] = useState({});
  useEffect(() => {
    let shown = read();
    if (!Object.is(shown, now)) draw({});
    return store.watch(() => {
      const next = read();
      if (Object.is(next, shown)) return;
      shown = next;
      draw({});
    });
  }, [store]);
  return now;
}
