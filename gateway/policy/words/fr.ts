import type { Fact } from '../facts.js';
import type { NumberFault } from '../number.js';

const NUMBER: Readonly<Record<NumberFault, string>> = {
  'no-number': "ce n'est pas un numéro de téléphone",
  emergency: "les numéros d'urgence ne passent pas par la passerelle",
  'short-code': 'les numéros courts ne sont pas autorisés',
  operator: "les préfixes d'opérateur ne sont pas autorisés",
  'zero-country': 'un indicatif de pays ne commence pas par 0',
  satellite: 'les réseaux satellitaires et mondiaux ne sont pas autorisés',
  impossible: "aucun pays n'a un tel numéro",
  'not-whole': "ce n'est pas la forme entière et unique d'un numéro",
  premium: 'les numéros surtaxés ne sont pas autorisés',
  'shared-cost': 'les numéros à coûts partagés ne sont pas autorisés',
};

const SUBJECT = {
  handset: 'de ce poste',
  person: 'de cette personne',
  number: 'de ce numéro',
  campaign: 'de cette campagne',
} as const;
const PERIOD = {
  day: "aujourd'hui",
  week: 'cette semaine',
  month: 'ce mois-ci',
  '24-hours': 'en 24 heures',
  '30-days': 'en 30 jours',
} as const;
const LEVEL = {
  site: 'du site',
  wing: "de l'aile",
  handset: 'du poste',
  person: 'de la personne',
  campaign: 'de la campagne',
} as const;
const MEASURE = { attempts: 'tentatives', calls: 'appels', talk: 'conversation' } as const;

const minutes = (ms: number): number => Math.round(ms / 60_000);
const then = (when: string | undefined, word: string): string => (when === undefined ? '' : `; ${word} ${when}`);

/** Une phrase simple en français; jamais un numéro appelé. */
export function french(fact: Fact): string {
  switch (fact.is) {
    case 'clock':
      return `l'horloge n'est pas sûre : ${fact.why}`;
    case 'policy':
      return fact.why === 'missing'
        ? 'aucune politique signée n’est encore arrivée'
        : 'la politique n’est pas signée par une clé de ce site';
    case 'policy-expired':
      return `la politique est expirée : valable hors ligne jusqu'au ${fact.since}`;
    case 'lockdown':
      return `une coupure est en vigueur : ${fact.reason}${fact.until === undefined ? '' : `, jusqu'à ${fact.until}`}`;
    case 'handset-unknown':
      return `il n'y a pas de poste ${fact.handset}`;
    case 'handset-disabled':
      return `le poste ${fact.handset} est désactivé`;
    case 'line-lost':
      return 'le contrôleur de ligne de ce poste est perdu';
    case 'line-missing':
      return 'ce poste n’a pas de contrôleur de ligne, et son profil en demande un';
    case 'hook':
      return fact.hook === 'on' ? 'la ligne dit raccroché' : 'la ligne ne dit rien du crochet';
    case 'not-signed-on':
      return 'personne ne s’est annoncé à ce poste';
    case 'suspended':
      return 'cette personne est suspendue';
    case 'codes-only':
      return 'ce poste compose des codes, et ce n’en est pas un';
    case 'number':
      return NUMBER[fact.why];
    case 'blocked':
      return 'le numéro est sur une liste de blocage';
    case 'not-sanctioned':
      return 'le numéro n’est sur aucune liste autorisée de ce poste';
    case 'listed':
      return `le numéro est sur la liste d'opposition ${fact.list}`;
    case 'asked-not':
      return 'le numéro a demandé à ne plus être appelé';
    case 'silence':
      return `le numéro a refusé et reste en paix ${fact.days} jours ; appels à partir de ${fact.until}`;
    case 'list-missing':
      return `la liste d'opposition ${fact.list} ne peut être consultée : ${fact.why}`;
    case 'list-stale':
      return `la liste d'opposition ${fact.list} est du ${fact.made}, et peut avoir ${fact.mostAgeH} heures au plus`;
    case 'own-hours':
      return `il est ${fact.now} ici, hors des heures ${LEVEL[fact.level]}${then(fact.opens, 'ouvre')}`;
    case 'callee-unknown':
      return 'on ne sait pas où est la personne appelée';
    case 'callee-hours':
      return `à ${fact.city} il est ${fact.now}${fact.isHoliday ? ', jour férié' : ''}${then(fact.opens, 'appels dès')}`;
    case 'used':
      return fact.measure === 'talk'
        ? `la conversation ${SUBJECT[fact.per]} ${PERIOD[fact.in]}, ${minutes(fact.most)} minutes, est épuisée`
        : `${fact.used} sur ${fact.most} ${MEASURE[fact.measure]} ${SUBJECT[fact.per]} ${PERIOD[fact.in]} sont utilisés`;
    case 'tried-out':
      return `${fact.used} sur ${fact.most} tentatives auprès de ce contact dans sa campagne sont utilisées`;
    case 'gap':
      return `le dernier appel ${SUBJECT[fact.per]} a fini il y a moins de ${fact.seconds} s`;
    case 'busy':
      return `${fact.live} appels ${SUBJECT[fact.per]} sont déjà en cours`;
    case 'open':
      return `il est ${fact.now} ; ouvert jusqu'à ${fact.until}`;
    case 'zones':
      return `ouvert à ${fact.zones.join(', ')} jusqu'à ${fact.until}, où il est ${fact.now}`;
    case 'left':
      return fact.measure === 'talk'
        ? `${minutes(fact.used)} sur ${minutes(fact.most)} minutes de conversation ${SUBJECT[fact.per]} ${PERIOD[fact.in]}`
        : `${fact.used} sur ${fact.most} ${MEASURE[fact.measure]} ${SUBJECT[fact.per]} ${PERIOD[fact.in]}`;
  }
}
