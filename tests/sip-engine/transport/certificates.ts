import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** A certificate and its key, as files and as texts. */
export interface Pair {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of the test's own, in a folder that goes with the test. */
export class Authority {
  readonly #folder = mkdtempSync(join(tmpdir(), 'balise-ca-'));
  readonly caFile = join(this.#folder, 'ca.pem');
  readonly ca: string;

  constructor(test: Test) {
    test.teardown(() => rmSync(this.#folder, { recursive: true, force: true }));
    this.#openssl([
      'req',
      '-x509',
      ...this.#newKey('ca'),
      '-out',
      this.caFile,
      '-days',
      '2',
      '-subj',
      '/CN=authority of the test',
    ]);
    this.ca = readFileSync(this.caFile, 'utf8');
  }

  /** Issues a certificate for names (`DNS:…`, `IP:…`). */
  issue(file: string, ...names: readonly string[]): Pair {
    const path = (end: string): string => join(this.#folder, `${file}.${end}`);
    writeFileSync(path('ext'), `subjectAltName=${names.join(',')}\n`);
    this.#openssl(['req', ...this.#newKey(file), '-out', path('csr'), '-subj', `/CN=${file}`]);
    const signed = [
      '-CA',
      this.caFile,
      '-CAkey',
      path('key').replace(file, 'ca'),
      '-CAcreateserial',
      '-extfile',
      path('ext'),
    ];
    this.#openssl(['x509', '-req', '-in', path('csr'), '-out', path('pem'), '-days', '2', ...signed]);
    const [certFile, keyFile] = [path('pem'), path('key')];
    return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  }

  #newKey(file: string): string[] {
    return [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      join(this.#folder, `${file}.key`),
    ];
  }

  #openssl(args: readonly string[]): void {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  }
}
