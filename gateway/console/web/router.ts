import { Store, useStore } from './store.js';

/** Where the page is: the words of the hash's path, and what is asked after `?`. `#/handsets/a-101` → ['handsets', 'a-101']. */
export interface Route {
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

/** Reads a hash; words are decoded, and one that cannot be is left as it stands. */
export function readHash(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  return { path: path.split('/').filter(Boolean).map(decoded), query: new URLSearchParams(query) };
}

/** The hash of a place in the page. */
export function hashOf(...path: readonly string[]): string {
  return `#/${path.map(encodeURIComponent).join('/')}`;
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch (fault) {
    if (fault instanceof URIError) return word;
    throw fault;
  }
}

const route = new Store<Route>(readHash(location.hash));
window.addEventListener('hashchange', () => route.set(readHash(location.hash)));

/** Where the page is now. */
export function useRoute(): Route {
  return useStore(route);
}

/** Changes what is asked after `?` without a new entry in the history; empty values go. */
export function setQuery(values: Readonly<Record<string, string>>): void {
  const { path, query } = route.value;
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(values)) {
    if (value === '') next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  history.replaceState(null, '', `${hashOf(...path)}${text === '' ? '' : `?${text}`}`);
  route.set({ path, query: next });
}
