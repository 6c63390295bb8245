/**
 * Orders of `balise handset` and `balise board` to a running gateway, and its answers: files in `<data folder>/changes/`, so that only who may
 * write the gateway's data may give one, and the kernel says who did. An order changes nothing by itself: it says that the
 * site's files have changed, by whose hand, and SIGHUP has the gateway look. With no gateway running it waits for the next.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Boards, Handset, Handsets } from '../config/schema/types.generated.js';
import { writeAtomically } from './provisioning/atomic-file.js';

/** What has become of an entry of one of the site's files. */
export interface EntryChange {
  readonly what: 'added' | 'removed' | 'changed';
  /** What of it, of a changed one. */
  readonly fields?: readonly string[];
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
}

/** One handset that has changed; HA1s are there as fingerprints alone. */
export interface HandsetChange extends EntryChange {
  readonly handset: string;
}

/** One board that has changed. */
export interface BoardChange extends EntryChange {
  readonly board: string;
}

/** Something else that was done about a handset: a token armed, a secret renewed. */
export interface HandsetNote {
  readonly handset: string;
  readonly what: string;
}

export interface ChangeOrder {
  readonly id: string;
  /** Who says that he gave it, e.g. the user behind sudo. */
  readonly by: string;
  readonly command: string;
  readonly reason?: string;
  readonly notes: readonly HandsetNote[];
  /** What was changed, as the giver knows it: for a gateway that was not running then. */
  readonly changes: readonly HandsetChange[];
  /** The same of boards. */
  readonly boards?: readonly BoardChange[];
}

/** An order as it was found: with the user id that the kernel has for whoever wrote it. */
export interface FoundOrder extends ChangeOrder {
  readonly uid: number;
}

export interface ChangeAnswer {
  readonly outcome: 'taken' | 'refused';
  /** What a person should know: faults, or what takes a restart. */
  readonly remarks: readonly string[];
}

const ORDER = '.order.json';

export const changesFolder = (dataFolder: string): string => join(dataFolder, 'changes');

/** Where the answer to an order will be. */
export const answerFile = (dataFolder: string, id: string): string =>
  join(changesFolder(dataFolder), `${id}.answer.json`);

export function leaveOrder(dataFolder: string, order: ChangeOrder): void {
  // Its owner says who gave it: root does not give it away, and the gateway may read it all the same.
  writeAtomically(join(changesFolder(dataFolder), `${order.id}${ORDER}`), JSON.stringify(order), 0o644, false);
}

/** Takes every order that waits, in the order of their ids; one that cannot be read is taken off and told. */
export function takeOrders(dataFolder: string, unreadable: (file: string, why: string) => void): readonly FoundOrder[] {
  const folder = changesFolder(dataFolder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found: FoundOrder[] = [];
  for (const name of readdirSync(folder)
    .filter((file) => file.endsWith(ORDER))
    .sort()) {
    const file = join(folder, name);
    try {
      const order = JSON.parse(readFileSync(file, 'utf8')) as ChangeOrder;
      found.push({ ...order, id: name.slice(0, -ORDER.length), uid: statSync(file).uid });
    } catch (fault) {
      unreadable(file, fault instanceof Error ? fault.message : String(fault));
    }
    rmSync(file, { force: true });
  }
  return found;
}

export function answerOrder(dataFolder: string, id: string, answer: ChangeAnswer): void {
  writeAtomically(answerFile(dataFolder, id), JSON.stringify(answer));
}

/** What differs between the handsets before and after, by id. Pure. */
export function changesBetween(before: Handsets, after: Handsets): readonly HandsetChange[] {
  return differences(before, after, shown).map(({ id, ...change }) => ({ handset: id, ...change }));
}

/** What differs between the boards before and after, by id. Pure. */
export function boardChangesBetween(before: Boards, after: Boards): readonly BoardChange[] {
  return differences(before, after, picked).map(({ id, ...change }) => ({ board: id, ...change }));
}

type Entry = { readonly id: string };
type Show<E> = (entry: E, fields?: readonly string[]) => Record<string, unknown>;

function differences<E extends Entry>(before: readonly E[], after: readonly E[], show: Show<E>) {
  const old = new Map(before.map((entry) => [entry.id, entry]));
  const fresh = new Set(after.map(({ id }) => id));
  const gone = before.filter(({ id }) => !fresh.has(id));
  return [
    ...gone.map((entry) => ({ id: entry.id, what: 'removed' as const, before: show(entry) })),
    ...after.flatMap((entry): readonly (Entry & EntryChange)[] => {
      const { id } = entry;
      const was = old.get(id);
      if (was === undefined) return [{ id, what: 'added', after: show(entry) }];
      const fields = differing(was, entry);
      if (fields.length === 0) return [];
      return [{ id, what: 'changed', fields, before: show(was, fields), after: show(entry, fields) }];
    }),
  ];
}

function differing<E extends object>(a: E, b: E): string[] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])] as (keyof E & string)[];
  return names.filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]));
}

function picked(entry: object, fields?: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entry).filter(([name]) => fields === undefined || fields.includes(name)));
}

/** A handset as the audit may hold it: who has an HA1 can register with it, so only its fingerprint is there. */
function shown(handset: Handset, fields?: readonly string[]): Record<string, unknown> {
  const entries = Object.entries(picked(handset, fields));
  return Object.fromEntries(
    entries.map(([name, value]) => [name, name === 'ha1' ? fingerprint(JSON.stringify(value)) : value]),
  );
}

const fingerprint = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;
