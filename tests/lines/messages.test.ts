import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { readLease } from '../../device-agents/lease-message.js';
import { programData } from '../../gateway/config/paths.js';
import { newAjv } from '../../gateway/config/schemas.js';
import { readHealth, readState } from '../../gateway/lines/line-messages.js';

function schema(...parts: string[]): object {
  return JSON.parse(readFileSync(programData('schema', ...parts), 'utf8')) as object;
}
const ajv = newAjv();
ajv.addSchema(schema('common.schema.json'));
const validLease = ajv.compile(schema('messages', 'line-lease.schema.json'));
const validState = ajv.compile(schema('messages', 'line-state.schema.json'));
const validHealth = ajv.compile(schema('messages', 'agent-health.schema.json'));

const instant = fc.oneof(
  fc.bigInt({ min: 0n, max: 10n ** 20n - 1n }).map(String),
  fc.constantFrom('', '-1', '1.5', 'x'),
);
const scrap = fc.constantFrom(null, 1, 'x', '', [], {}, true, -1, 5_001, 2.5);

t.test('an agent takes for a lease exactly what the schema says is one', async (t) => {
  const lease = fc.record(
    {
      connected: fc.oneof({ weight: 9, arbitrary: fc.boolean() }, scrap),
      forMs: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 0, max: 5_000 }) }, scrap),
      sentNs: fc.oneof({ weight: 9, arbitrary: instant }, scrap),
      untilNs: fc.oneof({ weight: 9, arbitrary: instant }, scrap),
      boot: fc.oneof({ weight: 9, arbitrary: fc.string({ maxLength: 66, unit: 'grapheme' }) }, scrap),
      confirm: fc.oneof({ weight: 9, arbitrary: fc.boolean() }, scrap),
      stranger: fc.boolean(),
    },
    { requiredKeys: ['connected', 'forMs', 'sentNs', 'untilNs', 'boot'] },
  );
  let taken = 0;
  fc.assert(
    fc.property(lease, (value) => {
      const text = Buffer.from(JSON.stringify(value));
      const read = readLease(text);
      if (read !== undefined) taken += 1;
      return text.length > 512 ? read === undefined : (read !== undefined) === validLease(value);
    }),
    { numRuns: 3_000 },
  );
  t.ok(taken > 10, `${taken} were leases`);
  for (const text of ['', 'null', '[]', '7', '{', '"gone"']) t.equal(readLease(Buffer.from(text)), undefined, text);
});

t.test('what the gateway believes of a line or an agent is what the schema says', async (t) => {
  const state = { hook: 'on', relay: 'open', tamper: false, at: '2026-01-01T00:00:00Z', atNs: '1', leaseNs: '0' };
  t.ok(validState(state));
  t.same(readState(Buffer.from(JSON.stringify(state))), state);
  for (const [name, wrong] of [
    ['hook', 'up'],
    ['relay', 1],
    ['tamper', 'no'],
    ['atNs', 1],
    ['leaseNs', '-1'],
  ] as const) {
    const changed = { ...state, [name]: wrong };
    t.notOk(validState(changed), name);
    t.equal(readState(Buffer.from(JSON.stringify(changed))), undefined, name);
  }
  const board = {
    board: 'b1',
    state: 'ok',
    rttMs: 1,
    polls: 1,
    watchdog: 'armed',
    errors: { crc: 0, timeout: 0, exception: 0, answer: 0, port: 0 },
  };
  const health = { at: state.at, atNs: '1', port: 'open', leasesRefused: 0, boards: [board] };
  t.ok(validHealth(health));
  t.same(readHealth(Buffer.from(JSON.stringify(health))), health);
  t.equal(readHealth(Buffer.from('gone')), 'gone');
  for (const wrong of [{ boards: {} }, { boards: [null] }, { boards: [{ ...board, state: 'fine' }] }, { atNs: 'x' }]) {
    t.equal(readHealth(Buffer.from(JSON.stringify({ ...health, ...wrong }))), undefined, JSON.stringify(wrong));
  }
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      readState(Buffer.from(text));
      readHealth(Buffer.from(text));
    }),
  );
});
