import type Holidays from 'date-holidays';
import { holidayRules } from './holiday-rules.js';
import { DAY_MS } from './zone-clock.js';

/** The public holidays of a country and of some of its regions; none for a country that the library does not know. */
export class PublicHolidays {
  readonly #years = new Map<number, ReadonlySet<number>>();
  #books: readonly Holidays[] | undefined;

  constructor(
    private readonly country: string,
    private readonly regions: readonly string[] = [],
  ) {}

  /** Whether a date, days since 1970, is one. */
  has(day: number): boolean {
    const year = new Date(day * DAY_MS).getUTCFullYear();
    const known = this.#years.get(year) ?? this.#read(year);
    this.#years.set(year, known);
    return known.has(day);
  }

  #read(year: number): ReadonlySet<number> {
    const { country, regions } = this;
    const Book = holidayRules();
    this.#books ??= regions.length === 0 ? [new Book(country)] : regions.map((region) => new Book(country, region));
    const books = this.#books;
    const days = new Set<number>();
    // A feast of several days may have begun in the old year.
    for (const of of [year - 1, year]) {
      for (const { type, date, start, end } of books.flatMap((book) => book.getHolidays(of) ?? [])) {
        if (type !== 'public') continue;
        const first = Math.floor(Date.parse(`${date.slice(0, 10)}T00:00:00Z`) / DAY_MS);
        // Half a day at the end of a feast (Bayram) counts whole: the narrow reading.
        const length = Math.max(1, Math.ceil((end.getTime() - start.getTime()) / DAY_MS - 0.1));
        for (let day = first; day < first + length; day += 1) days.add(day);
      }
    }
    return days;
  }
}

/** The regions of a country that have holidays of their own, by their short names; none for a country that is not known. */
export function holidayRegions(country: string): readonly string[] {
  const Book = holidayRules();
  return Object.keys(new Book().getStates(country) ?? {});
}
