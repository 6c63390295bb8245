import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { TlsConfig } from '../config.js';

/** The certificate of a listener and whom it trusts, as read from its files. */
export interface Credentials {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer | undefined;
  /** Peers must show a certificate that `ca` vouches for. */
  readonly mutual: boolean;
}

/**
 * Reads the files, and sees that they make a pair. Throws an Error that names the file and what is wrong with it: on a reload
 * the old ones then stay in force.
 */
export function readCredentials(config: TlsConfig): Credentials {
  const file = (path: string, what: string): Buffer => {
    try {
      return readFileSync(path);
    } catch (error) {
      throw new Error(
        `the ${what} cannot be read from ${path}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  };
  const credentials = {
    cert: file(config.cert, 'certificate'),
    key: file(config.key, 'key'),
    ca: config.ca === undefined ? undefined : file(config.ca, 'list of trusted certificates'),
    mutual: config.mutual === true,
  };
  try {
    contextOf(credentials);
  } catch (error) {
    throw new Error(
      `${config.cert} and ${config.key} make no pair: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return credentials;
}

/** Node's form of them. */
export function contextOf({ cert, key, ca }: Credentials): SecureContext {
  return createSecureContext({ cert, key, ...(ca && { ca }), minVersion: 'TLSv1.2' });
}
