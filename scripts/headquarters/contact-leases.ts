/**
 * Headquarters' contacts, and which gateway has which. A callee is with one gateway at a time, in whichever campaigns, and free
 * again only when that gateway has said so, in its own event stream, which has no gaps. Time alone frees nothing: a gateway that
 * has been offline may have called, and been refused. Whoever knows that a gateway is gone for good says so with `forfeit`.
 */
import type {
  Campaign,
  ContactBatch,
  ContactBatchClosedData,
  ContactBatchTakenData,
  ContactBatchWantedData,
  Language,
  WorkContactData,
} from '../../config/schema/types.generated.js';
import type { BatchSealing } from '../../gateway/work/batch-seal.js';
import { silenceAfter } from '../../gateway/work/dispositions.js';
import type { NumberSeal } from '../../gateway/work/number-seal.js';
import type { NewContact } from '../../gateway/work/ports.js';
import type { Database, Sql, SqlValue } from './records/database.js';
import { POOL } from './records/schema.js';

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
/** Of a campaign that is not known here, days. */
const SILENCE_DAYS = 60;
/** The last instant of a Date. */
const FOR_GOOD_MS = 8_640_000_000_000_000;
/** Two processes that lend: one does, the other waits. Any number that nobody else locks by. */
const LENDING_LOCK = 7_265_178;
/** A wish that is older is asked again by whoever still has it, milliseconds. */
const WISH_MS = 1_200_000;
/** An untaken batch is sent again after so long, twice as long each time, milliseconds. */
const FIRST_AGAIN_MS = 5_000;
const LAST_AGAIN_MS = 300_000;

export type PoolContact = Pick<NewContact, 'token' | 'sealed' | 'language' | 'place' | 'times' | 'priority'>;

interface PoolBody {
  readonly sealed: string;
  readonly zone?: string;
  readonly earliest?: string;
  readonly latest?: string;
}

interface PoolRow {
  readonly token: string;
  readonly body: string;
  readonly language: Language;
  readonly priority: SqlValue;
  readonly attempts: SqlValue;
  readonly not_before_ms: SqlValue;
}

export interface Lease {
  readonly batch: string;
  readonly gateway: string;
  readonly campaign: string;
  readonly issuedMs: number;
  readonly expiresMs: number;
  /** The key that its gateway has announced. */
  readonly sealTo?: string;
}

export interface Loan {
  readonly batch: string;
  readonly gateway: string;
  readonly campaign: string;
  readonly most: number;
  readonly languages?: readonly Language[];
  readonly sealTo?: string;
  readonly nowMs: number;
  readonly expiresMs: number;
}

export class ContactLeases {
  /** @param seal what numbers are sealed under in the database. */
  constructor(
    private readonly db: Database,
    readonly seal: NumberSeal,
  ) {}

