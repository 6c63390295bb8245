/**
 * From a line of a file to a contact, or to what is wrong with it: line, column, what, and what to do. A message never quotes
 * the number's cell.
 */
import type { Campaign, Language } from '../../config/schema/types.generated.js';
import type { CalleeHours } from '../policy/callee-hours.js';
import type { E164 } from '../policy/ids.js';
import type { NumberFault } from '../policy/number.js';
import { NumberReader } from '../policy/number.js';
import { placeOf } from './contact-hours.js';
import type { CsvRecord } from './csv.js';
import type { NumberSeal } from './number-seal.js';
import type { NewContact } from './ports.js';

export const FIELDS = ['number', 'language', 'zone', 'earliest', 'latest', 'priority', 'mystery'] as const;
export type Field = (typeof FIELDS)[number];

/** Which column, from 0, holds what; only the number must be there. */
export type Mapping = Readonly<Partial<Record<Field, number>>>;

export interface LineFault {
  readonly line: number;
  /** From 1. */
  readonly column: number;
  readonly what: string;
  readonly hint: string;
}

/**
 * The mapping that was asked for, by the names in the file's first line or by numbers from 1, or by the fields' own names
 * where nothing was asked for. Gives what is wrong instead.
 */
export function mappingOf(asked: Readonly<Partial<Record<Field, string>>>, head: readonly string[]): Mapping | string {
  const names = head.map((name) => name.toLowerCase());
  const mapping: Partial<Record<Field, number>> = {};
  for (const field of FIELDS) {
    const wanted = asked[field];
    if (wanted === undefined && names.indexOf(field) !== names.lastIndexOf(field))
      return `two columns are named ${field}; say which one with --map ${field}=<its number from 1>`;
    const at = /^[1-9][0-9]*$/.test(wanted ?? '') ? Number(wanted) - 1 : names.indexOf((wanted ?? field).toLowerCase());
    if (at >= 0 && at < head.length) mapping[field] = at;
    else if (wanted !== undefined)
      return `there is no column ${wanted} for the ${field}; there are ${head.length} columns`;
  }
  return mapping.number === undefined ? 'no column is named number; say which one with --map number=<column>' : mapping;
}

const NUMBER_HINTS: Readonly<Record<NumberFault, string>> = {
  'no-number': 'write it as +32 … or in the national form',
  emergency: 'take the line out: emergency numbers are never called',
  'short-code': 'write the whole number',
  operator: 'write the number without an operator’s prefix',
  'zero-country': 'a country code does not begin with 0',
  satellite: 'take the line out: satellite numbers are never called',
  impossible: 'it has too few or too many digits for its country',
  'not-whole': 'take out what stands behind the number',
  premium: 'take the line out: premium numbers are never called',
  'shared-cost': 'take the line out: shared-cost numbers are never called',
};

/** A contact with its number in clear: in memory only, between the line and the seal. */
interface Plain extends Pick<NewContact, 'language' | 'place' | 'times' | 'priority'> {
  readonly number: E164;
  readonly isMystery: boolean;
}

const TIME = /^([01][0-9]|2[0-3]):[0-5][0-9]$/;

export class ContactLines {
  readonly #numbers: NumberReader;
  readonly #zones = new Map<string, boolean>();

  constructor(
    private readonly options: {
      readonly campaign: Campaign;
      /** The site's country, in whose national form numbers may be. */
      readonly country: string;
      readonly mapping: Mapping;
      readonly callee: CalleeHours;
      readonly seal: NumberSeal;
      readonly isZone: (name: string) => boolean;
      /** A do-not-call list has the number. */
      readonly isListed: (number: E164) => boolean;
    },
  ) {
    // Every line has another number: to remember them would only take memory.
    this.#numbers = new NumberReader(options.country, 0);
  }

  /** The contact of a record; 'listed' where a do-not-call list has it; or everything that is wrong with the line. */
  read(record: CsvRecord): NewContact | 'listed' | readonly LineFault[] {
    const read = this.check(record);
    return read === 'listed' || isFaults(read) ? read : this.#sealed(read);
  }

