/** The PEM files that a site names: whether each is there, is what it should be, goes with the others and is in its time. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SiteFiles } from '../../gateway/config/site.js';

/** A certificate with its key and the authorities that the other side is checked against, as one entry of a site's files has them. */
export interface PemSet {
  /** As a technician knows it, e.g. `sip.carrierTls`. */
  readonly of: string;
  readonly file: 'site.json' | 'uplink.json';
  /** JSON pointer to the entry. */
  readonly pointer: string;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly ca?: string | undefined;
  /** The member that names the authorities. */
  readonly caName: 'ca' | 'clientCa';
}

export interface PemFinding {
  readonly set: PemSet;
  /** The member at fault, or of which it is told that it is well. */
  readonly member: string;
  readonly path: string;
  readonly is: 'well' | 'warning' | 'fault';
  readonly what: string;
  /** What to do; empty when it is well. */
  readonly todo: string;
}

const DAY_MS = 86_400_000;
const SOON_MS = 30 * DAY_MS;
const ONE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Every set of PEM files that a site names. */
export function pemSetsOf({ site, uplink }: SiteFiles): readonly PemSet[] {
  const { sip, bus, provisioning, console: web } = site;
  const inSite = { file: 'site.json', caName: 'ca' } as const;
  return [
    ...(sip.carrierTls === undefined
      ? []
      : [{ of: 'sip.carrierTls', ...inSite, pointer: '/sip/carrierTls', ...pick(sip.carrierTls) }]),
    ...(bus.tls === undefined ? [] : [{ of: 'bus.tls', ...inSite, pointer: '/bus/tls', ...pick(bus.tls) }]),
    ...(provisioning?.tls === undefined
      ? []
      : [{ of: 'provisioning.tls', ...inSite, pointer: '/provisioning/tls', ...pick(provisioning.tls) }]),
    ...(web.tls === undefined
      ? []
      : [
          {
            ...{ of: 'console.tls', ...inSite, pointer: '/console/tls', ...pick(web.tls) },
            ...{ ca: web.tls.clientCa, caName: 'clientCa' as const },
          },
        ]),
    ...(uplink === undefined
      ? []
      : [{ of: 'uplink', ...inSite, file: 'uplink.json', pointer: '', ...pick(uplink) } as const]),
  ];
}

const pick = ({ cert, key, ca }: { cert?: string | undefined; key?: string | undefined; ca?: string | undefined }) => ({
  ...{ cert, key, ca },
});

/** What is to be said of a set's files, one finding a file at least. Never throws. @param folder the site's. */
export function lookAtPem(set: PemSet, folder: string, nowMs: number): readonly PemFinding[] {
  const said =
    (member: string, path: string) =>
    (is: PemFinding['is'], what: string, todo = ''): PemFinding => ({ set, member, path, is, what, todo });
  const found: PemFinding[] = [];
  const [cert, key, ca] = [set.cert, set.key, set.ca].map((name) =>
    name === undefined ? undefined : resolve(folder, name),
  );
  let leaf: X509Certificate | undefined;
  if (cert !== undefined) {
    const say = said('cert', cert);
    const chain = certificatesIn(cert);
    if (typeof chain === 'string') found.push(say('fault', chain, 'put our certificate there, as PEM'));
    else {
      [leaf] = chain;
      const stray = chain.findIndex((one, n) => n > 0 && chain[n - 1]?.checkIssued(one) !== true);
      if (stray > 0)
        found.push(
          say(
            'fault',
            `certificate ${stray + 1} of ${cert} has not signed the one before it`,
            'first our own, then those between it and its root, each after the one that it signed',
          ),
        );
      else found.push(inItsTime(chain, cert, nowMs, say));
    }
  }
  if (key !== undefined) {
    const say = said('key', key);
    const read = privateKeyIn(key);
    if (typeof read === 'string')
      found.push(say('fault', read, "put the certificate's private key there, as PEM without a passphrase"));
    else if (leaf !== undefined && !leaf.checkPrivateKey(read))
      found.push(say('fault', `${key} is not the key of ${cert}`, 'put the two there that were made together'));
    else if (isForAll(key))
      found.push(say('warning', `${key} may be read by everybody on this machine`, `chmod 640 ${key}`));
    else found.push(say('well', leaf === undefined ? `${key} is a private key` : `${key} is its key`));
  }
  if (ca !== undefined) {
    const say = said(set.caName, ca);
    const authorities = certificatesIn(ca);
    if (typeof authorities === 'string')
      found.push(say('fault', authorities, "put the authority's certificate there, as PEM"));
    else {
      const other = authorities.find((one) => !one.ca && one.subject !== one.issuer);
      if (other !== undefined)
        found.push(
          say(
            'fault',
            `${ca} has ${nameOf(other)}, which is no authority`,
            'put the certificate there that has signed it',
          ),
        );
      else found.push(inItsTime(authorities, ca, nowMs, say));
    }
  }
  return found;
}

type Say = (is: PemFinding['is'], what: string, todo?: string) => PemFinding;

/** Of several certificates the one that ends first counts. */
function inItsTime(chain: readonly X509Certificate[], path: string, nowMs: number, say: Say): PemFinding {
  const early = chain.find(({ validFrom }) => Date.parse(validFrom) > nowMs);
  if (early !== undefined)
    return say('fault', `${path} is not good before ${early.validFrom}`, 'see the clock, or the certificate');
  const [first] = [...chain].sort((one, other) => Date.parse(one.validTo) - Date.parse(other.validTo));
  const validTo = first?.validTo ?? '';
  const leftMs = Date.parse(validTo) - nowMs;
  if (leftMs <= 0) return say('fault', `${path} was good until ${validTo}`, 'put a new one in its place');
  const what = `${path} is good until ${validTo}`;
  return leftMs < SOON_MS ? say('warning', what, 'put a new one in its place before') : say('well', what);
}

/** The certificates of a PEM file; in words what is wrong with it. */
function certificatesIn(path: string): readonly X509Certificate[] | string {
  const text = textOf(path);
  if (typeof text !== 'string') return text.why;
  const blocks = text.match(ONE) ?? [];
  if (blocks.length === 0) return `${path} has no certificate in it`;
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return `${path} has a certificate that cannot be read`;
  }
}

function privateKeyIn(path: string): KeyObject | string {
  const text = textOf(path);
  if (typeof text !== 'string') return text.why;
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return `${path} has no private key in it`;
  if (/-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(text))
    return `${path} has a passphrase, which nobody is there to type`;
  try {
    return createPrivateKey(text);
  } catch {
    return `${path} has a private key that cannot be read`;
  }
}

function textOf(path: string): string | { readonly why: string } {
  try {
    return readFileSync(path, 'latin1');
  } catch (fault) {
    const { code } = fault as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { why: `${path} is not there` };
    return { why: code === 'EACCES' ? `${path} may not be read by this user` : `${path} cannot be read: ${code}` };
  }
}

const isForAll = (path: string): boolean => ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o004) !== 0;

const nameOf = ({ subject }: X509Certificate): string => (subject ?? 'a certificate').replaceAll('\n', ', ');
