import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { builtFile, builtValidator, digestOf, schemaTexts } from '../../gateway/config/built-schemas.js';
import { programData } from '../../gateway/config/paths.js';
import { compileSchema, newAjv, validatorOf } from '../../gateway/config/schemas.js';
import { builtSchemas } from '../../scripts/compile-schemas.js';

type Schema = { readonly [keyword: string]: unknown };

const texts = schemaTexts();
const digest = digestOf(texts);
const schemaAt = new Map([...texts].map(([name, text]) => [name, JSON.parse(text) as Schema]));

/** What the build makes of them, in a folder of its own. */
const folder = mkdtempSync(join(tmpdir(), 'balise-built-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
for (const [name, text] of builtSchemas()) writeFileSync(join(folder, builtFile(name)), text);

const words = fc.constantFrom(
  ...[
    '',
    ' ',
    'x',
    '+441134960000',
    '00441134960000',
    'BE',
    'XX',
    'Europe/Brussels',
    '+01:00',
    '10.0.0.0/8',
    '10.0.0.1/8',
  ],
  ...[
    '10.0.0.1',
    '10.0.0.256',
    'host.example',
    '08:00',
    '24:00',
    '2026-02-30',
    'mqtts://hq.example:8883',
    'a'.repeat(300),
  ],
);
const junk = fc.oneof(fc.jsonValue({ maxDepth: 2 }), words, fc.integer({ min: -5, max: 70_000 }));

/** Values of which many are as a schema says, and most are not quite. */
function valuesOf(schema: Schema, from: string, depth: number): fc.Arbitrary<unknown> {
  if (depth > 5) return junk;
  const of = (part: unknown) => valuesOf(part as Schema, from, depth + 1);
  if (typeof schema.$ref === 'string') {
    const [file = '', pointer = ''] = schema.$ref.split('#');
    const name = file === '' ? from : file.replace(/^(\.\.?\/)+/, '').replace('.schema.json', '');
    const home = schemaAt.has(name) ? name : `messages/${name}`;
    let part: unknown = schemaAt.get(home);
    for (const step of pointer.split('/').slice(1)) part = (part as Schema)[step];
    return valuesOf(part as Schema, home, depth + 1);
  }
  for (const key of ['anyOf', 'oneOf', 'allOf'])
    if (Array.isArray(schema[key])) return fc.oneof(...(schema[key] as Schema[]).map(of), junk);
  if (schema.const !== undefined) return often(fc.constant(schema.const));
  if (Array.isArray(schema.enum)) return often(fc.constantFrom(...schema.enum));
  if (typeof schema.pattern === 'string') return often(fc.oneof(matching(schema.pattern), words));
  if (schema.properties !== undefined || schema.type === 'object') {
    const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
    const required = Array.isArray(schema.required) ? (schema.required as string[]) : [];
    const own = fc.record(Object.fromEntries(properties.map(([name, part]) => [name, of(part)])), {
      requiredKeys: required.filter((name) => properties.some(([known]) => known === name)),
    });
    const others = schema.additionalProperties;
    const more = fc.dictionary(words, typeof others === 'object' && others !== null ? of(others) : junk, {
      maxKeys: 2,
    });
    const lacking = fc
      .tuple(own, fc.nat(20))
      .map(([value, at]) => Object.fromEntries(Object.entries(value).filter((_, index) => index !== at)));
    return often(
      fc.oneof(
        { weight: 4, arbitrary: own },
        lacking,
        fc.tuple(own, more).map(([a, b]) => ({ ...a, ...b })),
      ),
    );
  }
  if (schema.type === 'array')
    return often(fc.array(schema.items === undefined ? junk : of(schema.items), { maxLength: 4 }));
  if (schema.type === 'integer' || schema.type === 'number') {
    const { minimum = 0, maximum = 100 } = schema as { minimum?: number; maximum?: number };
    return often(
      fc.oneof(fc.constantFrom(minimum, maximum, minimum - 1, maximum + 1), fc.integer({ min: 0, max: 100 })),
    );
  }
  if (schema.type === 'boolean') return often(fc.boolean());
  return often(words);
}

const often = (arbitrary: fc.Arbitrary<unknown>) => fc.oneof({ weight: 15, arbitrary }, { weight: 1, arbitrary: junk });

function matching(pattern: string): fc.Arbitrary<unknown> {
  try {
    return fc.stringMatching(new RegExp(pattern, 'u'));
  } catch {
    // fast-check does not make texts for every pattern: lookahead, for one.
    return words;
  }
}

t.test('what is compiled ahead tells the same of every value, to the letter, as what is compiled now', async (t) => {
  const ajv = newAjv();
  for (const [name, schema] of schemaAt) {
    if (name === 'common') continue;
    const ahead = builtValidator(name, digest, folder);
    if (ahead === undefined) throw new Error(`${name} is not compiled ahead`);
    const now = compileSchema(ajv, texts, name);
    const found = new Set<string>();
    const same = (value: unknown): void => {
      const [one, other] = [structuredClone(value), structuredClone(value)];
      const isSound = now(one);
      if (ahead(other) !== isSound) throw new Error(`${name}: sound by one alone`);
      // As texts: the order of members is a promise too, and what both have filled in must be the same.
      const said = JSON.stringify([now.errors ?? null, one]);
      if (JSON.stringify([ahead.errors ?? null, other]) !== said) throw new Error(`${name}: other words than ${said}`);
      for (const { keyword } of now.errors ?? []) found.add(keyword);
      if (isSound) found.add('sound');
    };
    fc.assert(fc.property(valuesOf(schema, name, 0), same), { numRuns: Number(process.env.BALISE_SCHEMA_RUNS) || 30 });
    t.ok(found.size > 1, `${name}: ${[...found].sort().join(', ')}`);
  }
});

t.test('the files that come with the program are found sound, with the same defaults', async (t) => {
  const ajv = newAjv();
  const samples = [
    ...readdirSync(programData('demo')).map((file) => ['demo', file, file.replace('.json', '')]),
    ...readdirSync(programData('phones')).map((file) => ['phones', file, 'phone']),
    ...readdirSync(programData('calling-hours')).map((file) => ['calling-hours', file, 'calling-hours']),
    ...readdirSync(programData('devices')).map((file) => [
      'devices',
      file,
      file.startsWith('line-card') ? 'card' : 'device',
    ]),
  ].filter(([, file = '']) => file.endsWith('.json'));
  for (const [of = '', file = '', name = ''] of samples) {
    const read = () => JSON.parse(readFileSync(programData(of, file), 'utf8')) as unknown;
    const [one, other] = [read(), read()];
    t.equal(compileSchema(ajv, texts, name)(one), true, file);
    t.equal(builtValidator(name, digest, folder)?.(other), true, file);
    t.same(other, one, `${file}, with its defaults`);
  }
  t.ok(samples.length > 20);
});

t.test('what was compiled from other schemas than those on disk is not used', async (t) => {
  const changed = new Map(texts).set('site', `${texts.get('site')} `);
  t.not(digestOf(changed), digest);
  t.equal(builtValidator('site', digestOf(changed), folder), undefined);
  t.equal(builtValidator('nothing', digest, folder), undefined);
});

t.test('a program without compiled schemas compiles them itself', async (t) => {
  t.equal(builtValidator('site', digest, join(folder, 'none')), undefined);
  t.equal(validatorOf('site'), validatorOf('site'), 'each once');
});