  /** Runs `work` while no other process lends or hears of loans. */
  transact<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.db.transact(async (sql) => {
      if (this.db.engine === 'postgres') await sql.all('SELECT pg_advisory_xact_lock($1)', [LENDING_LOCK]);
      return work(sql);
    });
  }

  async putCampaign(campaign: Campaign): Promise<void> {
    await this.db.run(
      'INSERT INTO work_campaign (id, body) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = excluded.body',
      [campaign.id, JSON.stringify(campaign)],
    );
  }

  /** Adds contacts, sealed under `seal`; a number that the campaign has is left as it is. Returns how many were new. */
  async add(campaign: string, contacts: readonly PoolContact[]): Promise<number> {
    const rows = new Map(contacts.map((contact) => [contact.token, rowOf(campaign, contact)]));
    return (await this.db.insert(POOL, [...rows.values()], '(campaign, token) DO NOTHING')).length;
  }

  /** Lends free contacts to a gateway until an instant, at most `most` of them; undefined when there are none. */
  lend(sql: Sql, loan: Loan): Promise<Lease | undefined> {
    return lendFree(sql, loan);
  }

  /** A loan as its gateway is sent it: numbers sealed for that gateway alone. Undefined when nothing of it is lent any more. */
  async batchOf(
    lease: Lease,
    { seal, sealing }: { readonly seal: NumberSeal; readonly sealing?: BatchSealing },
  ): Promise<ContactBatch | undefined> {
    const { batch, gateway, campaign, issuedMs, expiresMs } = lease;
    const rows = await this.db.all<PoolRow>(
      `SELECT token, body, language, priority, attempts, not_before_ms FROM work_pool
       WHERE batch = $1 AND gateway = $2 AND state = 'lent' ORDER BY priority, not_before_ms, token`,
      [batch, gateway],
    );
    if (rows.length === 0) return undefined;
    const iso = (ms: number) => new Date(ms).toISOString();
    const contacts = rows.map(({ token, body, language, priority, attempts, not_before_ms: notBeforeMs }) => {
      const { sealed, ...own } = JSON.parse(body) as PoolBody;
      const { number, isMystery } = this.seal.open(Buffer.from(sealed, 'base64url'), token);
      return {
        ...{ token, language, ...own, priority: Number(priority), attempts: Number(attempts) },
        ...(Number(notBeforeMs) > issuedMs && { notBefore: iso(Number(notBeforeMs)) }),
        sealed: seal.seal(number, token, isMystery).toString('base64url'),
      };
    });
    const times = { issuedAt: iso(issuedMs), expiresAt: iso(expiresMs) };
    return { batch, gateway, campaign, ...times, ...(sealing !== undefined && { sealing }), contacts };
  }

  /** A gateway asks for contacts; the newest wish for a campaign counts. */
  async wanted(sql: Sql, gateway: string, wish: ContactBatchWantedData, nowMs: number): Promise<void> {
    const { campaign, most, languages, sealTo, at } = wish;
    await sql.run(
      `INSERT INTO work_wish (gateway, campaign, most, languages, asked_ms, seal_to) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (gateway, campaign) DO UPDATE SET
         most = excluded.most, languages = excluded.languages, asked_ms = excluded.asked_ms, seal_to = excluded.seal_to`,
      [gateway, campaign, most, languages?.join(' ') ?? null, Math.min(nowMs, Date.parse(at)), sealTo ?? null],
    );
  }

  /** Lends what gateways wish for, as far as there is any. @param mayLend a gateway that cannot be sent anything is lent nothing. */
  async grantWishes(
    nowMs: number,
    forMs: number,
    newBatch: () => string,
    mayLend: (gateway: string) => boolean,
  ): Promise<readonly Lease[]> {
    const wishes = await this.db.all<{ gateway: string; campaign: string }>(
      'SELECT gateway, campaign FROM work_wish WHERE asked_ms > $1 ORDER BY asked_ms, gateway, campaign',
      [nowMs - WISH_MS],
    );
    const granted: Lease[] = [];
    for (const { gateway, campaign } of wishes) {
      if (!mayLend(gateway)) continue;
      const lease = await this.transact((sql) =>
        grant(sql, { gateway, campaign, nowMs, expiresMs: nowMs + forMs, batch: newBatch() }),
      );
      if (lease !== undefined) granted.push(lease);
    }
    return granted;
  }

  /** Loans that are to be sent now, because their gateway has not said that it has them; each is due again later. */
  async due(nowMs: number): Promise<readonly Lease[]> {
    const rows = await this.db.all<Readonly<Record<string, SqlValue>>>(
      `SELECT batch, work_lease.gateway, campaign, issued_ms, expires_ms, sent, seal_to FROM work_lease
       JOIN gateway ON gateway.gateway = work_lease.gateway
       WHERE state = 'open' AND taken = 0 AND next_ms <= $1 AND gateway.silent = 0 ORDER BY batch LIMIT 100`,
      [nowMs],
    );
    const mine: Lease[] = [];
    for (const row of rows) {
      const { batch = '', gateway, campaign, issued_ms: issued, expires_ms: expires, sent, seal_to: key } = row;
      const againMs = nowMs + Math.min(LAST_AGAIN_MS, FIRST_AGAIN_MS * 2 ** Math.min(10, Number(sent)));
      // Whoever changes the row is the one who sends.
      const isMine = await this.db.run(
        'UPDATE work_lease SET sent = sent + 1, next_ms = $1 WHERE batch = $2 AND next_ms <= $3 AND taken = 0',
        [againMs, batch, nowMs],
      );
      const sealed = typeof key === 'string' ? { sealTo: key } : {};
      const named = { batch: String(batch), gateway: String(gateway), campaign: String(campaign), ...sealed };
      if (isMine === 1) mine.push({ ...named, issuedMs: Number(issued), expiresMs: Number(expires) });
    }
    return mine;
  }

  /** A gateway has a batch on disk; what it cannot call is over. */
  async taken(sql: Sql, gateway: string, { batch, campaign, unusable }: ContactBatchTakenData): Promise<void> {
    await sql.run('UPDATE work_lease SET taken = 1 WHERE batch = $1 AND gateway = $2', [batch, gateway]);
    for (const token of unusable)
      await sql.run(
        `UPDATE work_pool SET state = 'over', outcome = 'unusable'
         WHERE campaign = $1 AND token = $2 AND gateway = $3 AND batch = $4 AND state = 'lent'`,
        [campaign, token, gateway, batch],
      );
  }

  /** A gateway has said how a call to a contact went. To be heard in the order of its events. */
  async heard(sql: Sql, gateway: string, said: WorkContactData, nowMs: number): Promise<void> {
    const { campaign: id, contact, disposition, attempts = 0, batch, callBackAt, zones } = said;
    if (batch === undefined) return;
    const campaign = await campaignOf(sql, id);
    const [row] = await sql.all<{ body: string }>(
      "SELECT body FROM work_pool WHERE campaign = $1 AND token = $2 AND gateway = $3 AND batch = $4 AND state = 'lent'",
      [id, contact, gateway, batch],
    );
    if (row === undefined) return;
    const goesOn = GOES_ON.includes(disposition) && attempts < (campaign?.attempts.most ?? Number.POSITIVE_INFINITY);
    // Of a batch that is closed already, what goes on is free again: the gateway calls nothing of it any more.
    const state = !goesOn ? 'over' : (await isLeaseOpen(sql, batch)) ? 'lent' : 'free';
    const isMoved = disposition === 'night-here';
    const [zone] = zones ?? [];
    const body =
      isMoved && zone !== undefined ? JSON.stringify({ ...(JSON.parse(row.body) as PoolBody), zone }) : row.body;
    await sql.run(
      `UPDATE work_pool SET state = $1, outcome = $2, attempts = $3, not_before_ms = $4, body = $5
       WHERE campaign = $6 AND token = $7`,
      [
        // Whoever may be in several zones is for people to find.
        isMoved && zones?.length !== 1 ? 'over' : state,
        disposition,
        attempts,
        callBackAt === undefined ? nowMs + 1_000 * (campaign?.attempts.spacingS ?? 0) : Date.parse(callBackAt),
        body,
        id,
        contact,
      ],
    );
    const silence = silenceAfter(disposition, campaign?.silenceDays ?? SILENCE_DAYS);
    if (silence === undefined) return;
    const untilMs = silence === 'for-good' ? FOR_GOOD_MS : nowMs + silence;
    await sql.run(
      `INSERT INTO work_silence (token, until_ms) VALUES ($1, $2) ON CONFLICT (token) DO UPDATE SET
         until_ms = CASE WHEN excluded.until_ms > work_silence.until_ms THEN excluded.until_ms ELSE work_silence.until_ms END`,
      [contact, untilMs],
    );
  }

  /** A gateway has given a batch back. */
  async closed(sql: Sql, gateway: string, { batch, campaign, unused }: ContactBatchClosedData): Promise<void> {
    const closing = await sql.run(
      "UPDATE work_lease SET state = 'closed' WHERE batch = $1 AND gateway = $2 AND state = 'open'",
      [batch, gateway],
    );
    if (closing === 0) return;
    for (const { token, attempts, notBefore } of unused) {
      const notBeforeMs = notBefore === undefined ? 0 : Date.parse(notBefore);
      await sql.run(
        `UPDATE work_pool SET state = 'free', attempts = $1, not_before_ms = $2
         WHERE campaign = $3 AND token = $4 AND gateway = $5 AND batch = $6 AND state = 'lent'`,
        [attempts, notBeforeMs, campaign, token, gateway, batch],
      );
    }
  }

  /** Batches whose time has been over for a while, and of whose contacts something was not heard of: for people to look at. */
  overdue(
    beforeMs: number,
  ): Promise<readonly { batch: string; gateway: string; campaign: string; contacts: number }[]> {
    return this.db.all(
      `SELECT work_lease.batch, work_lease.gateway, work_lease.campaign, count(*) AS contacts
       FROM work_lease JOIN work_pool ON work_pool.batch = work_lease.batch AND work_pool.state = 'lent'
       WHERE work_lease.state <> 'forfeit' AND expires_ms < $1
       GROUP BY work_lease.batch, work_lease.gateway, work_lease.campaign ORDER BY work_lease.batch`,
      [beforeMs],
    );
  }

  /**
   * The gateway of a batch is gone for good. What it may have called is over, not free: nobody can say who has refused. Returns
   * how many contacts that ends.
   */
  forfeit(batch: string): Promise<number> {
    return this.transact(async (sql) => {
      await sql.run("UPDATE work_lease SET state = 'forfeit' WHERE batch = $1", [batch]);
      return sql.run("UPDATE work_pool SET state = 'over', outcome = 'forfeit' WHERE batch = $1 AND state = 'lent'", [
        batch,
      ]);
    });
  }

  /** How many contacts each campaign has, by state and outcome. */
  counts(): Promise<readonly { campaign: string; state: string; outcome: string | null; contacts: number }[]> {
    return this.db.all(
      `SELECT campaign, state, outcome, count(*) AS contacts FROM work_pool
       GROUP BY campaign, state, outcome ORDER BY campaign, state, outcome`,
    );
  }
}

