/** How good the work is: score sheets, contacts that try the work, and counts of how calls went. */
import type { JWK } from 'jose';
import type { Campaign, Language, WorkScoreData } from '../../config/schema/types.generated.js';
import { type NumberSeal, SealBroken } from './number-seal.js';
import type { OutcomeCount, SealedContact } from './ports.js';

/** What a contact's outcome is told with; the mark is in what is sealed, and nowhere else until now. */
export function aboutContact(
  seal: NumberSeal,
  { sealed, token, language }: SealedContact,
): { readonly language: Language; readonly mystery?: true } {
  try {
    return { language, ...(seal.open(sealed, token).isMystery && { mystery: true }) };
  } catch (fault) {
    if (fault instanceof SealBroken) return { language };
    throw fault;
  }
}

export type Score = Omit<WorkScoreData, 'jws'>;

/** The scores of a call, one for each criterion of its campaign; or what is wrong with them. */
export function scoresFor(
  { id, criteria = [] }: Campaign,
  points: ReadonlyMap<string, number>,
): WorkScoreData['scores'] | string {
  if (criteria.length === 0) return `the campaign ${id} has no criteria: add them to it first`;
  const strange = [...points.keys()].find((name) => !criteria.some((one) => one.id === name));
  const names = criteria.map((one) => one.id).join(', ');
  if (strange !== undefined) return `${strange} is no criterion of ${id}; they are ${names}`;
  const missing = criteria.find((one) => !points.has(one.id));
  if (missing !== undefined) return `there is no score for ${missing.id}; the criteria are ${names}`;
  const wrong = [...points].find(([, score]) => !Number.isInteger(score) || score < 0 || score > 5);
  if (wrong !== undefined) return `${wrong[0]}=${wrong[1]}: a score is a whole number from 0 to 5`;
  return criteria.map((one) => ({ criterion: one.id, points: points.get(one.id) as number }));
}

/** The same members in the same order, whoever writes or reads them. */
const plain = ({ call, campaign, person, scores, by, at }: Score): string =>
  JSON.stringify({
    ...{ at, by, call, campaign, person },
    scores: scores.map(({ criterion, points }) => ({ criterion, points })),
  });

/** The score with its signature (compact JWS, EdDSA). Rejects when the key is no private Ed25519 key. */
export async function signScore(
  score: Score,
  key: JWK & { readonly kid: string },
): Promise<WorkScoreData & { readonly jws: string }> {
  const { CompactSign, importJWK } = await import('jose');
  const jws = await new CompactSign(Buffer.from(plain(score)))
    .setProtectedHeader({ alg: 'EdDSA', kid: key.kid })
    .sign(await importJWK(key, 'EdDSA'));
  return { ...score, jws };
}

/** Whether a signed score says what its signature was made over. */
export const isScoreOf = (data: WorkScoreData, payload: string): boolean => plain(data) === payload;

/** Counts by something: the most frequent first. */
export function countBy(
  counts: readonly OutcomeCount[],
  nameOf: (one: OutcomeCount) => string,
): readonly (readonly [name: string, calls: number])[] {
  const sums = new Map<string, number>();
  for (const one of counts) sums.set(nameOf(one), (sums.get(nameOf(one)) ?? 0) + one.calls);
  return [...sums].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
}
