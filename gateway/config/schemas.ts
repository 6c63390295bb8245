import { createRequire } from 'node:module';
import type { Ajv2020, CodeOptions, ValidateFunction } from 'ajv/dist/2020.js';
import { builtValidator, digestOf, schemaTexts } from './built-schemas.js';
import { FORMATS } from './formats.js';

/** The base of every schema's `$id`. */
const BASE = 'https://balise.example/schema/';

/**
 * An ajv that knows the project's formats and reports all errors, not the first alone.
 * Defaults are written into the value that is validated.
 * @param code how it writes its validators, where they are to be kept.
 */
export function newAjv(code: CodeOptions = {}): Ajv2020 {
  // Loaded when a schema is to be compiled, which a program that was built as a whole never does.
  const { Ajv2020 } = createRequire(import.meta.url)('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js');
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    useDefaults: true,
    discriminator: true,
    strictSchema: true,
    strictTypes: false,
    // The schemas are ours and the tests check them; checking them at each start would take as long as the rest of it.
    validateSchema: false,
    // What it saves at each validation is far less than what it costs at the start, in which each schema is compiled for one file.
    code: { optimize: false, ...code },
  });
  for (const [name, isOne] of Object.entries(FORMATS)) ajv.addFormat(name, isOne);
  return ajv;
}

/**
 * Compiles one of `texts` by its name; `ajv` gets them all at the first time. Throws when there is none of that name, or when it has
 * another `$id`.
 */
export function compileSchema(ajv: Ajv2020, texts: ReadonlyMap<string, string>, name: string): ValidateFunction {
  const isNew = ajv.schemas[`${BASE}common.schema.json`] === undefined;
  if (isNew) for (const text of texts.values()) ajv.addSchema(JSON.parse(text) as object);
  const validate = ajv.getSchema(`${BASE}${name}.schema.json`);
  if (validate === undefined) throw new Error(`config/schema/${name}.schema.json is missing or has another $id`);
  return validate;
}

let schemas: { readonly texts: ReadonlyMap<string, string>; readonly digest: string } | undefined;
let ajv: Ajv2020 | undefined;
const made = new Map<string, ValidateFunction>();

/**
 * The validator of one of the schemas of `config/schema/`, by its name, e.g. `handsets` or `messages/command`: the one that was
 * compiled with the program, or where there is none for the schemas as they are, one that is compiled now and tells the same.
 * Throws when there is no such schema: a fault of the program, not of the site.
 */
export function validatorOf(name: string): ValidateFunction {
  const known = made.get(name);
  if (known !== undefined) return known;
  if (schemas === undefined) {
    const texts = schemaTexts();
    schemas = { texts, digest: digestOf(texts) };
  }
  let validate = builtValidator(name, schemas.digest);
  if (validate === undefined) {
    ajv ??= newAjv();
    validate = compileSchema(ajv, schemas.texts, name);
  }
  made.set(name, validate);
  return validate;
}
