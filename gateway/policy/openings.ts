import { type Case, lockdownsOf, placesOf } from './case.js';
import { ALWAYS, both, FURTHEST_MS } from './hours.js';
import { RULE_GROUPS, type RuleGroup } from './judgement.js';

/**
 * The first instant, epoch milliseconds, at which the same request would pass every rule: all windows open, every lockdown
 * over, every quota and gap satisfied, should nothing more be used and the wire and the clock stay as they are. Found by
 * going from boundary to boundary. Undefined when waiting does not help, or for more than 400 days.
 * @param groups the rules that may object: all, or those from the one on that did, where those before it were asked.
 */
export function firstPass(c: Case, groups: readonly RuleGroup[] = RULE_GROUPS): number | undefined {
  let from = c.atMs;
  // What objects now tells when it stops; what time does not lift, nothing lifts.
  for (const { rules, isMoot } of groups) {
    if (isMoot?.(c) === true) continue;
    for (const rule of rules) {
      const objection = rule.judge(c);
      if (objection === undefined) continue;
      if (objection.passesFrom === undefined) return undefined;
      from = Math.max(from, objection.passesFrom);
    }
  }
  const hours = placesOf(c).reduce((all, place) => both(all, place.hours), c.own?.hours ?? ALWAYS);
  const locked = lockdownsOf(c).map(({ from: begin, until }) => ({
    from: begin.epochMilliseconds,
    to: until?.epochMilliseconds ?? Number.POSITIVE_INFINITY,
  }));
  for (let at = from; at <= c.atMs + FURTHEST_MS; ) {
    const { isOpen, to } = hours.stretchAt(at);
    const later = Math.max(isOpen ? at : to, ...locked.map((lock) => (lock.from <= at && at < lock.to ? lock.to : at)));
    if (later === at) return at;
    at = later;
  }
  return undefined;
}