/** A wish is granted once, and not while an earlier batch is still on its way. */
async function grant(sql: Sql, to: Omit<Loan, 'most' | 'languages'>): Promise<Lease | undefined> {
  const { gateway, campaign, nowMs } = to;
  const [wish] = await sql.all<{ most: SqlValue; languages: string | null; seal_to: string | null }>(
    'SELECT most, languages, seal_to FROM work_wish WHERE gateway = $1 AND campaign = $2 AND asked_ms > $3',
    [gateway, campaign, nowMs - WISH_MS],
  );
  if (wish === undefined) return undefined;
  const onItsWay = await sql.all(
    "SELECT batch FROM work_lease WHERE gateway = $1 AND campaign = $2 AND state = 'open' AND taken = 0",
    [gateway, campaign],
  );
  if (onItsWay.length > 0) return undefined;
  const languages = wish.languages?.split(' ') as Language[] | undefined;
  const wished = { most: Number(wish.most), ...(languages && { languages }) };
  const lease = await lendFree(sql, { ...to, ...wished, ...(wish.seal_to !== null && { sealTo: wish.seal_to }) });
  if (lease !== undefined)
    await sql.run('DELETE FROM work_wish WHERE gateway = $1 AND campaign = $2', [gateway, campaign]);
  return lease;
}

