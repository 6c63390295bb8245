import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import type { CallEndedData } from '../../config/schema/types.generated.js';
import type { CallRecord } from '../../gateway/calls/record.js';
import { programData } from '../../gateway/config/paths.js';
import { newAjv, validatorOf } from '../../gateway/config/schemas.js';
import { numberTokens } from '../../gateway/uplink/number-token.js';
import { messageFault } from '../../scripts/headquarters/message-check.js';
import { aDeadline, aRecord, callNumber, instant } from '../store/samples.js';

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;

// The compiler keeps the schema of call.ended and the record of a call alike: a member or a code that only one of them has
// does not compile.
const SAME_MEMBERS: Same<Exclude<keyof CallRecord, 'number'>, Exclude<keyof CallEndedData, 'numberToken'>> = true;
const SAME_CAUSES: Same<CallRecord['cause'], CallEndedData['cause']> = true;
const SAME_BOUNDS: Same<NonNullable<CallRecord['endsBy']>, NonNullable<CallEndedData['endsBy']>> = true;
const SAME_MEDIA: Same<keyof NonNullable<CallRecord['media']>, keyof NonNullable<CallEndedData['media']>> = true;

t.test('the data of call.ended is the record, with a token for the number', (t) => {
  t.ok(SAME_MEMBERS && SAME_CAUSES && SAME_BOUNDS && SAME_MEDIA);
  const at = instant('2026-03-02T10:00:00.123456789Z');
  const plane = { confirmed: true, afterMs: 1.5 };
  const { number, deadline, ...rest } = aRecord(callNumber(1), at, {
    deadline: aDeadline(at),
    endsBy: 'max-talk',
    cutoffErrorMs: -0.2,
    nextAllowed: at,
    sipStatus: 403,
    rule: 'number.not-sanctioned',
    fact: 'not on any list',
    planes: { signalling: plane, media: plane, line: { ...plane, confirmed: false } },
    media: {
      handsetPackets: 1,
      trunkPackets: 2,
      dropped: 3,
      droppedAfterDeadline: 1,
      lost: 0,
      jitterMs: 0.4,
      digitsDropped: 0,
      lastForwardedMsAfterDeadline: -3,
    },
  });
  const token = numberTokens(Buffer.alloc(32, 7).toString('base64'));
  const data: unknown = JSON.parse(
    JSON.stringify({
      ...rest,
      numberToken: number === undefined ? undefined : token(number),
      deadline: { ...deadline, monotonicNs: String(deadline?.monotonicNs) },
    }),
  );
  t.equal(messageFault('call-ended', data), undefined);
  t.notOk(
    validatorOf('messages/call-ended')({ ...(data as object), number }),
    'and has no place for a number in clear',
  );
  t.end();
});

t.test('each message has a schema that is sound and says what each member means', (t) => {
  const folder = programData('schema', 'messages');
  const ajv = newAjv();
  for (const file of readdirSync(folder)) {
    const schema = JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')) as Record<string, unknown>;
    t.ok(ajv.validateSchema(schema), `${file}: ${ajv.errorsText()}`);
    t.equal(schema.$id, `https://balise.example/schema/messages/${file}`);
    const properties = (schema.properties ?? {}) as Record<string, { description?: string; $ref?: string }>;
    for (const [name, property] of Object.entries(properties)) {
      t.ok(property.description ?? property.$ref, `${file} says what ${name} means`);
    }
  }
  t.end();
});
