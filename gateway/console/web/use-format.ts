import { useMemo } from 'preact/hooks';
import { Format } from './format.js';
import { liveSite } from './live.js';
import { useStore } from './store.js';
import { useWords } from './words/speak.js';

const BROWSER_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Writes instants in the site's zone, or the browser's while the site is not yet known. */
export function useFormat(): Format {
  const { language } = useWords();
  const zone = useStore(liveSite, (site) => site?.zone) ?? BROWSER_ZONE;
  return useMemo(() => new Format(language, zone), [language, zone]);
}
