/**
 * Compiles every schema of `config/schema/` into a module of its own below `dist/`, so that no program compiles one when it
 * starts: part of the build. What is there is replaced.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _ } from 'ajv/dist/2020.js';
import type standalone from 'ajv/dist/standalone/index.js';
import { BUILT_FOLDER, builtFile, digestOf, schemaTexts } from '../gateway/config/built-schemas.js';
import { compileSchema, newAjv } from '../gateway/config/schemas.js';

/** A CommonJS module of ajv's, which TypeScript takes for one with a default. */
const standaloneCode = createRequire(import.meta.url)('ajv/dist/standalone') as typeof standalone.default;

/** Every schema of `texts` but the definitions that they share, as a module in the form of `BuiltSchema`, by its name. */
export function builtSchemas(texts = schemaTexts()): ReadonlyMap<string, string> {
  const ajv = newAjv({ source: true, optimize: true, formats: _`formats` });
  const digest = digestOf(texts);
  return new Map(
    [...texts.keys()]
      .filter((name) => name !== 'common')
      .map((name) => {
        const code = standaloneCode(ajv, compileSchema(ajv, texts, name));
        const make = `(formats, require) => {\nconst module = { exports: {} };\n${code}\nreturn module.exports;\n}`;
        return [name, `'use strict';\nexports.digest = '${digest}';\nexports.make = ${make};\n`];
      }),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  rmSync(BUILT_FOLDER, { recursive: true, force: true });
  mkdirSync(BUILT_FOLDER, { recursive: true });
  for (const [name, text] of builtSchemas()) writeFileSync(join(BUILT_FOLDER, builtFile(name)), text);
}
