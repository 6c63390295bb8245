import { decide } from '../policy/decide.js';
import type { CompiledPolicy } from '../policy/policy.js';
import type { Judge } from './judge.js';

/** Judges by the policy that `current` gives at each call. */
export function policyJudge(current: () => CompiledPolicy): Judge {
  return { judge: (request, facts, at, usage) => decide(current(), usage, facts, request, at) };
}
