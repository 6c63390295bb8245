import type { RuleId } from '../../gateway/policy/decision.js';
import type { DialRequest } from '../../gateway/policy/request.js';
import type { Counted, LimitWatch } from './limit-watch.js';
import type { ListWatch } from './list-watch.js';
import type { LockdownWatch } from './lockdown-watch.js';
import type { MachineClock } from './machine-clock.js';
import type { SimHandset, SimSite } from './sim-site.js';
import type { Timeline } from './timeline.js';
import { changesAbout, isHoliday, isOpen, localDay, type WindowRule } from './window-oracle.js';
import type { WorkOfSite } from './work-watch.js';

/** The clock may be off by this and be believed (gateway/clock/step-watch.ts), milliseconds. */
export const BELIEVED_MS = 2_000;
/** The hook is known to the gateway by then, if its controller is there, microseconds. */
const HOOK_US = 10e6;
/** Around a night on which the clocks change the narrow reading of a wall time is narrower than any person's clock shows. */
const DOUBTFUL_MS = 70 * 60_000;

export interface RefusalParts {
  readonly timeline: Timeline;
  readonly clock: MachineClock;
  readonly site: SimSite;
  readonly lockdowns: LockdownWatch;
  readonly lists: ListWatch;
  readonly limits: LimitWatch;
  readonly policyIndex: () => number;
  readonly work: () => WorkOfSite | undefined;
}

/** Whether what a refusal says is so, as somebody would say who was there. */
export class RefusalWatch {
  constructor(private readonly parts: RefusalParts) {}

  /** False where a refusal by a rule has no reason. What nobody can tell is true. */
  isTrue(rule: RuleId, { handset, dialled, person }: DialRequest): boolean {
    const { clock, lockdowns, site, timeline, policyIndex } = this.parts;
    const one = site.handsets.get(handset);
    if (rule === 'clock.untrusted') return clock.wrongMs !== 0 || timeline.nowUs <= clock.doubtedUntilUs;
    if (rule === 'handset.unknown') return one === undefined;
    if (one === undefined) return true;
    switch (rule) {
      case 'lockdown.site':
      case 'lockdown.wing':
      case 'lockdown.handset':
        return lockdowns.mayHold(one, rule, clock.trueMs());
      case 'line.not-off-hook':
        return one.hook === 'on' || timeline.nowUs - one.hookSinceUs <= HOOK_US;
      // Nobody is suspended, nothing is disabled, and the policy is always there.
      case 'handset.disabled':
      case 'person.suspended':
      case 'policy.missing':
      case 'policy.expired':
      case 'policy.unsigned':
        return false;
      case 'number.blocked':
      case 'number.not-sanctioned':
        return !site.sanctions(one, this.numberOf(dialled), policyIndex());
      default:
        return clock.wrongMs !== 0 || this.isTrueByTheClock(rule, one, dialled, person);
    }
  }

  /** The same for what the wall clock has to do with, which is right. */
  private isTrueByTheClock(rule: RuleId, one: SimHandset, dialled: string, person: string | undefined): boolean {
    const { clock, limits, lists, site, policyIndex } = this.parts;
    const work = this.parts.work();
    switch (rule) {
      case 'limit.attempts':
      case 'limit.gap':
      case 'limit.calls':
      case 'limit.talk':
      case 'limit.concurrent': {
        const contact = work?.watch.contactOf(dialled);
        const isTriedOut = contact !== undefined && contact.attempts > contact.most;
        if (rule === 'limit.attempts' && isTriedOut) return true;
        const of = rule.slice('limit.'.length) as 'attempts' | 'gap' | 'calls' | 'talk' | 'concurrent';
        return limits.mayBeReached(of, this.countedOf(one, dialled, person), clock.trueMs());
      }
      case 'dnc.listed':
      case 'dnc.stale':
      case 'contact.refused':
        return lists.isTrue(rule, one, this.numberOf(dialled), clock.trueMs());
      case 'holiday.callee':
        return this.isHolidayAt(dialled);
      case 'window.site':
      case 'window.wing':
      case 'window.handset':
      case 'window.callee': {
        const rules = site.rulesOf(rule, one, dialled, policyIndex());
        // A number of nowhere, or a policy that has come since.
        return rules.length === 0 || this.isClosedAbout(rules);
      }
      case 'window.person':
        return work?.rulesOfLate(person).some((rules) => this.isClosedAbout(rules)) === true;
      case 'window.campaign': {
        const campaign = work?.watch.contactOf(dialled)?.campaign;
        return work?.rulesOfLate(campaign).some((rules) => this.isClosedAbout(rules)) === true;
      }
      default:
        return true;
    }
  }

  /** Somebody's clock shows a time outside; to within what a clock may be off, and by more on a night on which it changes. */
  private isClosedAbout(rules: readonly WindowRule[]): boolean {
    const nowMs = this.parts.clock.trueMs();
    const offMs = rules.some(({ zone }) => changesAbout(zone, nowMs)) ? DOUBTFUL_MS : BELIEVED_MS;
    return [nowMs - offMs, nowMs, nowMs + offMs].some((ms) => !rules.every((rule) => isOpen(rule, ms)));
  }

  private isHolidayAt(dialled: string): boolean {
    const { clock, site } = this.parts;
    const called = site.calledAt(dialled);
    if (called === undefined) return true;
    const looks = [-BELIEVED_MS, BELIEVED_MS].map((ms) => clock.trueMs() + ms);
    const days = called.zones.flatMap((zone) => looks.map((ms) => localDay(zone, ms)));
    return days.some((day) => isHoliday(called.closedIn, day));
  }

  /** By whom and what a call is limited. */
  countedOf(one: SimHandset, dialled: string, person: string | undefined): Counted {
    const { site } = this.parts;
    const work = this.parts.work();
    const campaign = work?.watch.contactOf(dialled)?.campaign;
    const number = this.numberOf(dialled);
    return {
      ...{ handset: one.id, number, person, campaign, zones: site.calledAt(number)?.zones ?? [] },
      limits: [...site.limitsOf(one), ...(work?.limitsOf(person) ?? []), ...(work?.limitsOf(campaign) ?? [])],
    };
  }

  /** What a granted call must not have reached: of a contact that asked to be called now its campaign's spacing does not hold. */
  boundBy(one: SimHandset, dialled: string, person: string | undefined): Counted {
    const { clock, site } = this.parts;
    const counted = this.countedOf(one, dialled, person);
    const work = this.parts.work();
    if (work?.watch.isAgreed(dialled, clock.trueMs()) !== true) return counted;
    const ofCampaign = work.limitsOf(counted.campaign).filter(({ of }) => of !== 'gap');
    return { ...counted, limits: [...site.limitsOf(one), ...work.limitsOf(person), ...ofCampaign] };
  }

  private numberOf(dialled: string): string {
    const keyed = dialled.startsWith('00') ? `+${dialled.slice(2)}` : dialled;
    return this.parts.work()?.watch.contactOf(dialled)?.number ?? keyed;
  }
}
