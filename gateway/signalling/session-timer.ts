import type Srf from 'drachtio-srf';

/** The session timer of a trunk leg, seconds: the shortest that there is (RFC 4028 §4), and what a dead gateway's call lasts at most. */
export const SESSION_S = 90;
/** No carrier may make a session last longer than this, seconds. */
const LONGEST_S = 7_200;

/** What a request of ours says of the session timer. Nobody is named to refresh in an INVITE: the carrier chooses (§7.1). */
export function sessionHeaders(intervalS: number, refresher?: 'uac'): Record<string, string> {
  const named = refresher === undefined ? '' : `;refresher=${refresher}`;
  return {
    'Session-Expires': `${intervalS}${named}`,
    // 90 is what Min-SE means where it is not said (§5).
    ...(intervalS > SESSION_S && { 'Min-SE': String(intervalS) }),
    Supported: 'timer',
  };
}

/** The interval that a 422 asks for, seconds; undefined when it asks for nothing, or for what is too long. */
export function leastInterval(response: Srf.SrfResponse): number | undefined {
  if (response.status !== 422 || !response.has('min-se')) return undefined;
  const least = Number.parseInt(response.get('min-se'), 10);
  return least > SESSION_S && least <= LONGEST_S ? least : undefined;
}

/** What a 2xx agrees on: the interval, seconds, of what it says or else of what was asked, and whether we are to refresh (§7.2). */
export function agreedSession(response: Srf.SrfResponse, askedS: number): { intervalS: number; isOurs: boolean } {
  const name = ['session-expires', 'x'].find((one) => response.has(one));
  const value = name === undefined ? '' : response.get(name);
  const intervalS = Number.parseInt(value, 10);
  const isTheirs = /;\s*refresher\s*=\s*uas/i.test(value);
  return { intervalS: intervalS >= SESSION_S ? intervalS : askedS, isOurs: !isTheirs };
}
