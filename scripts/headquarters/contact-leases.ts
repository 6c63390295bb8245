/**
 * Headquarters' side of the contacts that gateways are lent. A contact is with one gateway at a time: it is free again only when
 * that gateway has said so, in its own event stream, which has no gaps. Time alone frees nothing: a gateway that has been
 * offline may have called, and been refused. Whoever knows that a gateway is gone for good says so with `forfeit`.
 */
import type {
  ContactBatch,
  ContactBatchClosedData,
  Language,
  WorkContactData,
} from '../../config/schema/types.generated.js';
import type { E164 } from '../../gateway/policy/ids.js';
import type { NumberSeal } from '../../gateway/work/number-seal.js';
import type { Database, Sql, SqlValue } from './records/database.js';

const TABLES = [
  `CREATE TABLE IF NOT EXISTS work_pool (
    campaign TEXT NOT NULL, token TEXT NOT NULL, body TEXT NOT NULL, priority BIGINT NOT NULL, language TEXT NOT NULL,
    attempts BIGINT NOT NULL, not_before_ms BIGINT NOT NULL, state TEXT NOT NULL, outcome TEXT, gateway TEXT, batch TEXT,
    PRIMARY KEY (campaign, token))`,
  "CREATE INDEX IF NOT EXISTS work_pool_free ON work_pool (campaign, priority, not_before_ms) WHERE state = 'free'",
  `CREATE TABLE IF NOT EXISTS work_lease (
    batch TEXT NOT NULL PRIMARY KEY, gateway TEXT NOT NULL, campaign TEXT NOT NULL, expires_ms BIGINT NOT NULL, state TEXT NOT NULL)`,
];

/** What a gateway may call again, later. */
const GOES_ON: readonly WorkContactData['disposition'][] = [
  'no-answer',
  'busy',
  'not-connected',
  'answering-machine',
  'not-called',
  'call-back',
  'night-here',
];

export interface PoolContact {
  readonly number: E164;
  readonly language: Language;
  readonly zone?: string;
  readonly earliest?: string;
  readonly latest?: string;
  readonly priority?: number;
}

interface PoolRow {
  readonly token: string;
  readonly body: string;
  readonly attempts: SqlValue;
  readonly not_before_ms: SqlValue;
}

export class ContactLeases {
  private constructor(
    private readonly db: Database,
    /** Made of the token key that headquarters and its gateways share. */
    private readonly seal: NumberSeal,
  ) {}

  /** Opens the pool, its tables made where they are not. */
  static async open(db: Database, seal: NumberSeal): Promise<ContactLeases> {
    for (const text of TABLES) await db.run(text);
    return new ContactLeases(db, seal);
  }

  /** Adds contacts; a number that the campaign has is left as it is. Returns how many were new. Numbers are stored sealed. */
  add(campaign: string, contacts: readonly PoolContact[]): Promise<number> {
    return this.db.transact(async (sql) => {
      let added = 0;
      for (const { number, priority = 5, ...rest } of contacts) {
        const { token } = this.seal.names(number);
        const body = { token, ...rest, priority, sealed: this.seal.seal(number, token).toString('base64url') };
        added += await sql.run(
          `INSERT INTO work_pool (campaign, token, body, priority, language, attempts, not_before_ms, state)
           VALUES ($1, $2, $3, $4, $5, 0, 0, 'free') ON CONFLICT (campaign, token) DO NOTHING`,
          [campaign, token, JSON.stringify(body), priority, rest.language],
        );
      }
      return added;
    });
  }

