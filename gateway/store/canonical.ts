/**
 * JSON in one form only, so that a hash of it means something: members sorted by UTF-16 code units, no white space,
 * numbers and strings as ECMAScript writes them (RFC 8785). What has no JSON form is left out, as `JSON.stringify` does;
 * a bigint becomes its decimal text, because a nanosecond count must survive.
 */
export function canonicalJson(value: unknown): string {
  return written(value) ?? 'null';
}

function written(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'number':
      return Number.isFinite(value) ? JSON.stringify(value) : 'null';
    case 'bigint':
      return `"${value}"`;
    case 'object':
      return value === null ? 'null' : writtenObject(value);
    default:
      return undefined;
  }
}

function writtenObject(value: object): string | undefined {
  // Instants and their like say themselves how they look in JSON.
  if ('toJSON' in value && typeof value.toJSON === 'function') return written(value.toJSON());
  if (Array.isArray(value)) return `[${value.map((item) => written(item) ?? 'null').join(',')}]`;
  let text = '';
  for (const key of Object.keys(value).sort()) {
    const member = written((value as Record<string, unknown>)[key]);
    if (member !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${member}`;
  }
  return `{${text}}`;
}
