/** Whether somebody who has keyed a code and a PIN may sign on here and now: pure. */
import type { Person } from '../../config/schema/types.generated.js';
import type { Hours } from '../policy/hours.js';
import { type Failures, isLocked } from './lockout.js';
import type { SignOnRefusal } from './session-state.js';

export interface SignOnFacts {
  /** Whose code it is; undefined: nobody's. */
  readonly person: Person | undefined;
  readonly isPinRight: boolean;
  readonly handset: string;
  readonly failuresOfCode: Failures;
  readonly failuresOfHandset: Failures;
  /** The handset at which the person is signed on already. */
  readonly signedOnAt: string | undefined;
  /** The hours in which the person may work. */
  readonly hours: Hours;
  /** The person works for a campaign that is there. */
  readonly hasCampaign: boolean;
}

/**
 * Why not, or undefined. What is told before the code and the PIN are right tells nothing about either: a locked code that
 * nobody has and one that somebody has look the same.
 */
export function signOnRefusal(facts: SignOnFacts, nowMs: number): SignOnRefusal | undefined {
  const { person, isPinRight, handset, failuresOfCode, failuresOfHandset, signedOnAt, hours, hasCampaign } = facts;
  if (isLocked(failuresOfHandset, nowMs) || isLocked(failuresOfCode, nowMs)) return 'locked';
  if (person === undefined || !isPinRight) return 'wrong';
  if (person.suspended) return 'suspended';
  if (!person.handsets.includes(handset)) return 'handset';
  if (signedOnAt !== undefined && signedOnAt !== handset) return 'elsewhere';
  if (!hours.stretchAt(nowMs).isOpen) return 'hours';
  return hasCampaign ? undefined : 'no-campaign';
}