  /** Lends free contacts to a gateway until an instant, at most `most` of them; undefined when there are none. */
  lend(to: {
    readonly batch: string;
    readonly gateway: string;
    readonly campaign: string;
    readonly most: number;
    readonly languages?: readonly Language[];
    readonly nowMs: number;
    readonly expiresMs: number;
  }): Promise<ContactBatch | undefined> {
    const { batch, gateway, campaign, most, languages, nowMs, expiresMs } = to;
    return this.db.transact(async (sql) => {
      const free = await sql.all<PoolRow & { readonly language: Language }>(
        `SELECT token, body, language, attempts, not_before_ms FROM work_pool
         WHERE campaign = $1 AND state = 'free' AND not_before_ms < $2 ORDER BY priority, not_before_ms, token LIMIT $3`,
        [campaign, expiresMs, languages === undefined ? most : most * 8],
      );
      const contacts: ContactBatch['contacts'][number][] = [];
      for (const row of free) {
        if (contacts.length >= most) break;
        if (languages !== undefined && !languages.includes(row.language)) continue;
        // Another headquarters process may have lent it meanwhile: then it is not free any more, and not ours.
        const isOurs = await sql.run(
          "UPDATE work_pool SET state = 'lent', gateway = $1, batch = $2 WHERE campaign = $3 AND token = $4 AND state = 'free'",
          [gateway, batch, campaign, row.token],
        );
        if (isOurs === 1) contacts.push(lentOf(row, nowMs));
      }
      if (contacts.length === 0) return undefined;
      await sql.run(
        "INSERT INTO work_lease (batch, gateway, campaign, expires_ms, state) VALUES ($1, $2, $3, $4, 'open')",
        [batch, gateway, campaign, expiresMs],
      );
      const iso = (ms: number) => new Date(ms).toISOString();
      return { batch, gateway, campaign, issuedAt: iso(nowMs), expiresAt: iso(expiresMs), contacts };
    });
  }

  /** A gateway has said how a call to a contact went. Said twice, it is heard once. */
  heard(
    gateway: string,
    { campaign, contact, disposition, attempts, batch, callBackAt }: WorkContactData,
  ): Promise<void> {
    return this.db.transact(async (sql) => {
      const goesOn = GOES_ON.includes(disposition);
      const isOpen = batch !== undefined && (await isLeaseOpen(sql, batch));
      // Of a batch that is closed already, what goes on is free again: the gateway calls nothing of it any more.
      const state = !goesOn ? 'over' : isOpen ? 'lent' : 'free';
      const notBefore = callBackAt === undefined ? 0 : Date.parse(callBackAt);
      await sql.run(
        `UPDATE work_pool SET state = $1, outcome = $2, attempts = $3, not_before_ms = $4
         WHERE campaign = $5 AND token = $6 AND gateway = $7 AND state = 'lent'`,
        [state, disposition, attempts ?? 0, notBefore, campaign, contact, gateway],
      );
    });
  }

  /** A gateway has given a batch back. */
  closed(gateway: string, { batch, campaign, unused }: ContactBatchClosedData): Promise<void> {
    return this.db.transact(async (sql) => {
      const closing = await sql.run(
        "UPDATE work_lease SET state = 'closed' WHERE batch = $1 AND gateway = $2 AND state = 'open'",
        [batch, gateway],
      );
      if (closing === 0) return;
      for (const { token, attempts, notBefore } of unused)
        await sql.run(
          `UPDATE work_pool SET state = 'free', attempts = $1, not_before_ms = $2
           WHERE campaign = $3 AND token = $4 AND gateway = $5 AND batch = $6 AND state = 'lent'`,
          [attempts, notBefore === undefined ? 0 : Date.parse(notBefore), campaign, token, gateway, batch],
        );
    });
  }

  /** Batches whose time has been over for a while, and of which nothing was heard: for people to look at. */
  overdue(beforeMs: number): Promise<readonly { readonly batch: string; readonly gateway: string }[]> {
    return this.db.all(
      "SELECT batch, gateway FROM work_lease WHERE state = 'open' AND expires_ms < $1 ORDER BY batch",
      [beforeMs],
    );
  }

  /**
   * The gateway of a batch is gone for good. What it may have called is over, not free: nobody can say who has refused. Returns
   * how many contacts that ends.
   */
  forfeit(batch: string): Promise<number> {
    return this.db.transact(async (sql) => {
      await sql.run("UPDATE work_lease SET state = 'forfeit' WHERE batch = $1 AND state = 'open'", [batch]);
      return sql.run("UPDATE work_pool SET state = 'over', outcome = 'forfeit' WHERE batch = $1 AND state = 'lent'", [
        batch,
      ]);
    });
  }
}

async function isLeaseOpen(sql: Sql, batch: string): Promise<boolean> {
  return (await sql.all("SELECT batch FROM work_lease WHERE batch = $1 AND state = 'open'", [batch])).length === 1;
}

function lentOf(
  { body, attempts, not_before_ms: notBeforeMs }: PoolRow,
  nowMs: number,
): ContactBatch['contacts'][number] {
  const contact = JSON.parse(body) as Omit<ContactBatch['contacts'][number], 'attempts'>;
  const later = Number(notBeforeMs) > nowMs ? { notBefore: new Date(Number(notBeforeMs)).toISOString() } : {};
  return { ...contact, attempts: Number(attempts), ...later };
}
