/** The certificates of the uplink: a small authority at headquarters, and gateways' requests to it (RFC 5280, RFC 2986). */
// The library builds its parts with tsyringe, which wants this first.
import 'reflect-metadata';
import { webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const EC = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
/** A gateway's name as its certificate says it. */
const GATEWAY = /^[a-z0-9][a-z0-9._-]{0,63}\/[a-z0-9][a-z0-9._-]{0,63}$/;

export interface Pair {
  /** PEM. */
  readonly certificate: string;
  /** PKCS #8, PEM. */
  readonly key: string;
}

/** Thrown when a request or a certificate is not what it should be; the message says why. */
export class CertificateFault extends Error {
  override readonly name = 'CertificateFault';
  readonly exitCode = 78;
}

/** A new authority that signs gateways' certificates, and the broker's. */
export async function newAuthority(name: string, nowMs: number, days = 3_650): Promise<Pair> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    notBefore: new Date(nowMs - DAY_MS),
    notAfter: new Date(nowMs + days * DAY_MS),
    signingAlgorithm: SIGNING,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await keyPem(keys) };
}

/** A new key pair of a gateway, and the request for its certificate. The key never leaves the gateway. */
export async function newRequest(gateway: string): Promise<{ readonly request: string; readonly key: string }> {
  if (!GATEWAY.test(gateway)) throw new CertificateFault(`"${gateway}" is no <site>/<gateway>`);
  const keys = await newKeys();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: `CN=${gateway}`,
    keys,
    signingAlgorithm: SIGNING,
  });
  return { request: request.toString('pem'), key: await keyPem(keys) };
}

/** The gateway that a request is for. Throws a `CertificateFault` when it is damaged, not signed by its own key, or names no gateway. */
export async function gatewayOf(requestPem: string): Promise<string> {
  let request: x509.Pkcs10CertificateRequest;
  try {
    request = new x509.Pkcs10CertificateRequest(requestPem);
  } catch (fault) {
    throw new CertificateFault(`it is no certificate request (${fault instanceof Error ? fault.message : fault})`);
  }
  if (!(await request.verify())) throw new CertificateFault('the request is not signed by its own key');
  const [name = ''] = request.subjectName.getField('CN');
  if (!GATEWAY.test(name)) throw new CertificateFault(`the request is for "${name}", which is no <site>/<gateway>`);
  return name;
}

/** The certificate that the request asks for, signed by the authority: for client authentication, and for this name alone. */
export async function signRequest(requestPem: string, authority: Pair, nowMs: number, days = 397): Promise<string> {
  const gateway = await gatewayOf(requestPem);
  const request = new x509.Pkcs10CertificateRequest(requestPem);
  return issued(`CN=${gateway}`, await request.publicKey.export(), authority, nowMs, days, [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
  ]);
}

/** A certificate for a server (a broker, the fleet page), with its key; `hosts` are DNS names and addresses. */
export async function newServer(hosts: readonly string[], authority: Pair, nowMs: number, days = 397): Promise<Pair> {
  const keys = await newKeys();
  const names = hosts.map((value) => ({ type: /^[0-9.]+$|:/.test(value) ? ('ip' as const) : ('dns' as const), value }));
  const certificate = await issued(`CN=${hosts[0] ?? 'server'}`, keys.publicKey, authority, nowMs, days, [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension(names),
  ]);
  return { certificate, key: await keyPem(keys) };
}

/** Why a certificate does not go with a key and a gateway, or undefined when it does. */
export function misfit(certificatePem: string, keyPublicPem: string, gateway: string): string | undefined {
  const certificate = new X509Certificate(certificatePem);
  const name = /^CN=(.+)$/m.exec(certificate.subject)?.[1];
  if (name !== gateway) return `it is for ${name ?? 'nobody'}, and this is ${gateway}`;
  const theirs = certificate.publicKey.export({ type: 'spki', format: 'pem' });
  return theirs === keyPublicPem ? undefined : 'it is for another key: make a new request and have that one signed';
}

async function issued(
  subject: string,
  publicKey: webcrypto.CryptoKey,
  authority: Pair,
  nowMs: number,
  days: number,
  extensions: readonly x509.Extension[],
): Promise<string> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const der = x509.PemConverter.decodeFirst(authority.key);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', der, EC, false, ['sign']);
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: issuer.subject,
    publicKey,
    signingKey,
    notBefore: new Date(nowMs - 300_000),
    notAfter: new Date(nowMs + days * DAY_MS),
    signingAlgorithm: SIGNING,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      ...extensions,
    ],
  });
  return certificate.toString('pem');
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(EC, true, ['sign', 'verify']);
}

async function keyPem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
}
