import type { Fact } from '../facts.js';
import type { NumberFault } from '../number.js';

const NUMBER: Readonly<Record<NumberFault, string>> = {
  'no-number': 'dit is geen telefoonnummer',
  emergency: 'noodnummers gaan niet via deze gateway',
  'short-code': 'korte nummers zijn niet toegestaan',
  operator: 'prefixen van operators zijn niet toegestaan',
  'zero-country': 'een landnummer begint niet met 0',
  satellite: 'satelliet- en wereldnetten zijn niet toegestaan',
  impossible: 'geen land heeft zo een nummer',
  'not-whole': 'dit is niet de hele en enige vorm van een nummer',
  premium: 'betaalnummers zijn niet toegestaan',
  'shared-cost': 'nummers met gedeelde kosten zijn niet toegestaan',
};

const SUBJECT = {
  handset: 'van dit toestel',
  person: 'van deze persoon',
  number: 'van dit nummer',
  campaign: 'van deze campagne',
} as const;
const PERIOD = {
  day: 'vandaag',
  week: 'deze week',
  month: 'deze maand',
  '24-hours': 'in 24 uur',
  '30-days': 'in 30 dagen',
} as const;
const LEVEL = {
  site: 'van de site',
  wing: 'van de vleugel',
  handset: 'van het toestel',
  person: 'van de persoon',
  campaign: 'van de campagne',
} as const;
const MEASURE = { attempts: 'pogingen', calls: 'gesprekken', talk: 'spreektijd' } as const;

const minutes = (ms: number): number => Math.round(ms / 60_000);
const then = (when: string | undefined, word: string): string => (when === undefined ? '' : `; ${word} ${when}`);

/** Eén gewone zin in het Nederlands; nooit een gebeld nummer. */
export function dutch(fact: Fact): string {
  switch (fact.is) {
    case 'clock':
      return `de klok is niet te vertrouwen: ${fact.why}`;
    case 'policy':
      return fact.why === 'missing'
        ? 'er is nog geen ondertekend beleid aangekomen'
        : 'het beleid is niet ondertekend door een sleutel van deze site';
    case 'policy-expired':
      return `het beleid is verlopen: het gold zonder verbinding tot ${fact.since}`;
    case 'lockdown':
      return `een afsluiting is van kracht: ${fact.reason}${fact.until === undefined ? '' : `, tot ${fact.until}`}`;
    case 'handset-unknown':
      return `er is geen toestel ${fact.handset}`;
    case 'handset-disabled':
      return `toestel ${fact.handset} is uitgeschakeld`;
    case 'line-lost':
      return 'de lijncontroller van dit toestel is weg';
    case 'line-missing':
      return 'dit toestel heeft geen lijncontroller, en zijn profiel vraagt er een';
    case 'hook':
      return fact.hook === 'on' ? 'de lijn zegt opgelegd' : 'de lijn zegt niets over de haak';
    case 'not-signed-on':
      return 'niemand is aangemeld bij dit toestel';
    case 'suspended':
      return 'deze persoon is geschorst';
    case 'codes-only':
      return 'dit toestel kiest codes, en dit is er geen';
    case 'number':
      return NUMBER[fact.why];
    case 'blocked':
      return 'het nummer staat op een blokkeerlijst';
    case 'not-sanctioned':
      return 'het nummer staat op geen toegelaten lijst van dit toestel';
    case 'listed':
      return `het nummer staat op de bel-me-niet-lijst ${fact.list}`;
    case 'asked-not':
      return 'het nummer heeft gevraagd niet meer gebeld te worden';
    case 'silence':
      return `het nummer heeft geweigerd en wordt ${fact.days} dagen met rust gelaten; bellen vanaf ${fact.until}`;
    case 'list-missing':
      return `de bel-me-niet-lijst ${fact.list} kan niet worden geraadpleegd: ${fact.why}`;
    case 'list-stale':
      return `de bel-me-niet-lijst ${fact.list} is van ${fact.made}, en mag hoogstens ${fact.mostAgeH} uur oud zijn`;
    case 'own-hours':
      return `het is hier ${fact.now}, buiten de uren ${LEVEL[fact.level]}${then(fact.opens, 'opent')}`;
    case 'callee-unknown':
      return 'het is niet bekend waar de gebelde is';
    case 'callee-hours':
      return `in ${fact.city} is het ${fact.now}${fact.isHoliday ? ', een feestdag' : ''}${then(fact.opens, 'bellen vanaf')}`;
    case 'used':
      return fact.measure === 'talk'
        ? `de spreektijd ${SUBJECT[fact.per]} ${PERIOD[fact.in]}, ${minutes(fact.most)} minuten, is op`
        : `${fact.used} van ${fact.most} ${MEASURE[fact.measure]} ${SUBJECT[fact.per]} ${PERIOD[fact.in]} zijn gebruikt`;
    case 'tried-out':
      return `${fact.used} van ${fact.most} pogingen bij dit contact in zijn campagne zijn gebruikt`;
    case 'gap':
      return `het laatste gesprek ${SUBJECT[fact.per]} eindigde minder dan ${fact.seconds} s geleden`;
    case 'busy':
      return `${fact.live} gesprekken ${SUBJECT[fact.per]} zijn al bezig`;
    case 'open':
      return `het is ${fact.now}; open tot ${fact.until}`;
    case 'zones':
      return `open in ${fact.zones.join(', ')} tot ${fact.until}, waar het ${fact.now} is`;
    case 'left':
      return fact.measure === 'talk'
        ? `${minutes(fact.used)} van ${minutes(fact.most)} minuten spreektijd ${SUBJECT[fact.per]} ${PERIOD[fact.in]}`
        : `${fact.used} van ${fact.most} ${MEASURE[fact.measure]} ${SUBJECT[fact.per]} ${PERIOD[fact.in]}`;
  }
}