async function lendFree(sql: Sql, loan: Loan): Promise<Lease | undefined> {
  const { batch, gateway, campaign, most, languages, sealTo, nowMs, expiresMs } = loan;
  const spoken = languages?.map((_, index) => `$${index + 6}`).join(', ');
  const free = await sql.all<{ token: string }>(
    `SELECT token FROM work_pool AS one
     WHERE campaign = $1 AND state = 'free' AND not_before_ms < $2 ${spoken === undefined ? '' : `AND language IN (${spoken})`}
       AND NOT EXISTS (SELECT 1 FROM work_pool AS other WHERE other.token = one.token AND other.state = 'lent' AND other.gateway <> $3)
       AND NOT EXISTS (SELECT 1 FROM work_silence WHERE work_silence.token = one.token AND until_ms > $5)
     ORDER BY priority, not_before_ms, token LIMIT $4`,
    [campaign, expiresMs, gateway, most, nowMs, ...(languages ?? [])],
  );
  let lent = 0;
  for (const { token } of free)
    lent += await sql.run(
      "UPDATE work_pool SET state = 'lent', gateway = $1, batch = $2 WHERE campaign = $3 AND token = $4 AND state = 'free'",
      [gateway, batch, campaign, token],
    );
  if (lent === 0) return undefined;
  await sql.run(
    `INSERT INTO work_lease (batch, gateway, campaign, issued_ms, expires_ms, state, taken, sent, next_ms, seal_to)
     VALUES ($1, $2, $3, $4, $5, 'open', 0, 0, 0, $6)`,
    [batch, gateway, campaign, nowMs, expiresMs, sealTo ?? null],
  );
  return { batch, gateway, campaign, issuedMs: nowMs, expiresMs, ...(sealTo !== undefined && { sealTo }) };
}

function rowOf(campaign: string, contact: PoolContact): SqlValue[] {
  const { token, sealed, language, place, times, priority } = contact;
  const [zone] = place.zones;
  const isOne = zone !== undefined && place.zones.length === 1;
  const body: PoolBody = { sealed: sealed.toString('base64url'), ...(isOne && { zone }), ...times };
  return [campaign, token, JSON.stringify(body), priority, language, 0, 0, 'free'];
}

async function isLeaseOpen(sql: Sql, batch: string): Promise<boolean> {
  return (await sql.all("SELECT batch FROM work_lease WHERE batch = $1 AND state = 'open'", [batch])).length === 1;
}

async function campaignOf(sql: Sql, id: string): Promise<Campaign | undefined> {
  const [row] = await sql.all<{ body: string }>('SELECT body FROM work_campaign WHERE id = $1', [id]);
  return row === undefined ? undefined : (JSON.parse(row.body) as Campaign);
}
