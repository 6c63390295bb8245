import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import type { Database } from './records/database.js';

/** viewer reads; operator also acknowledges and orders; admin also makes accounts. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export interface Account {
  readonly name: string;
  readonly role: Role;
}

/** Cost of scrypt (RFC 7914): 32 MiB and some 0.1 s for each try; five tries a minute (below) are the stronger brake. */
const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 128 * 1024 * 1024 } as const;
const SHORTEST = 12;
const SESSION_MS = 12 * 3_600_000;

/** Thrown when an account cannot be made so; the message says what to do. */
export class AccountFault extends Error {
  override readonly name = 'AccountFault';
}

/** Makes an account, or gives one another role and password; its sessions end. Throws an `AccountFault`. */
export async function putAccount(
  db: Database,
  name: string,
  role: string,
  password: string,
  nowMs: number,
): Promise<void> {
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(name)) throw new AccountFault(`"${name}" is no name: a-z, 0-9, dot, - and _`);
  if (!(ROLES as readonly string[]).includes(role)) throw new AccountFault(`a role is one of ${ROLES.join(', ')}`);
  if (password.length < SHORTEST) throw new AccountFault(`a password has at least ${SHORTEST} characters`);
  const salt = randomBytes(16);
  const secret = `scrypt$${COST.N}$${salt.toString('base64')}$${(await derived(password, salt)).toString('base64')}`;
  await db.transact(async (sql) => {
    await sql.run(
      `INSERT INTO account (name, role, secret, made_ms) VALUES ($1, $2, $3, $4)
       ON CONFLICT (name) DO UPDATE SET role = excluded.role, secret = excluded.secret`,
      [name, role, secret, nowMs],
    );
    await sql.run('DELETE FROM session WHERE account = $1', [name]);
  });
}

/** The account, when the password is its own. Takes as long for a name that does not exist. */
export async function accountOf(db: Database, name: string, password: string): Promise<Account | undefined> {
  const [row] = await db.all<Account & { readonly secret: string }>(
    'SELECT name, role, secret FROM account WHERE name = $1',
    [name],
  );
  const [, , salt = '', hash = ''] = (row?.secret ?? `scrypt$0$${randomBytes(16).toString('base64')}$`).split('$');
  const given = await derived(password, Buffer.from(salt, 'base64'));
  const kept = Buffer.from(hash, 'base64');
  if (row === undefined || kept.length !== given.length || !timingSafeEqual(kept, given)) return undefined;
  return { name: row.name, role: row.role };
}

/** A new session of twelve hours; the token goes to the browser, its hash to the database. */
export async function openSession(db: Database, account: string, nowMs: number): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  await db.run('INSERT INTO session (token_hash, account, expires_ms) VALUES ($1, $2, $3)', [
    hashed(token),
    account,
    nowMs + SESSION_MS,
  ]);
  return token;
}

export async function sessionOf(db: Database, token: string, nowMs: number): Promise<Account | undefined> {
  const [row] = await db.all<Account>(
    `SELECT account.name, account.role FROM session JOIN account ON account.name = session.account
     WHERE token_hash = $1 AND expires_ms > $2`,
    [hashed(token), nowMs],
  );
  return row;
}

export async function closeSession(db: Database, token: string): Promise<void> {
  await db.run('DELETE FROM session WHERE token_hash = $1', [hashed(token)]);
}

function hashed(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function derived(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((settle, reject) => {
    scrypt(password.normalize('NFC'), salt, 32, COST, (fault, key) => (fault ? reject(fault) : settle(key)));
  });
}

const MINUTE_MS = 60_000;
const MOST_TRIES = 5;
/** Far more than can be tried in a minute; beyond it the oldest is forgotten. */
const MOST_REMEMBERED = 100_000;

/** Slows guessing: five tries in a minute for a name, or from an address, and no more are let through in that minute. */
export class LoginBrake {
  readonly #tries = new Map<string, { readonly sinceMs: number; count: number }>();

  /** Counts a try before it is made, so that many at once are no more than one after the other. False: it is not to be made. */
  begin(keys: readonly string[], nowMs: number): boolean {
    const held = keys.map((key) => this.#of(key, nowMs));
    if (held.some(({ count }) => count >= MOST_TRIES)) return false;
    for (const one of held) one.count += 1;
    return true;
  }

  /** The password was right: the try does not count. */
  passed(keys: readonly string[], nowMs: number): void {
    for (const key of keys) this.#of(key, nowMs).count -= 1;
  }

  #of(key: string, nowMs: number): { count: number } {
    const before = this.#tries.get(key);
    if (before !== undefined && nowMs - before.sinceMs <= MINUTE_MS) return before;
    const fresh = { sinceMs: nowMs, count: 0 };
    // At the end of the order again: the first one is the oldest.
    this.#tries.delete(key);
    this.#tries.set(key, fresh);
    for (const [old, { sinceMs }] of this.#tries) {
      if (nowMs - sinceMs <= MINUTE_MS && this.#tries.size <= MOST_REMEMBERED) break;
      this.#tries.delete(old);
    }
    return fresh;
  }
}
