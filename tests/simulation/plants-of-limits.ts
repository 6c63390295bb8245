import type { Subject, UsageBook, UsageCount } from '../../gateway/policy/request.js';
import { bound, type Plant, type Plants } from './plant.js';

const DAY_MS = 86_400_000;

type Counting = (store: UsageBook, subject: Subject, sinceMs: number) => UsageCount;

/** A ledger that counts wrongly, so that calls are refused that may be. */
const refusing = (what: string, tells: RegExp, used: Counting): Plant => ({
  ...{ what, tells, breaks: 'no refusal without its reason' },
  ports: ({ store }) => ({ store: bound(store, { used: (subject, sinceMs) => used(store, subject, sinceMs) }) }),
});

/** The same, so that calls are granted that may not be. */
const granting = (what: string, tells: RegExp, used: Counting): Plant => ({
  ...refusing(what, tells, used),
  breaks: 'no more than the quota of the day',
});

/** Faults in what limits rest on: each is found in a refusal that has no reason, or in a grant that is one too many. */
export const PLANTS_OF_LIMITS: Plants = {
  'attempt-too-many': refusing('one attempt more is counted than was made', /^limit.attempts/, (store, ...asked) => {
    const count = store.used(...asked);
    return { ...count, attempts: count.attempts + 1 };
  }),
  'call-too-many': refusing('one call more is counted than was answered', /^limit.calls/, (store, ...asked) => {
    const count = store.used(...asked);
    return { ...count, calls: count.calls + 1 };
  }),
  'talk-too-much': refusing('talk is counted four times over', /^limit.talk/, (store, ...asked) => {
    const count = store.used(...asked);
    return { ...count, talkMs: count.talkMs * 4 };
  }),
  'gap-too-long': refusing('a gap begins a quarter of an hour after a call', /^limit.gap/, (store, ...asked) => {
    const { lastEndedAt, ...count } = store.used(...asked);
    return { ...count, ...(lastEndedAt !== undefined && { lastEndedAt: lastEndedAt.add({ minutes: 15 }) }) };
  }),
  'busy-with-nothing': refusing(
    'a call that is over counts as one in progress',
    /^limit.concurrent/,
    (store, ...asked) => {
      const count = store.used(...asked);
      return { ...count, live: count.live + (count.attempts > 0 ? 1 : 0) };
    },
  ),
  'yesterday-counted': refusing(
    'what was used yesterday counts today',
    /^limit.(calls|talk|attempts)/,
    (store, subject, sinceMs) => store.used(subject, subject.kind === 'handset' ? sinceMs - DAY_MS : sinceMs),
  ),
  'campaigns-together': refusing(
    'what one campaign uses counts for the other too',
    /^limit.attempts/,
    (store, subject, sinceMs) => {
      if (subject.kind !== 'campaign') return store.used(subject, sinceMs);
      const [one, other] = ['trains', 'water'].map((id) => store.used({ kind: 'campaign', id }, sinceMs));
      return { ...store.used(subject, sinceMs), attempts: (one?.attempts ?? 0) + (other?.attempts ?? 0) };
    },
  ),
  'month-forgotten': granting('of a month the first two days are not counted', /month/, (store, subject, sinceMs) =>
    store.used(subject, subject.kind === 'person' ? sinceMs + 2 * DAY_MS : sinceMs),
  ),
  'live-uncounted': granting('a call in progress counts for nothing', /concurrent|attempts/, (store, ...asked) => {
    const { live, liveTalkMs, ...count } = store.used(...asked);
    const { attempts, calls, talkMs } = count;
    return {
      ...count,
      attempts: attempts - live,
      calls: calls - live,
      talkMs: talkMs - liveTalkMs,
      live: 0,
      liveTalkMs: 0,
    };
  }),
};
