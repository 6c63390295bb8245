import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import { isZone } from '../../gateway/config/formats.js';
import { programData } from '../../gateway/config/paths.js';
import { validatorOf } from '../../gateway/config/schemas.js';

type Schema = { readonly [keyword: string]: unknown };

const folder = programData('schema');
const schemas = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.schema.json'))
  .map((name) => ({ name, schema: JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')) as Schema }));

/** Every schema inside a schema, with its place. */
function* parts(schema: unknown, at: string): Generator<{ part: Schema; at: string }> {
  if (typeof schema !== 'object' || schema === null) return;
  if (!Array.isArray(schema)) yield { part: schema as Schema, at };
  for (const [key, value] of Object.entries(schema)) {
    if (!['default', 'const', 'enum', 'examples'].includes(key)) yield* parts(value, `${at}/${key}`);
  }
}

for (const { name, schema } of schemas) {
  t.test(`${name} is a schema of draft 2020-12, named by its own place`, async (t) => {
    const ajv = new Ajv2020();
    t.equal(ajv.validateSchema(schema), true, ajv.errorsText());
    t.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema');
    t.match(schema.$id, new RegExp(`/${name}$`));
  });
}

t.test("every object of a site's files takes no unknown setting, and every setting is described", async (t) => {
  for (const { name, schema } of schemas.filter(({ name }) => !name.includes('/'))) {
    for (const { part, at } of parts(schema, name)) {
      if (part.properties === undefined || typeof part.properties !== 'object' || at.endsWith('/properties')) continue;
      if (part.additionalProperties === undefined) t.fail(`${at} says nothing of unknown settings`);
      for (const [setting, property] of Object.entries(part.properties as Record<string, Schema>)) {
        const described = property.description !== undefined || property.$ref !== undefined;
        if (!described) t.fail(`${at}/properties/${setting} is not described`);
      }
    }
  }
  t.pass();
});

t.test('a zone is an IANA name: no offset, no abbreviation, no invention', async (t) => {
  for (const zone of Intl.supportedValuesOf('timeZone')) if (!isZone(zone)) t.fail(zone);
  t.equal(isZone('UTC'), true);
  t.equal(isZone('Asia/Kolkata'), true);
  for (const no of ['', '+01:00', 'CET', 'Europe', 'Europe/', 'Europe/Bruxelles', 'europe/brussels', '../etc']) {
    t.equal(isZone(no), false, no);
  }
});

t.test('a schema that is not there is a fault of the program', async (t) => {
  t.throws(() => validatorOf('nothing'), /nothing.schema.json is missing/);
});
