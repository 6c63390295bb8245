/**
 * When to call back, as keys say it: `<minutes>#` with one to three digits is so many minutes from now; `<hhmm>#` is when the
 * callee's clock next shows that time; `<days>*<hhmm>#` is that time so many days from the callee's today, 0 to 9. `*` as the
 * first key, or twice, begins anew.
 */
import { DAY_MS, ZoneClock } from '../policy/zone-clock.js';

/** `d*hhmm`, and no key more. */
const LONGEST = 6;
const LEAST_MIN = 5;

export type Entry =
  | { readonly is: 'going-on'; readonly keys: string }
  /** The keys say a time, by the grammar; whether it is one that can be waited for is not known yet. */
  | { readonly is: 'complete'; readonly keys: string }
  | { readonly is: 'malformed' };

const FORM = /^(?:[1-9][0-9]{0,2}|(?:[01][0-9]|2[0-3])[0-5][0-9]|[0-9]\*(?:[01][0-9]|2[0-3])[0-5][0-9])$/;

/** The entry after one more key. */
export function afterKey(keys: string, key: string): Entry {
  if (key === '#') return FORM.test(keys) ? { is: 'complete', keys } : { is: 'malformed' };
  if (key === '*') {
    if (keys === '' || keys.includes('*')) return { is: 'going-on', keys: '' };
    return keys.length === 1 ? { is: 'going-on', keys: `${keys}*` } : { is: 'malformed' };
  }
  if (!/^[0-9]$/.test(key) || keys.length >= LONGEST) return { is: 'malformed' };
  return { is: 'going-on', keys: keys + key };
}

/** The instant of a complete entry, or why there is none. */
export type CallBackTime =
  | { readonly ok: true; readonly atMs: number }
  | { readonly ok: false; readonly why: 'malformed' | 'past' };

/**
 * When a complete entry means, for a callee who may be in any of these zones: when every one of their clocks has come to that
 * time. A time in a DST gap is the gap's end, one that comes twice is the later one.
 */
export function callBackTime(keys: string, zones: readonly string[], nowMs: number): CallBackTime {
  if (!FORM.test(keys) || zones.length === 0) return { ok: false, why: 'malformed' };
  if (/^[0-9]{1,3}$/.test(keys)) {
    const minutes = Number(keys);
    return minutes < LEAST_MIN ? { ok: false, why: 'past' } : { ok: true, atMs: nowMs + minutes * 60_000 };
  }
  const [first = '', second] = keys.split('*');
  const time = second ?? first;
  const minute = Number(time.slice(0, 2)) * 60 + Number(time.slice(2));
  const instants = zones.map((zone) => {
    const clock = ZoneClock.of(zone);
    const at = (day: number) => clock.instantOf(day * DAY_MS + minute * 60_000, 'opens');
    const today = clock.dayAt(nowMs);
    if (second !== undefined) return at(today + Number(first));
    return at(today) > nowMs ? at(today) : at(today + 1);
  });
  const atMs = Math.max(...instants);
  return atMs > nowMs ? { ok: true, atMs } : { ok: false, why: 'past' };
}
