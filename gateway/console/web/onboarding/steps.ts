import type { EndedView } from '../../api/calls.js';
import type { HandsetPage, HandsetView } from '../../api/handsets.js';

/** The walk's steps, in their order. */
export const STEPS = ['board', 'cell', 'line', 'phone', 'registration', 'call'] as const;
export type Step = (typeof STEPS)[number];

/** What a step is told of the handset: its facts as they were asked for, and what it does now. */
export interface Walked {
  readonly facts: HandsetPage;
  readonly view: HandsetView;
}

const isAnswered = ({ talkS }: EndedView): boolean => talkS > 0;

/** The newest call of a handset that was answered. */
export function answered({ lastCalls }: HandsetPage): EndedView | undefined {
  return lastCalls.find(isAnswered);
}

/**
 * What of the walk is done, as the handset itself tells it: nothing is kept of it anywhere else, so that it goes on at
 * any machine, for anybody, after any time. A handset without a line has nothing to do at the board and the line.
 */
export function doneOf({ facts, view }: Walked): ReadonlySet<Step> {
  const hasLine = facts.line !== undefined;
  const isWell = view.fault === undefined && view.hook !== 'unknown' && view.relay !== 'unknown';
  const done: readonly (readonly [Step, boolean])[] = [
    ['board', !hasLine || view.fault === undefined],
    ['cell', true],
    ['line', !hasLine || isWell],
    ['phone', view.registered],
    ['registration', view.registered],
    ['call', view.phase === 'talking' || answered(facts) !== undefined],
  ];
  return new Set(done.flatMap(([step, isDone]) => (isDone ? [step] : [])));
}

/** Where the walk goes on: the first step that is not done; undefined when all are. */
export function nextOf(done: ReadonlySet<Step>): Step | undefined {
  return STEPS.find((step) => !done.has(step));
}