  /** The same without the work of sealing. */
  check({ line, cells, unclosedTo }: CsvRecord): Plain | 'listed' | readonly LineFault[] {
    if (unclosedTo !== undefined) return [unclosed(line, unclosedTo)];
    const { campaign, mapping, callee } = this.options;
    const faults: LineFault[] = [];
    const cell = (field: Field): string => cells[mapping[field] ?? -1] ?? '';
    const fault = (field: Field, what: string, hint: string): void => {
      faults.push({ line, column: (mapping[field] ?? 0) + 1, what, hint });
    };
    const number = this.#numbers.read(cell('number'));
    if (!number.ok)
      fault(
        'number',
        number.class === 'malformed' ? 'no telephone number' : `a number of the class ${number.class}`,
        NUMBER_HINTS[number.why],
      );
    const language = (cell('language') === '' ? campaign.languages[0] : cell('language').toLowerCase()) as Language;
    if (!campaign.languages.includes(language))
      fault(
        'language',
        `"${cell('language').slice(0, 20)}" is no language of the campaign`,
        `one of ${campaign.languages.join(', ')}`,
      );
    const zone = cell('zone');
    if (zone !== '' && !this.#isZone(zone))
      fault('zone', `"${zone.slice(0, 40)}" is no time zone`, 'an IANA name, e.g. Europe/Brussels, or nothing');
    for (const field of ['earliest', 'latest'] as const) {
      const time = cell(field);
      if (time !== '' && !TIME.test(time) && !(field === 'latest' && time === '24:00'))
        fault(field, `"${time.slice(0, 20)}" is no time of day`, 'write HH:MM on 24 hours');
    }
    // The latest may be before the earliest: then it is the night.
    if ((cell('earliest') || '00:00') === (cell('latest') || '24:00'))
      fault('latest', 'the same time as the earliest: nobody could ever be called', 'write another, or neither');
    const priority = cell('priority');
    if (priority !== '' && !/^[0-9]$/.test(priority))
      fault('priority', `"${priority.slice(0, 20)}" is no priority`, '0 before all, to 9 after all');
    const mystery = cell('mystery').toLowerCase();
    if (!['', 'yes', 'no'].includes(mystery))
      fault('mystery', `"${mystery.slice(0, 20)}" is neither yes nor no`, 'yes for one who tries the work, else no');
    if (faults.length > 0 || !number.ok) return faults;
    const place = placeOf(callee, number, zone === '' ? undefined : zone);
    if (place === undefined) {
      fault('number', 'a number whose time zone is not known', 'give the contact a zone, or take the line out');
      return faults;
    }
    if (this.options.isListed(number.number)) return 'listed';
    return {
      number: number.number,
      language,
      place,
      times: {
        ...(cell('earliest') !== '' && { earliest: cell('earliest') }),
        ...(cell('latest') !== '' && { latest: cell('latest') }),
      },
      priority: priority === '' ? 5 : Number(priority),
      isMystery: mystery === 'yes',
    };
  }

  #sealed({ number, isMystery, ...plain }: Plain): NewContact {
    const { campaign, seal } = this.options;
    const { callee, token } = seal.names(number);
    return { ...plain, campaign: campaign.id, token, callee, sealed: seal.seal(number, token, isMystery) };
  }

  #isZone(name: string): boolean {
    const known = this.#zones.get(name) ?? this.options.isZone(name);
    if (this.#zones.size < 1_000) this.#zones.set(name, known);
    return known;
  }
}

const unclosed = (line: number, to: number): LineFault => ({
  ...{ line, column: 1, what: 'a quotation mark that is opened here and not closed' },
  hint: to > line ? `close it, or take it out: the lines up to ${to} were read with it` : 'close it, or take it out',
});

/** Whether a line was read as faults. */
export function isFaults<T extends object>(read: T | readonly LineFault[]): read is readonly LineFault[] {
  return Array.isArray(read);
}
