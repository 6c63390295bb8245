/** Corrections of paid time: what was appended is never changed, and nothing is corrected without a name and a signature. */
import type { JWK } from 'jose';
import type { WorkCorrectionData } from '../../config/schema/types.generated.js';

export type Correction = Omit<WorkCorrectionData, 'jws'>;

/** The same members in the same order, whoever writes or reads them. */
function plain({ person, month, campaign, deltaMs, currency, perHour, reason, by, at }: Correction): string {
  return JSON.stringify({ at, by, campaign, currency, deltaMs, month, perHour, person, reason });
}

/** The correction with its signature (compact JWS, EdDSA). Rejects when the key is no private Ed25519 key. */
export async function signCorrection(
  correction: Correction,
  key: JWK & { readonly kid: string },
): Promise<WorkCorrectionData> {
  const { CompactSign, importJWK } = await import('jose');
  const jws = await new CompactSign(Buffer.from(plain(correction)))
    .setProtectedHeader({ alg: 'EdDSA', kid: key.kid })
    .sign(await importJWK(key, 'EdDSA'));
  return { ...correction, jws };
}

/** Why a correction does not count; undefined: it does. */
export async function correctionFault(
  data: WorkCorrectionData,
  keys: readonly (JWK & { readonly kid: string })[],
): Promise<string | undefined> {
  const { compactVerify, decodeProtectedHeader, importJWK } = await import('jose');
  try {
    const { kid } = decodeProtectedHeader(data.jws);
    const key = keys.find((one) => one.kid === kid);
    if (key === undefined) return `it is signed by ${kid ?? 'nobody'}, whose key is not known`;
    const { payload } = await compactVerify(data.jws, await importJWK(key, 'EdDSA'), {
      algorithms: ['EdDSA', 'Ed25519'],
    });
    return Buffer.from(payload).toString('utf8') === plain(data) ? undefined : 'its signature is of another correction';
  } catch (fault) {
    return `its signature is not good: ${fault instanceof Error ? fault.message : String(fault)}`;
  }
}
