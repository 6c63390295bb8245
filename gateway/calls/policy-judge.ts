import { decide, prepare } from '../policy/decide.js';
import type { CompiledPolicy } from '../policy/policy.js';
import type { Judge } from './judge.js';

/** Judges by the policy that `current` gives at each call. */
export function policyJudge(current: () => CompiledPolicy): Judge {
  return {
    judge: (request, facts, at, usage) => {
      const policy = current();
      const { number, dayStart } = prepare(policy, request, at);
      return decide(policy, usage(number, dayStart), facts, request, at);
    },
  };
}
