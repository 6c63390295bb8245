import type {
  Boards,
  Handsets,
  Lists,
  Profiles,
  SiteConfig,
  Trunks,
  UplinkConfig,
  Wings,
} from '../../config/schema/types.generated.js';
import type { DeviceFacts } from './devices.js';
import { quoted } from './fault.js';
import { nearest } from './schema-faults.js';
import type { Sound } from './sound.js';

/** Each file of a site by its name without `.json`, and what it holds. */
export interface SiteContent {
  readonly site: SiteConfig;
  readonly wings: Wings;
  readonly handsets: Handsets;
  readonly profiles: Profiles;
  readonly lists: Lists;
  readonly trunks: Trunks;
  readonly boards: Boards;
  readonly uplink: UplinkConfig;
}
export type FileName = keyof SiteContent;

/** What the cross-references look at: the sound part of each file (undefined: absent or unusable), and the world around. */
export interface Checked {
  readonly content: { readonly [K in FileName]: Sound<SiteContent[K]> | undefined };
  readonly folder: string;
  readonly devices: ReadonlyMap<string, DeviceFacts>;
  /** Whether the value at the pointer is written in the file, and no default of ours. */
  isWritten(file: FileName, pointer: string): boolean;
  report(file: FileName, pointer: string, found: unknown, expected: string, hint: string): void;
}

/** The ids of a file's entries; `whole` is false when one is missing, so that nobody may be called unknown. */
export interface KnownIds {
  readonly ids: readonly string[];
  readonly whole: boolean;
}

/** The ids in a list of entries; undefined when there is no list to look in. */
export function idsOf(entries: readonly ({ readonly id?: string | undefined } | undefined)[] | undefined): KnownIds {
  if (entries === undefined) return { ids: [], whole: false };
  const ids = entries.flatMap((entry) => (entry?.id === undefined ? [] : [entry.id]));
  return { ids, whole: ids.length === entries.length };
}

/** Reports a reference to an id that is not there. */
export function checkReference(
  checked: Checked,
  from: { readonly file: FileName; readonly pointer: string; readonly id: string | undefined },
  to: KnownIds & { readonly what: string; readonly file: string },
): void {
  if (from.id === undefined || !to.whole || to.ids.includes(from.id)) return;
  const meant = nearest(from.id, to.ids);
  const some = to.ids.slice(0, 12).join(', ') + (to.ids.length > 12 ? ', …' : '');
  checked.report(
    from.file,
    from.pointer,
    from.id,
    to.ids.length === 0 ? `${to.what} of ${to.file}, which has none` : `${to.what} of ${to.file}: ${some}`,
    meant === undefined ? `correct it, or add it to ${to.file}` : `did you mean "${meant}"?`,
  );
}

/** Reports each value that a second entry has too. `key` gives undefined for an entry that has none. */
export function checkOnce<T>(
  checked: Checked,
  file: FileName,
  entries: readonly T[],
  rule: {
    readonly key: (entry: T, index: number) => string | undefined;
    readonly pointer: (index: number) => string;
    readonly value: (entry: T) => unknown;
    readonly expected: (first: T, firstIndex: number) => string;
    readonly hint: string;
  },
): void {
  const seen = new Map<string, number>();
  for (const [index, entry] of entries.entries()) {
    const key = rule.key(entry, index);
    if (key === undefined) continue;
    const first = seen.get(key);
    const firstEntry = first === undefined ? undefined : entries[first];
    if (first === undefined || firstEntry === undefined) seen.set(key, index);
    else checked.report(file, rule.pointer(index), rule.value(entry), rule.expected(firstEntry, first), rule.hint);
  }
}

/** How an entry is named to a technician: by its id, or by its place. */
export function called(what: string, entry: { readonly id?: string | undefined } | undefined, index: number): string {
  return entry?.id === undefined ? `${what} number ${index + 1} of the file` : `${what} ${quoted(entry.id, undefined)}`;
}
