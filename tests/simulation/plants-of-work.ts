import { UNUSED } from '../../gateway/policy/request.js';
import { bound, type Plants } from './plant.js';
import { CAMPAIGNS } from './work-site.js';

const A_MORNING = [{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '08:30', to: '10:30' }] as const;

/** Faults in the work: whom it calls, when, and what it is paid. */
export const PLANTS_OF_WORK: Plants = {
  'settlement-lost': {
    what: 'what became of a contact is told, and its row says that it may be called',
    breaks: 'no contact twice',
    work: 'settlement-lost',
  },
  'own-times-lost': {
    what: 'the times between which a contact may be called are not read',
    breaks: 'no contact outside its own times',
    work: 'times-lost',
  },
  'pause-unwritten': {
    what: 'pauses are not written down',
    breaks: 'paid minutes add up',
    work: 'pause-lost',
  },
  'work-change-unheard': {
    what: 'live calls are not judged again when a person or a campaign is narrowed',
    breaks: 'a live call ends where a new bundle ends it',
    work: 'changes-unheard',
  },
  'campaign-ignored': {
    what: 'a contact’s call is judged without its campaign’s hours',
    breaks: 'no grant outside any window',
    ports: ({ judge }) => ({
      judge: {
        judge: ({ campaign, ...request }, ...more) => {
          if (campaign === undefined) return judge.judge(request, ...more);
          const { windows: _, ...always } = campaign;
          return judge.judge({ ...request, campaign: always }, ...more);
        },
      },
    }),
  },
  'campaign-too-narrow': {
    what: 'a contact’s call is judged by hours that its campaign may have on another day',
    breaks: 'no refusal without its reason',
    ports: ({ judge }) => ({
      judge: {
        judge: (request, ...more) => {
          const narrow = CAMPAIGNS[request.campaign?.id ?? '']?.[1];
          return judge.judge(narrow === undefined ? request : { ...request, campaign: narrow }, ...more);
        },
      },
    }),
  },
  'person-too-narrow': {
    what: 'whoever is signed on is judged by hours that are somebody else’s',
    breaks: 'no refusal without its reason',
    ports: ({ judge }) => ({
      judge: {
        judge: (request, ...more) => {
          const { personFacts } = request;
          if (personFacts === undefined) return judge.judge(request, ...more);
          return judge.judge({ ...request, personFacts: { ...personFacts, windows: A_MORNING } }, ...more);
        },
      },
    }),
  },
  'campaign-uncounted': {
    what: 'what a campaign has used is never counted',
    breaks: 'no more than the quota of the day',
    ports: ({ store }) => ({
      store: bound(store, {
        used: (subject, sinceMs) => (subject.kind === 'campaign' ? UNUSED : store).used(subject, sinceMs),
      }),
    }),
  },
};
