import { readdirSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { isSupportedCountry } from 'libphonenumber-js/max';
import { addressBits, parseNetwork } from './networks.js';
import { programData } from './paths.js';

/** The base of every schema's `$id`. */
const BASE = 'https://balise.example/schema/';

/** Whether `name` is an IANA time zone by name; offsets such as +01:00 know no summer time and are refused. */
export function isZone(name: string): boolean {
  if (!/^(UTC|[A-Z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)+)$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch (fault) {
    if (fault instanceof RangeError) return false;
    throw fault;
  }
}

function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  // Four numbers with dots that are no address are a slip of the finger and no host name (RFC 1123 §2.1).
  if (/^[0-9.]+$/.test(text) || text.length > 253) return false;
  return text.split('.').every((label) => /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label));
}

/**
 * An ajv that knows the project's formats and reports all errors, not the first alone.
 * Defaults are written into the value that is validated.
 */
export function newAjv(): Ajv2020 {
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
    code: { optimize: false },
  });
  ajv.addFormat('iana-zone', isZone);
  ajv.addFormat('country', (text: string) => isSupportedCountry(text));
  ajv.addFormat('ip-address', (text: string) => addressBits(text) !== undefined);
  ajv.addFormat('cidr', (text: string) => parseNetwork(text) !== undefined);
  ajv.addFormat('host', isHost);
  return ajv;
}

let ajv: Ajv2020 | undefined;

/**
 * The validator of one of the schemas directly in `config/schema/`, by its name, e.g. `handsets`.
 * Throws when there is no such schema: a fault of the program, not of the site.
 */
export function validatorOf(name: string): ValidateFunction {
  if (ajv === undefined) {
    ajv = newAjv();
    const folder = programData('schema');
    for (const file of readdirSync(folder)) {
      if (file.endsWith('.schema.json')) ajv.addSchema(JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')) as object);
    }
  }
  const validate = ajv.getSchema(`${BASE}${name}.schema.json`);
  if (validate === undefined) throw new Error(`config/schema/${name}.schema.json is missing or has another $id`);
  return validate;
}
