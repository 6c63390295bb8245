import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

let found: string | undefined;

/**
 * The folder that holds the program: its package.json, its `config/` and its compiled files.
 * Found by walking up from this file, so that it is the same from the sources, from `dist/` and when installed.
 */
export function projectRoot(): string {
  if (found !== undefined) return found;
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('no package.json above the program: it is not whole');
    folder = parent;
  }
  found = folder;
  return folder;
}

/** A path inside the program's own `config/`, e.g. `programData('devices', 'generic-8r8i.json')`. */
export function programData(...parts: readonly string[]): string {
  return join(projectRoot(), 'config', ...parts);
}
