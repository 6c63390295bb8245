import { type E164, handsetId } from '../../gateway/policy/ids.js';
import { UNUSED } from '../../gateway/policy/request.js';
import { ZoneClock } from '../../gateway/policy/zone-clock.js';
import { FORGERIES_OF_BUNDLES, type ForgedBundle } from './forged-bundles.js';
import { bound, type Plants } from './plant.js';
import { SITE_ZONE } from './sim-site.js';

const HOUR_MS = 3_600_000;

/** What a judge does who is blind to a forgery of a bundle. */
const BLIND: Readonly<Record<ForgedBundle, string>> = {
  unsigned: 'a policy that nobody signed is taken',
  'other-key': 'a key is known by its name, whoever has signed with it',
  altered: 'the signatures of a bundle are read, and never verified',
  truncated: 'what is cut off a bundle is taken for a signature',
  'one-signature': 'one signature widens as two do',
  'one-key-twice': 'two signatures of one key count as two',
  replayed: 'a bundle is taken whatever version is in force',
  foreign: 'a bundle for another site is taken',
  expired: 'a bundle is taken after its end',
};

function blindToForgeries(): Plants {
  return Object.fromEntries(
    FORGERIES_OF_BUNDLES.map((blindTo) => [
      `bundle-${blindTo}`,
      { what: BLIND[blindTo], breaks: 'no bundle that is not rightly signed' as const, bundles: { blindTo } },
    ]),
  );
}

