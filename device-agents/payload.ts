/** No message to an agent is longer, bytes. */
const LONGEST = 512;

/** The members of the object in a message's payload; undefined when it is too long, no JSON, or no object. */
export function membersOf(payload: Buffer): Readonly<Record<string, unknown>> | undefined {
  if (payload.length > LONGEST) return undefined;
  try {
    const value: unknown = JSON.parse(payload.toString('utf8'));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return value as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}
