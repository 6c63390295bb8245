/** What `balise replay` says, in the languages of technicians. */
import type { TechnicianLanguage } from '../../gateway/policy/words/words.js';

/** What another policy would change of a call. */
export const KINDS = ['newlyRefused', 'newlyAllowed', 'shortened', 'lengthened', 'otherwise'] as const;
export type Kind = (typeof KINDS)[number];

export interface ReplayWords extends Readonly<Record<Kind, string>> {
  readonly granted: string;
  readonly judged: (calls: number, refusals: number) => string;
  readonly same: (count: number) => string;
  readonly more: (count: number) => string;
  readonly cut: (count: number) => string;
  readonly held: (count: number) => string;
  readonly unopened: (count: number) => string;
  readonly note: string;
}

export const REPLAY_WORDS: Readonly<Record<TechnicianLanguage, ReplayWords>> = {
  en: {
    granted: 'granted',
    judged: (calls, refusals) => `${calls} calls and ${refusals} refusals judged again`,
    same: (count) => `the same: ${count}`,
    newlyRefused: 'newly refused',
    newlyAllowed: 'newly let through',
    shortened: 'shortened',
    lengthened: 'lengthened',
    otherwise: 'refused for another reason',
    more: (count) => `and ${count} more`,
    cut: (count) => `talked longer than they then may: ${count}`,
    held: (count) => `${count} refusals are left as they were: the clock, a cutoff or a missing policy decided them`,
    unopened: (count) => `${count} are left out: what was dialled is not on disk, or does not open`,
    note: 'note',
  },
  fr: {
    granted: 'accordé',
    judged: (calls, refusals) => `${calls} appels et ${refusals} refus jugés à nouveau`,
    same: (count) => `inchangés : ${count}`,
    newlyRefused: 'désormais refusés',
    newlyAllowed: 'désormais autorisés',
    shortened: 'raccourcis',
    lengthened: 'allongés',
    otherwise: 'refusés pour un autre motif',
    more: (count) => `et ${count} autres`,
    cut: (count) => `ont parlé plus longtemps qu'ils ne le pourraient : ${count}`,
    held: (count) => `${count} refus restent tels quels : l'horloge, une coupure ou l'absence de règles les a décidés`,
    unopened: (count) =>
      `${count} sont laissés de côté : ce qui fut composé n'est pas sur le disque, ou ne s'ouvre pas`,
    note: 'remarque',
  },
  nl: {
    granted: 'toegestaan',
    judged: (calls, refusals) => `${calls} oproepen en ${refusals} weigeringen opnieuw beoordeeld`,
    same: (count) => `ongewijzigd: ${count}`,
    newlyRefused: 'voortaan geweigerd',
    newlyAllowed: 'voortaan toegestaan',
    shortened: 'verkort',
    lengthened: 'verlengd',
    otherwise: 'geweigerd om een andere reden',
    more: (count) => `en nog ${count}`,
    cut: (count) => `spraken langer dan dan nog mag: ${count}`,
    held: (count) =>
      `${count} weigeringen blijven zoals ze waren: de klok, een afsluiting of ontbrekend beleid besliste`,
    unopened: (count) => `${count} zijn weggelaten: wat gekozen werd staat niet op schijf, of gaat niet open`,
    note: 'opmerking',
  },
};
