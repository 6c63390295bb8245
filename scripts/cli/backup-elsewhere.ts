/** Files that a site needs and that lie outside of its folder: certificates and keys, mostly. */
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import type { Elsewhere } from './backup-parts.js';
import { BackupFault } from './backup-parts.js';

/** Where the site's files name files of their own choice, by file and JSON pointer (RFC 6901). */
const NAMING: readonly (readonly [file: string, pointer: string])[] = [
  ...['cert', 'key', 'clientCa'].map((name) => ['site.json', `/console/tls/${name}`] as const),
  ...['cert', 'key', 'ca'].map((name) => ['site.json', `/bus/tls/${name}`] as const),
  ...['cert', 'key'].map((name) => ['site.json', `/provisioning/tls/${name}`] as const),
  ...['ca', 'cert', 'key'].map((name) => ['uplink.json', `/${name}`] as const),
];

type Tree = { [name: string]: unknown };

/** The object that holds a pointer's last name, and that name; undefined where there is none. */
function holderOf(tree: Tree, pointer: string): { readonly in: Tree; readonly name: string } | undefined {
  const names = pointer.slice(1).split('/');
  const name = names.pop() ?? '';
  let at: unknown = tree;
  for (const one of names) at = typeof at === 'object' && at !== null ? (at as Tree)[one] : undefined;
  return typeof at === 'object' && at !== null ? { in: at as Tree, name } : undefined;
}

function treeOf(file: string): Tree | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Tree) : undefined;
}

/** The files outside of a site's folder that its files name, each with where it is named. The site has been checked before. */
export function namedElsewhere(folder: string): readonly Elsewhere[] {
  const found: Elsewhere[] = [];
  for (const [file, pointer] of NAMING) {
    const holder = holderOf(treeOf(join(folder, file)) ?? {}, pointer);
    const path = holder?.in[holder.name];
    if (typeof path !== 'string' || resolve(folder, path).startsWith(`${resolve(folder)}${sep}`)) continue;
    found.push({ part: `elsewhere/${found.length}`, file, pointer, path });
  }
  return found;
}

/** The agents that somebody else starts: their configurations, secrets included, are not the site's. */
export function foreignAgents(folder: string): readonly string[] {
  const { bus } = (treeOf(join(folder, 'site.json')) ?? {}) as { bus?: { agents?: readonly { name: string }[] } };
  return (bus?.agents ?? []).map(({ name }) => name);
}

/** A copy of an unpacked site in which every name of a file elsewhere leads to what the backup holds: to be checked, not to be run. */
export function checkableCopy(staging: string, elsewhere: readonly Elsewhere[]): string {
  const copy = join(staging, 'checked');
  cpSync(join(staging, 'site'), copy, { recursive: true, preserveTimestamps: true });
  for (const { part, file, pointer } of elsewhere) {
    const tree = treeOf(join(copy, file));
    const holder = tree && holderOf(tree, pointer);
    if (tree === undefined || holder === undefined)
      throw new BackupFault(`its manifest speaks of ${file} ${pointer}, which the file in it has not`);
    holder.in[holder.name] = join(staging, part);
    writeFileSync(join(copy, file), JSON.stringify(tree));
  }
  return copy;
}

/** Puts the files elsewhere in their places where nothing is; what is there stays. Returns the paths that were written. */
export function placeElsewhere(
  staging: string,
  folder: string,
  elsewhere: readonly Elsewhere[],
  tell: (text: string) => void,
): readonly string[] {
  const placed: string[] = [];
  for (const { part, file, pointer, path } of elsewhere) {
    const [from, to] = [join(staging, part), resolve(folder, path)];
    const what = `${to} (${file} ${pointer})`;
    if (!existsSync(to)) {
      // The gateway's own user passes through it; the file's own rights keep others out.
      mkdirSync(dirname(to), { recursive: true, mode: 0o755 });
      copyFileSync(from, to);
      placed.push(to);
      tell(`${what} is restored too: it was not there\n`);
    } else if (!statSync(to).isFile() || !readFileSync(to).equals(readFileSync(from))) {
      tell(`${what} is another than at the backup, and was left as it is\n`);
    }
  }
  return placed;
}
