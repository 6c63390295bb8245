import type { Fact } from '../facts.js';
import type { NumberFault } from '../number.js';

const NUMBER: Readonly<Record<NumberFault, string>> = {
  'no-number': 'this is no telephone number',
  emergency: 'emergency numbers are not reached through the gateway',
  'short-code': 'short codes are not sanctioned',
  operator: 'operator prefixes are not sanctioned',
  'zero-country': 'a country code does not begin with 0',
  satellite: 'satellite and global networks are not sanctioned',
  impossible: 'no country has such a number',
  'not-whole': 'this is not the whole and only form of a number',
  premium: 'premium numbers are not sanctioned',
  'shared-cost': 'shared-cost numbers are not sanctioned',
};

const SUBJECT = {
  handset: 'this handset',
  person: 'this person',
  number: 'this number',
  campaign: 'this campaign',
} as const;
const PERIOD = {
  day: 'today',
  week: 'this week',
  month: 'this month',
  '24-hours': 'in 24 hours',
  '30-days': 'in 30 days',
} as const;
const LEVEL = {
  site: 'the site',
  wing: 'the wing',
  handset: 'the handset',
  person: 'the person',
  campaign: 'the campaign',
} as const;
const MEASURE = { attempts: 'attempts', calls: 'calls', talk: 'talk' } as const;

const minutes = (ms: number): number => Math.round(ms / 60_000);
const then = (when: string | undefined, word: string): string => (when === undefined ? '' : `; ${word} ${when}`);

/** One plain English sentence that says the fact; never a called number. */
export function english(fact: Fact): string {
  switch (fact.is) {
    case 'clock':
      return fact.why;
    case 'policy':
      return fact.why === 'missing'
        ? 'no signed policy has arrived yet'
        : 'the policy is not signed by a key of this site';
    case 'policy-expired':
      return `the policy has expired: it was valid off line until ${fact.since}`;
    case 'lockdown':
      return `a cutoff is in force: ${fact.reason}${fact.until === undefined ? '' : `, until ${fact.until}`}`;
    case 'handset-unknown':
      return `there is no handset ${fact.handset}`;
    case 'handset-disabled':
      return `handset ${fact.handset} is disabled`;
    case 'line-lost':
      return 'the line controller of this handset is lost';
    case 'line-missing':
      return 'this handset has no line controller, and its profile asks for one';
    case 'hook':
      return fact.hook === 'on' ? 'the wire says on-hook' : 'the wire says nothing of the hook';
    case 'not-signed-on':
      return 'nobody is signed on at this handset';
    case 'suspended':
      return 'this person is suspended';
    case 'codes-only':
      return 'this handset dials codes, and this is none';
    case 'number':
      return NUMBER[fact.why];
    case 'blocked':
      return 'the number is on a block list';
    case 'not-sanctioned':
      return 'the number is on no allow list of this handset';
    case 'listed':
      return `the number is on the do-not-call list ${fact.list}`;
    case 'asked-not':
      return 'the number has asked not to be called again';
    case 'silence':
      return `the number has refused, and is left alone for ${fact.days} days; calls from ${fact.until}`;
    case 'list-missing':
      return `the do-not-call list ${fact.list} cannot be asked: ${fact.why}`;
    case 'list-stale':
      return `the do-not-call list ${fact.list} is of ${fact.made}, and may be ${fact.mostAgeH} hours old at most`;
    case 'own-hours':
      return `it is ${fact.now} here, outside the hours of ${LEVEL[fact.level]}${then(fact.opens, 'opens')}`;
    case 'callee-unknown':
      return 'it is not known where the callee is';
    case 'callee-hours':
      return `in ${fact.city} it is ${fact.now}${fact.isHoliday ? ', a holiday' : ''}${then(fact.opens, 'calls from')}`;
    case 'used':
      return fact.measure === 'talk'
        ? `the talk of ${SUBJECT[fact.per]} ${PERIOD[fact.in]}, ${minutes(fact.most)} minutes, is used`
        : `${fact.used} of ${fact.most} ${MEASURE[fact.measure]} of ${SUBJECT[fact.per]} ${PERIOD[fact.in]} are used`;
    case 'tried-out':
      return `${fact.used} of ${fact.most} attempts at this contact in its campaign are used`;
    case 'gap':
      return `the last call of ${SUBJECT[fact.per]} ended less than ${fact.seconds} s ago`;
    case 'busy':
      return `${fact.live} calls of ${SUBJECT[fact.per]} are up already`;
    case 'open':
      return `it is ${fact.now}; open until ${fact.until}`;
    case 'zones':
      return `open in ${fact.zones.join(', ')} until ${fact.until}, where it is ${fact.now}`;
    case 'left':
      return fact.measure === 'talk'
        ? `${minutes(fact.used)} of ${minutes(fact.most)} minutes of talk of ${SUBJECT[fact.per]} ${PERIOD[fact.in]}`
        : `${fact.used} of ${fact.most} ${MEASURE[fact.measure]} of ${SUBJECT[fact.per]} ${PERIOD[fact.in]}`;
  }
}