/** Faults in what is judged, and by what. */
export const PLANTS_OF_POLICY: Plants = {
  'talk-doubled': {
    what: 'a call may talk twice as long as its profile says',
    breaks: 'no talk beyond the most',
    ports: ({ judge }) => ({
      judge: {
        judge: (...asked) => {
          const decision = judge.judge(...asked);
          return decision.outcome === 'grant' ? { ...decision, maxTalkMs: decision.maxTalkMs * 2 } : decision;
        },
      },
    }),
  },
  'stale-clock': {
    what: 'a clock that is not believed is believed',
    breaks: 'no grant by a wrong clock',
    ports: ({ judge }) => ({
      judge: {
        judge: (request, facts, at, usage) => judge.judge(request, { ...facts, clock: { trusted: true } }, at, usage),
      },
    }),
  },
  'hour-late': {
    what: 'a window that closed within the hour counts as open',
    breaks: 'no grant outside any window',
    ports: ({ judge }) => ({
      judge: {
        judge: (request, facts, at, usage) => {
          const decision = judge.judge(request, facts, at, usage);
          if (decision.outcome === 'grant' || !decision.rule.startsWith('window.')) return decision;
          const before = judge.judge(request, facts, at.subtract({ hours: 1 }), usage);
          if (before.outcome !== 'grant') return decision;
          return { ...before, notAfter: before.notAfter.add({ hours: 1 }) };
        },
      },
    }),
  },
  'hour-early': {
    what: 'a window that closes within the hour counts as closed',
    breaks: 'no refusal without its reason',
    ports: ({ judge }) => ({
      judge: {
        judge: (request, facts, at, usage) => {
          const decision = judge.judge(request, facts, at, usage);
          if (decision.outcome === 'refusal') return decision;
          const after = judge.judge(request, facts, at.add({ hours: 1 }), usage);
          return after.outcome === 'refusal' && after.rule.startsWith('window.') ? after : decision;
        },
      },
    }),
  },
  'wide-night': {
    what: 'on the night the clocks go back, a window that has closed is open again in the hour that comes twice',
    breaks: 'no grant outside any window',
    ports: ({ judge }) => ({
      judge: {
        judge: (request, facts, at, usage) => {
          const decision = judge.judge(request, facts, at, usage);
          if (decision.outcome === 'grant' || !decision.rule.startsWith('window.')) return decision;
          const clock = ZoneClock.of(SITE_ZONE);
          const ms = at.epochMilliseconds;
          if (clock.offsetAt(ms - HOUR_MS) <= clock.offsetAt(ms)) return decision;
          const before = judge.judge(request, facts, at.subtract({ hours: 1 }), usage);
          if (before.outcome !== 'grant') return decision;
          return { ...before, notAfter: before.notAfter.add({ hours: 1 }) };
        },
      },
    }),
  },
  'stranger-served': {
    what: 'a handset that policy does not know is judged as one that it knows',
    breaks: 'no unknown handset',
    ports: ({ judge }) => ({
      judge: {
        judge: (request, facts, at, usage) => {
          if (!request.handset.startsWith('stranger')) return judge.judge(request, facts, at, usage);
          const line = { fitted: true, hook: 'off', supervised: true, relay: 'connected' } as const;
          return judge.judge({ ...request, handset: handsetId('a-101') }, { ...facts, line }, at, usage);
        },
      },
    }),
  },
  'usage-forgotten': {
    what: 'what has been used so far is never counted',
    breaks: 'no more than the quota of the day',
    ports: ({ store }) => ({
      store: bound(store, {
        used: (subject, sinceMs) => (subject.kind === 'number' ? store : UNUSED).used(subject, sinceMs),
      }),
    }),
  },
  'callee-forgotten': {
    what: 'how often a number was tried is never counted',
    breaks: 'no number tried too often',
    ports: ({ store }) => ({
      store: bound(store, {
        used: (subject, sinceMs) => (subject.kind === 'number' ? UNUSED : store).used(subject, sinceMs),
      }),
    }),
  },
  'word-unheard': {
    what: 'numbers that asked not to be called are kept, and never looked up',
    breaks: 'nobody called who asked not to be',
    deafToWords: true,
  },
  'list-ageless': {
    what: 'a national list passes for new, however old it is',
    breaks: 'nobody called who asked not to be',
    agelessList: true,
  },
  'bundle-unheard': {
    what: 'live calls are not judged again when a new bundle comes',
    breaks: 'a live call ends where a new bundle ends it',
    deafToBundles: true,
  },
  'bundle-refused': {
    what: 'every bundle passes for an older one',
    breaks: 'a rightly signed bundle is taken',
    bundles: 'all-old',
  },
  'bundle-reasonless': {
    what: 'a bundle that is not taken is refused without a reason of its own',
    breaks: 'a bundle is refused for its own reason',
    bundles: 'reasonless',
  },
  ...blindToForgeries(),
  'block-ignored': {
    what: 'a number on a block list is judged as another one',
    breaks: 'no number that is not sanctioned',
    ports: ({ judge }) => ({
      judge: {
        judge: (request, facts, at, usage) => {
          const decision = judge.judge(request, facts, at, usage);
          if (decision.outcome === 'grant' || decision.rule !== 'number.blocked') return decision;
          const other = judge.judge({ ...request, dialled: '+442079460012' }, facts, at, usage);
          return other.outcome === 'grant' ? { ...other, number: request.dialled as E164 } : decision;
        },
      },
    }),
  },
  'holiday-ignored': {
    what: 'a holiday where the callee is counts as any other day',
    breaks: 'no grant outside any window',
    ports: ({ judge }) => ({
      judge: {
        judge: (request, facts, at, usage) => {
          const decision = judge.judge(request, facts, at, usage);
          if (decision.outcome === 'grant' || decision.rule !== 'holiday.callee') return decision;
          const before = judge.judge(request, facts, at.subtract({ hours: 168 }), usage);
          return before.outcome === 'grant' ? { ...before, notAfter: at.add({ minutes: 1 }) } : decision;
        },
      },
    }),
  },
  'lockdown-ignored': {
    what: 'policy is not told of the lockdowns',
    breaks: 'no grant in a lockdown',
    ports: ({ judge }) => ({
      judge: { judge: (request, facts, at, usage) => judge.judge(request, { ...facts, lockdowns: [] }, at, usage) },
    }),
  },
  'release-forgotten': {
    what: 'a lockdown that is released stays on the disk',
    breaks: 'no refusal without its reason',
    ports: ({ store }) => ({ store: bound(store, { releaseLockdown: (_, events) => store.append(events) }) }),
  },
};
