import type Holidays from 'date-holidays';
import { holidayRules } from './holiday-rules.js';
import { DAY_MS } from './zone-clock.js';

interface Shelf {
  readonly years: Map<number, ReadonlySet<number>>;
  books?: readonly Holidays[];
}

/** Holidays are facts: read once for a country and its regions, whichever policy asks. */
const shelves = new Map<string, Shelf>();

function shelfOf(name: string): Shelf {
  const known = shelves.get(name) ?? { years: new Map() };
  shelves.set(name, known);
  return known;
}

/** The public holidays of a country and of some of its regions; none for a country that the library does not know. */
export class PublicHolidays {
  readonly #shelf: Shelf;

  constructor(
    private readonly country: string,
    private readonly regions: readonly string[] = [],
  ) {
    this.#shelf = shelfOf([country, ...regions].join(' '));
  }

  /** Whether a date, days since 1970, is one. */
  has(day: number): boolean {
    const year = new Date(day * DAY_MS).getUTCFullYear();
    const { years } = this.#shelf;
    const known = years.get(year) ?? this.#read(year);
    years.set(year, known);
    return known.has(day);
  }

  #read(year: number): ReadonlySet<number> {
    const { country, regions } = this;
    const Book = holidayRules();
    const books =
      this.#shelf.books ??
      (regions.length === 0 ? [new Book(country)] : regions.map((region) => new Book(country, region)));
    this.#shelf.books = books;
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
