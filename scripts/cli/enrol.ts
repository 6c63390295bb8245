import { createPrivateKey, createPublicKey } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CertificateFault, misfit, newRequest } from '../headquarters/certificates.js';
import { type Command, EXIT, type ExitCode, type Terminal, UsageFault } from './command.js';
import { siteAnd } from './site-option.js';

const HELP = `balise enrol: the gateway's own key and certificate

usage: balise enrol request [--site <folder>]
       balise enrol install <certificate> [--ca <file>] [--site <folder>]

  request  makes a key pair, which never leaves this machine, and prints the request for its certificate.
           Headquarters signs it: balise keys sign. Asked again before the certificate is installed, it prints the
           same request again.
  install  checks that the certificate is for this gateway and for that key, and puts both in place of the old
           ones in one step: keys/gateway.pem in the site's folder. In uplink.json let "cert" and "key" both name
           that file. A running gateway takes them up within a minute, and loses nothing by it.

  --site   the site's folder; default $BALISE_SITE, or /etc/balise/site. It may also stand before the certificate
  --ca     the authority's certificate, kept as keys/ca.pem, for "ca" of uplink.json

example
  balise enrol request > gw-1.csr
  balise enrol install gw-1.pem --ca ca.pem
`;

/** `balise enrol` */
export const enrol: Command = {
  name: 'enrol',
  summary: "makes this gateway's key, and installs its certificate",
  help: HELP,
  async run(args, terminal) {
    const options = { ca: { type: 'string' }, site: { type: 'string' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [verb, ...words] = positionals;
    if (verb !== 'request' && verb !== 'install')
      throw new UsageFault(
        verb === undefined ? 'request or install?' : `there is no "enrol ${verb}"; request or install?`,
      );
    const { folder: site, rest } = siteAnd(values.site, words, verb === 'install' ? 1 : 0);
    if (verb === 'request') return request(site, terminal);
    const [certificate] = rest;
    if (certificate === undefined) throw new UsageFault('which certificate?');
    return install(site, certificate, values.ca, terminal);
  },
};

interface Files {
  readonly folder: string;
  readonly pendingKey: string;
  readonly pendingRequest: string;
  readonly pair: string;
  readonly ca: string;
}

function filesIn(site: string): Files {
  const folder = join(site, 'keys');
  const at = (name: string) => join(folder, name);
  return {
    folder,
    pendingKey: at('pending.key'),
    pendingRequest: at('pending.csr'),
    pair: at('gateway.pem'),
    ca: at('ca.pem'),
  };
}

function gatewayIn(site: string): string {
  const file = join(site, 'site.json');
  if (!existsSync(file)) throw new CertificateFault(`${file} is not there: name the site's folder`);
  const { site: name, gateway } = JSON.parse(readFileSync(file, 'utf8')) as { site?: unknown; gateway?: unknown };
  if (typeof name !== 'string' || typeof gateway !== 'string') {
    throw new CertificateFault(`${file} names no site and gateway; see balise check`);
  }
  return `${name}/${gateway}`;
}

async function request(site: string, { stdout, stderr }: Terminal): Promise<ExitCode> {
  const files = filesIn(site);
  if (!existsSync(files.pendingRequest)) {
    const made = await newRequest(gatewayIn(site));
    mkdirSync(files.folder, { recursive: true, mode: 0o700 });
    // The key first: a request whose key was lost in a power cut could never be installed.
    writeFileSync(files.pendingKey, made.key, { mode: 0o600 });
    writeFileSync(files.pendingRequest, made.request, { mode: 0o644 });
    stderr.write(`the key is in ${files.pendingKey}; have this request signed, then: balise enrol install\n`);
  }
  stdout.write(`${readFileSync(files.pendingRequest, 'utf8').trim()}\n`);
  return EXIT.ok;
}

function install(site: string, certificateFile: string, caFile: string | undefined, { stdout }: Terminal): ExitCode {
  const files = filesIn(site);
  if (!existsSync(files.pendingKey))
    throw new CertificateFault('nothing was requested: balise enrol request comes first');
  const key = readFileSync(files.pendingKey, 'utf8');
  const certificate = readFileSync(certificateFile, 'utf8');
  const ours = createPublicKey(createPrivateKey(key)).export({ type: 'spki', format: 'pem' }) as string;
  const why = misfit(certificate, ours, gatewayIn(site));
  if (why !== undefined) throw new CertificateFault(`${certificateFile}: ${why}`);
  if (caFile !== undefined) replace(files.ca, readFileSync(caFile, 'utf8'), 0o644);
  // One file and one rename, so that nobody ever sees a new certificate beside an old key.
  replace(files.pair, `${certificate.trim()}\n${key.trim()}\n`, 0o600);
  rmSync(files.pendingKey);
  rmSync(files.pendingRequest);
  stdout.write(`${files.pair} is in place; "cert" and "key" of uplink.json name it: keys/gateway.pem\n`);
  return EXIT.ok;
}

function replace(file: string, content: string, mode: number): void {
  writeFileSync(`${file}.new`, content, { mode });
  renameSync(`${file}.new`, file);
}
