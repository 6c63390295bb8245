/** What differs between two policies, in words that a signer can check against the paper. */

export interface Difference {
  /** Where, e.g. `/content/profiles/test/maxTalkS`; members of lists go by their id, list, country or place. */
  readonly at: string;
  /** JSON; absent: it was not there, or is there no more. */
  readonly before?: string;
  readonly after?: string;
}

/** Every value that differs, in the order of the newer one. */
export function differences(before: unknown, after: unknown, at = ''): readonly Difference[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const [old, fresh] = [membersOf(before), membersOf(after)];
  if (old === undefined || fresh === undefined || isList(before) !== isList(after))
    return [
      {
        at: at === '' ? '/' : at,
        ...(before !== undefined && { before: JSON.stringify(before) }),
        ...(after !== undefined && { after: JSON.stringify(after) }),
      },
    ];
  const names = [...new Set([...fresh.keys(), ...old.keys()])];
  return names.flatMap((name) => differences(old.get(name), fresh.get(name), `${at}/${name}`));
}

const isList = (value: unknown): boolean => Array.isArray(value);

/** The members of an object, or of a list by what names them; undefined for a value that has none. */
function membersOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!Array.isArray(value)) return new Map(Object.entries(value));
  const named = value.map((one: unknown, index) => [nameOf(one) ?? String(index), one] as const);
  const isOnce = new Set(named.map(([name]) => name)).size === named.length;
  return new Map(isOnce ? named : value.map((one: unknown, index) => [String(index), one] as const));
}

function nameOf(value: unknown): string | undefined {
  // A word or a number in a list is named by itself, so that one that is put in between moves no other.
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, list, country } = value as Readonly<Record<string, unknown>>;
  return [id, list, country].find((name) => typeof name === 'string') as string | undefined;
}
