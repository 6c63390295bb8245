/** What `balise explain` says beside the rules' own words, in the languages of technicians. */
import type { TechnicianLanguage } from '../../gateway/policy/words/words.js';
import type { BooksNote } from './site-books.js';

export interface ExplainWords {
  readonly grant: string;
  readonly refusal: string;
  readonly until: string;
  readonly by: string;
  readonly next: string;
  readonly never: string;
  readonly talk: string;
  readonly note: string;
  readonly notSignsOn: (person: string, handset: string) => string;
  readonly notWorks: (person: string, campaign: string) => string;
  readonly books: (note: BooksNote) => string;
}

export const EXPLAIN_WORDS: Readonly<Record<TechnicianLanguage, ExplainWords>> = {
  en: {
    grant: 'granted',
    refusal: 'refused',
    until: 'until',
    by: 'by',
    next: 'would pass at',
    never: 'waiting does not help',
    talk: 'at most',
    note: 'note',
    notSignsOn: (person, handset) => `${person} may not sign on at ${handset}`,
    notWorks: (person, campaign) => `${person} does not work for ${campaign}`,
    books: (note) =>
      note.is === 'no-store'
        ? `${note.file} is not there: nothing is counted as used`
        : `${note.file} is of version ${note.version} and this program reads ${note.reads}: nothing is counted as used`,
  },
  fr: {
    grant: 'accordé',
    refusal: 'refusé',
    until: "jusqu'à",
    by: 'par',
    next: 'passerait à',
    never: "attendre n'y change rien",
    talk: 'au plus',
    note: 'remarque',
    notSignsOn: (person, handset) => `${person} ne peut pas s'identifier au poste ${handset}`,
    notWorks: (person, campaign) => `${person} ne travaille pas pour ${campaign}`,
    books: (note) =>
      note.is === 'no-store'
        ? `${note.file} n'existe pas : rien n'est compté comme utilisé`
        : `${note.file} est de la version ${note.version} et ce programme lit la ${note.reads} : rien n'est compté comme utilisé`,
  },
  nl: {
    grant: 'toegestaan',
    refusal: 'geweigerd',
    until: 'tot',
    by: 'door',
    next: 'zou mogen om',
    never: 'wachten helpt niet',
    talk: 'hoogstens',
    note: 'opmerking',
    notSignsOn: (person, handset) => `${person} mag zich niet aanmelden op ${handset}`,
    notWorks: (person, campaign) => `${person} werkt niet voor ${campaign}`,
    books: (note) =>
      note.is === 'no-store'
        ? `${note.file} is er niet: er wordt niets als verbruikt geteld`
        : `${note.file} is van versie ${note.version} en dit programma leest ${note.reads}: er wordt niets als verbruikt geteld`,
  },
};
