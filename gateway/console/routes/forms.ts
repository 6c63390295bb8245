/** Whether this machine's ICU knows the zone; the same question as the configuration's. */
export function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    // A RangeError is how Intl says no (ECMA-402 §11.1.1).
    return false;
  }
}

/** Whether there is such a date, YYYY-MM-DD. */
export function isDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** A value that an earlier check has made sure of. */
export function needed<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a value that was checked is not there');
  return value;
}

const ID = { type: 'string', minLength: 1, maxLength: 64 };

/** What is to be cut or released. */
export const TARGET = {
  type: 'object',
  required: ['kind'],
  oneOf: [
    {
      properties: { kind: { const: 'handset' }, handset: ID },
      required: ['kind', 'handset'],
      additionalProperties: false,
    },
    { properties: { kind: { const: 'wing' }, wing: ID }, required: ['kind', 'wing'], additionalProperties: false },
    { properties: { kind: { const: 'site' } }, required: ['kind'], additionalProperties: false },
  ],
};

/** An instant as the contract has it: ISO 8601 with a Z. */
export const INSTANT = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(:\\d\\d(\\.\\d{1,9})?)?Z$' };
