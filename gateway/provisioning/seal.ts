import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { chownSync, closeSync, mkdirSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ALGORITHM = 'aes-256-gcm';
const KEY_FILE = 'provisioning.key';
const KEY_BYTES = 32;
const IV_BYTES = 12;

/** Something sealed that cannot be opened, or a key that cannot be used; the message says what and what to do. */
export class SealFault extends Error {
  override readonly name = 'SealFault';
  /** EX_CONFIG (sysexits.h): nothing of it mends itself. */
  readonly exitCode = 78;
}

/**
 * The key that seals what must be served again: AES-256-GCM (NIST SP 800-38D), a fresh nonce a sealing. What is sealed is
 * bound to its context and opens under no other: nobody moves one device's secrets to another, or an old file back.
 */
export class Seal {
  private constructor(private readonly key: Buffer) {}

  /**
   * The key of a data folder, made at first use: `provisioning.key`, 0600. Throws a `SealFault` when it is there and is no
   * key, or when others may read it.
   */
  static of(dataFolder: string): Seal {
    const file = join(dataFolder, KEY_FILE);
    mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
    if (statSync(file, { throwIfNoEntry: false }) === undefined) makeKey(file);
    const facts = statSync(file);
    if ((facts.mode & 0o077) !== 0) {
      throw new SealFault(`${file} may be read by others: chmod 600 it, and renew the secrets of every phone`);
    }
    const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64url');
    if (key.length !== KEY_BYTES) {
      throw new SealFault(`${file} is no key: put it back from a backup, or remove it and enrol every phone anew`);
    }
    return new Seal(key);
  }

  seal(text: string, context: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.key, iv).setAAD(Buffer.from(context));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return [iv, cipher.getAuthTag(), sealed].map((part) => part.toString('base64url')).join('.');
  }

  /** Throws a `SealFault` when it was sealed by another key or for another context, or was changed. */
  open(sealed: string, context: string): string {
    const [iv, tag, body] = sealed.split('.').map((part) => Buffer.from(part, 'base64url'));
    if (iv?.length !== IV_BYTES || tag?.length !== 16 || body === undefined)
      throw new SealFault('it is nothing sealed');
    try {
      const decipher = createDecipheriv(ALGORITHM, this.key, iv).setAAD(Buffer.from(context)).setAuthTag(tag);
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
    } catch (fault) {
      throw new SealFault('it was sealed by another key, or changed since', { cause: fault });
    }
  }
}

function makeKey(file: string): void {
  let made: number;
  try {
    // Two programs may make it at once: one of them does.
    made = openSync(file, 'wx', 0o600);
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw fault;
  }
  writeSync(made, `${randomBytes(KEY_BYTES).toString('base64url')}\n`);
  closeSync(made);
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(dirname(file));
  chownSync(file, uid, gid);
}
