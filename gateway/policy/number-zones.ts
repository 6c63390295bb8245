/** Where numbers are: Google's prefix table (config/number-prefixes.json) and every zone of each country (config/number-zones.json). */
export interface ZoneTables {
  /** Every IANA zone of each country, by its two letters. */
  readonly countries: Readonly<Record<string, readonly string[]>>;
  /** Sets of zones, and the set of each prefix (E.164 without +). Absent: nothing is known but the country. */
  readonly zones?: readonly (readonly string[])[];
  readonly prefixes?: Readonly<Record<string, number>>;
}

/** The zones that a number may be in. */
export class NumberZones {
  readonly #prefixes: ReadonlyMap<string, readonly string[]>;
  readonly #longest: number;

  constructor(private readonly tables: ZoneTables) {
    const { zones = [], prefixes = {} } = tables;
    this.#prefixes = new Map(Object.entries(prefixes).map(([prefix, set]) => [prefix, zones[set] ?? []]));
    this.#longest = Math.max(0, ...[...this.#prefixes.keys()].map(({ length }) => length));
  }

  /**
   * A geographic number is where its longest known prefix is. A mobile or other number may be in any zone of its country,
   * because its prefix tells where it was sold and not where it is. Empty: not known.
   */
  candidates(number: string, country: string, isGeographic: boolean): readonly string[] {
    if (isGeographic) {
      for (let length = Math.min(this.#longest, number.length - 1); length > 0; length -= 1) {
        const zones = this.#prefixes.get(number.slice(1, length + 1));
        if (zones !== undefined) return zones;
      }
    }
    return this.tables.countries[country] ?? [];
  }
}
