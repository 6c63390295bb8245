import metadata from 'libphonenumber-js/max/metadata';

/** What a whole number is, by the numbering plan of its country. */
export interface Planned {
  /** Absent for a calling code of no country, or where none of several has the number. */
  readonly country: string | undefined;
  /** As libphonenumber names it; undefined for a number that no range of the plan has. */
  readonly type: string | undefined;
}

/** A plan as libphonenumber-js packs it, by the places that are read here; 0 or absent: there is none. */
type Packed = readonly unknown[];
const [PATTERN, LENGTHS, PREFIX, PARSING_PREFIX, LEADING, TYPES] = [2, 3, 5, 7, 10, 11];
/** The types in the order in which they are asked, each with its place; a fixed line comes before all of them. */
const ASKED: readonly (readonly [string, number])[] = [
  ['MOBILE', 1],
  ['PREMIUM_RATE', 3],
  ['TOLL_FREE', 2],
  ['SHARED_COST', 9],
  ['VOIP', 8],
  ['PERSONAL_NUMBER', 4],
  ['PAGER', 7],
  ['UAN', 6],
  ['VOICEMAIL', 5],
];
/** Digits behind the calling code. */
const SHORTEST = 2;
const LONGEST = 17;
const LONGEST_CODE = 3;

/** One range of a plan. */
interface Range {
  readonly type: string;
  readonly lengths: readonly number[];
  readonly pattern: RegExp;
}

class Plan {
  readonly lengths: readonly number[];
  readonly #pattern: RegExp;
  readonly #leading: RegExp | undefined;
  readonly #prefix: RegExp | undefined;
  readonly #fixed: Range | undefined;
  readonly #mobile: Range | undefined;
  readonly #others: readonly Range[];

  constructor(
    readonly country: string | undefined,
    packed: Packed,
  ) {
    this.lengths = lengthsOf(packed[LENGTHS]) ?? [];
    this.#pattern = whole(textOf(packed[PATTERN]) ?? '');
    const leading = textOf(packed[LEADING]);
    this.#leading = leading === undefined ? undefined : new RegExp(`^(?:${leading})`);
    const prefix = textOf(packed[PARSING_PREFIX]) ?? textOf(packed[PREFIX]);
    this.#prefix = prefix === undefined ? undefined : new RegExp(`^(?:${prefix})`);
    const types = Array.isArray(packed[TYPES]) ? (packed[TYPES] as readonly unknown[]) : [];
    const range = (type: string, place: number): Range | undefined => {
      const [pattern, lengths] = Array.isArray(types[place]) ? (types[place] as readonly unknown[]) : [];
      const text = textOf(pattern);
      return text === undefined
        ? undefined
        : { type, lengths: lengthsOf(lengths) ?? this.lengths, pattern: whole(text) };
    };
    this.#fixed = range('FIXED_LINE', 0);
    const ranges = ASKED.flatMap(([type, place]) => range(type, place) ?? []);
    this.#mobile = ranges.find(({ type }) => type === 'MOBILE');
    this.#others = ranges;
  }

  /** Whether a number begins with what is dialled before one at home: then it may stand for a shorter one. */
  mayHoldPrefix(national: string): boolean {
    return this.#prefix?.test(national) === true;
  }

  /** Of several countries with one calling code, whether the number is this one's. */
  has(national: string): boolean {
    return this.#leading === undefined ? this.typeOf(national) !== undefined : this.#leading.test(national);
  }

  typeOf(national: string): string | undefined {
    if (!this.#pattern.test(national)) return undefined;
    if (isIn(this.#fixed, national))
      return this.#mobile === undefined || isIn(this.#mobile, national) ? 'FIXED_LINE_OR_MOBILE' : 'FIXED_LINE';
    for (const range of this.#others) if (isIn(range, national)) return range.type;
    return undefined;
  }
}

const whole = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`);
const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
const lengthsOf = (value: unknown): readonly number[] | undefined =>
  Array.isArray(value) ? (value as readonly number[]) : undefined;
const isIn = (range: Range | undefined, national: string): boolean =>
  range?.lengths.includes(national.length) === true && range.pattern.test(national);

/** The plans of one calling code, the main country's first. */
const known = new Map<string, readonly Plan[] | undefined>();

function plansOf(code: string): readonly Plan[] | undefined {
  if (known.has(code)) return known.get(code);
  const { country_calling_codes: codes, countries, nonGeographic } = metadata;
  const names = Object.hasOwn(codes, code) ? codes[code as keyof typeof codes] : undefined;
  const shared = Object.hasOwn(nonGeographic, code) ? nonGeographic[code as keyof typeof nonGeographic] : undefined;
  const plans =
    names !== undefined
      ? names.map((name) => new Plan(name, countries[name] as unknown as Packed))
      : shared && [new Plan(undefined, shared as unknown as Packed)];
  known.set(code, plans);
  return plans;
}

/**
 * What a number in plain E.164 form is, by libphonenumber's own tables, each pattern of which is compiled once: a tenth of the
 * time that its parser takes. Null where the parser must be asked: for what is not possible, or may hold a national prefix.
 * @param number `+` and digits.
 */
export function plannedAs(number: string): Planned | null {
  for (let length = 1; length <= LONGEST_CODE; length += 1) {
    const plans = plansOf(number.slice(1, 1 + length));
    if (plans === undefined) continue;
    const national = number.slice(1 + length);
    const [main, ...others] = plans;
    if (main === undefined || national.length < SHORTEST || national.length > LONGEST) return null;
    if (main.mayHoldPrefix(national)) return null;
    const plan = main.country === undefined || others.length === 0 ? main : plans.find((one) => one.has(national));
    if (!(plan ?? main).lengths.includes(national.length)) return null;
    return { country: plan?.country, type: (plan ?? main).typeOf(national) };
  }
  return null;
}
