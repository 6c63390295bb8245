import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { FORMATS } from './formats.js';
import { programData } from './paths.js';

const require = createRequire(import.meta.url);

/** What `scripts/compile-schemas.ts` writes for a schema. */
export interface BuiltSchema {
  /** Of all schemas, as they were when it was compiled; see `digestOf`. */
  readonly digest: string;
  /** `require` finds the few functions of ajv that validators call. */
  readonly make: (formats: typeof FORMATS, require: NodeJS.Require) => ValidateFunction;
}

/** Where the build puts what it compiles, beside the compiled program. */
export const BUILT_FOLDER = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'config', 'schema', 'built');

/** Every schema below a folder, by its name, e.g. `handsets` or `messages/command`, as it is written. */
export function schemaTexts(folder = programData('schema')): ReadonlyMap<string, string> {
  const within = (below: string) =>
    readdirSync(join(folder, below))
      .filter((file) => file.endsWith('.schema.json'))
      .sort()
      .map(
        (file) =>
          [below + file.slice(0, -'.schema.json'.length), readFileSync(join(folder, below, file), 'utf8')] as const,
      );
  return new Map([...within(''), ...within('messages/')]);
}

/** A digest of schemas, by which a validator is known to be one of these and of no others. */
export function digestOf(texts: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256');
  for (const [name, text] of texts) hash.update(`${name}\0${text}\0`);
  return hash.digest('hex');
}

/** The name of a schema's file in `BUILT_FOLDER`. */
export const builtFile = (name: string): string => `${name.replaceAll('/', '-')}.cjs`;

/**
 * The validator of a schema that was compiled with the program: there in 1 ms, where compiling it now takes 20. Undefined when
 * none was, or when it was compiled from other schemas than those on disk.
 * @param digest of the schemas on disk.
 */
export function builtValidator(name: string, digest: string, folder = BUILT_FOLDER): ValidateFunction | undefined {
  const file = join(folder, builtFile(name));
  if (!existsSync(file)) return undefined;
  const built = require(file) as BuiltSchema;
  return built.digest === digest ? built.make(FORMATS, require) : undefined;
}
