import { liveSite } from './live.js';

let offsetMs = 0;
let shownAt = '';

// How far the gateway's clock is ahead of this machine's, from the last whole view: countdowns to instants go by it.
liveSite.watch(() => {
  const at = liveSite.value?.at;
  if (at === undefined || at === shownAt) return;
  shownAt = at;
  offsetMs = Date.parse(at) - Date.now();
});

/** Now by the gateway's clock, milliseconds since 1970; this machine's until the gateway has said anything. */
export function siteNowMs(): number {
  return Date.now() + offsetMs;
}
