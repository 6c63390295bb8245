import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import { programData } from '../../gateway/config/paths.js';
import { topicsOf } from '../../gateway/uplink/topics.js';
import { asyncApi } from '../../scripts/asyncapi.js';
import { HandStream } from './world.js';

type Json = { readonly [name: string]: unknown };

const document = JSON.parse(readFileSync(programData('schema', 'asyncapi.generated.json'), 'utf8')) as Json;
const specification = createRequire(import.meta.url)('@asyncapi/specs/schemas/3.0.0.json') as Json;

t.test("the document is AsyncAPI 3 by the specification's own schema, and is what the messages' schemas make", (t) => {
  const ajv = new Ajv({ strict: false, validateFormats: false, validateSchema: false, meta: false });
  const isAsyncApi = ajv.compile(specification);
  t.ok(isAsyncApi(document), ajv.errorsText(isAsyncApi.errors));
  t.same(document, JSON.parse(JSON.stringify(asyncApi('1.0.0'))));
  const { channels: _, ...without } = document;
  t.notOk(isAsyncApi({ ...without, channels: { event: { address: 7 } } }), 'the check can fail');
  t.end();
});

t.test('every reference in it leads somewhere, and its addresses are the topics of the program', (t) => {
  const lost: string[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { $ref } = node as { $ref?: unknown };
    if (typeof $ref === 'string') {
      const found = $ref
        .slice(2)
        .split('/')
        .reduce<unknown>((at, step) => (at as Json | undefined)?.[step], document);
      if (found === undefined) lost.push($ref);
    }
    for (const value of Object.values(node)) visit(value);
  };
  visit(document);
  t.same(lost, []);
  const { handset, line, ack, ...fixed } = topicsOf('{site}/{gateway}');
  const addresses = Object.values(document.channels as Record<string, { address: string }>).map(
    ({ address }) => address,
  );
  t.same(addresses.sort(), [...Object.values(fixed), handset('{handset}'), line('{board}'), ack('{command}')].sort());
  t.end();
});

t.test('a real event is valid by the schema that the document carries', (t) => {
  const { schemas } = document.components as { schemas: Record<string, { schema: object }> };
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(
    schemas['event-envelope']?.schema ?? false,
  );
  t.ok(validate(JSON.parse(new HandStream('a/gw-1').next().body)));
  t.notOk(validate({}));
  t.end();
});
