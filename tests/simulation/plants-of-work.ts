import { UNUSED } from '../../gateway/policy/request.js';
import { bound, type Plants } from './plant.js';

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
