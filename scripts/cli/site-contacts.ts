import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import type { E164 } from '../../gateway/policy/ids.js';
import { CONTACT_KEY_FILE, contactKey } from '../../gateway/store/contact-key.js';
import { NumberSeal, SealBroken } from '../../gateway/work/number-seal.js';

/** The contact behind a call of the past. */
export interface OpenedContact {
  readonly number: E164;
  /** Its zone, where it is known to be in one alone. */
  readonly calleeZone?: string;
}

interface Row {
  readonly token: string;
  readonly sealed: Buffer;
  readonly zones: string;
}

/**
 * The contacts of some campaigns whose numbers have these tokens, by token; for judging alone, nothing of them is shown. Each
 * contact of the campaigns is opened until all are found, some 15 µs each.
 * @param tokens as the ledger has them in a number's place.
 */
export function contactsOf(
  db: Database,
  dataFolder: string,
  campaigns: Iterable<string>,
  tokens: ReadonlySet<string>,
  numberToken: (number: E164) => string,
): ReadonlyMap<string, OpenedContact> {
  const found = new Map<string, OpenedContact>();
  // A folder without the key has no contact that opens; the key is not to be made here.
  if (tokens.size === 0 || !existsSync(join(dataFolder, CONTACT_KEY_FILE))) return found;
  const seal = new NumberSeal(contactKey(dataFolder));
  const rows = db.prepare(
    `SELECT token, sealed, zones FROM work_contact JOIN work_place ON work_place.id = work_contact.place WHERE campaign = ?`,
  );
  for (const campaign of campaigns) {
    for (const { token, sealed, zones } of rows.iterate(campaign) as Iterable<Row>) {
      if (found.size === tokens.size) return found;
      const number = opened(seal, sealed, token);
      const known = number === undefined ? '' : numberToken(number);
      if (number === undefined || !tokens.has(known)) continue;
      const [zone, ...more] = JSON.parse(zones) as string[];
      found.set(known, { number, ...(zone !== undefined && more.length === 0 && { calleeZone: zone }) });
    }
  }
  return found;
}

function opened(seal: NumberSeal, sealed: Buffer, token: string): E164 | undefined {
  try {
    return seal.unseal(sealed, token);
  } catch (fault) {
    // Of another key: whoever asks is told how many calls were left out for want of their numbers.
    if (fault instanceof SealBroken) return undefined;
    throw fault;
  }
}
