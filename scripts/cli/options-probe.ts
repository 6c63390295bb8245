/** Asks a carrier for its OPTIONS (RFC 3261 §11), from a socket of its own; no gateway is needed, and none is disturbed. */
import { createHash, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { connect, isIP, isIPv6 } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { readDigest } from '../../gateway/signalling/digest.js';

export interface ProbedTrunk {
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp' | 'tls';
  /** tls: what is shown and what is trusted, PEM; absent: nothing, and the authorities that Node knows. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer; readonly ca?: Buffer };
  readonly username?: string;
  readonly password?: string;
  /** Challenges of this realm alone are answered; absent: of any. */
  readonly realm?: string;
}

export type Probe =
  | {
      readonly is: 'answered';
      readonly status: number;
      readonly reason: string;
      readonly ms: number;
      /** What the carrier says of itself; empty when nothing. */
      readonly server: string;
      /** proved: our account was asked for and taken. refused: asked for and not taken. unasked: not asked for. */
      readonly account: 'unasked' | 'proved' | 'refused' | 'none' | 'other-realm';
    }
  | { readonly is: 'silent'; readonly why: string };

/** Timer T1 of RFC 3261, and how long is waited in all: shorter than timer F, because somebody watches. */
const T1_MS = 500;

interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly header: (name: string) => string | undefined;
}

/** Asks once, and a second time with our account where the carrier asks for it. Never rejects. */
export async function probe(trunk: ProbedTrunk, timeoutMs: number): Promise<Probe> {
  const beganMs = performance.now();
  try {
    const { address } = await lookup(trunk.host);
    const callId = randomBytes(12).toString('hex');
    const ask = (cseq: number, authorization?: string) =>
      exchanged(trunk, address, timeoutMs, (local) => request(trunk, local, callId, cseq, authorization));
    const first = await ask(1);
    const challenge = first.header(first.status === 407 ? 'proxy-authenticate' : 'www-authenticate');
    const told = (answer: Answer, account: Extract<Probe, { is: 'answered' }>['account']): Probe => ({
      is: 'answered',
      status: answer.status,
      reason: answer.reason,
      ms: Math.round(performance.now() - beganMs),
      server: answer.header('server') ?? answer.header('user-agent') ?? '',
      account,
    });
    if ((first.status !== 401 && first.status !== 407) || challenge === undefined) return told(first, 'unasked');
    const { username, password } = trunk;
    if (username === undefined || password === undefined) return told(first, 'none');
    const asked = readDigest(challenge);
    if (trunk.realm !== undefined && asked?.get('realm') !== trunk.realm) return told(first, 'other-realm');
    const name = first.status === 407 ? 'Proxy-Authorization' : 'Authorization';
    const proof = credentials(asked ?? new Map(), `sip:${hostOf(trunk)}`, username, password);
    if (proof === undefined) return told(first, 'refused');
    const second = await ask(2, `${name}: ${proof}`);
    return told(second, second.status === 401 || second.status === 407 || second.status === 403 ? 'refused' : 'proved');
  } catch (fault) {
    return { is: 'silent', why: whyOf(fault as NodeJS.ErrnoException) };
  }
}

function whyOf(fault: NodeJS.ErrnoException): string {
  switch (fault.code) {
    case 'ECONNREFUSED':
      return 'the machine is there, and nothing listens on that port';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its name has no address: see the name, and the DNS server of this machine';
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
      return 'no way leads there: see the carrier interface and its routes';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `its certificate is for another name: see host in trunks.json (${fault.message})`;
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return `its certificate is by no authority that is trusted here: see sip.carrierTls.ca in site.json (${fault.code})`;
    default:
      return fault.message;
  }
}

const bracketed = (host: string): string => (isIPv6(host) ? `[${host}]` : host);
const hostOf = ({ host, port }: ProbedTrunk): string => `${bracketed(host)}:${port}`;

function request(trunk: ProbedTrunk, local: string, callId: string, cseq: number, authorization?: string): string {
  const uri = `sip:${hostOf(trunk)}`;
  return [
    `OPTIONS ${uri} SIP/2.0`,
    `Via: SIP/2.0/${trunk.transport.toUpperCase()} ${local};branch=z9hG4bK${randomBytes(8).toString('hex')};rport`,
    'Max-Forwards: 70',
    `From: <sip:${trunk.username ?? 'balise'}@${local}>;tag=${callId.slice(0, 8)}`,
    `To: <${uri}>`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} OPTIONS`,
    `Contact: <sip:${local}>`,
    'Accept: application/sdp',
    ...(authorization === undefined ? [] : [authorization]),
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

/** The response to a digest challenge (RFC 7616 §3.4); undefined when it asks for what we cannot do. */
function credentials(
  asked: ReadonlyMap<string, string>,
  uri: string,
  username: string,
  password: string,
): string | undefined {
  const algorithm = (asked.get('algorithm') ?? 'MD5').toUpperCase();
  const by = { MD5: 'md5', 'SHA-256': 'sha256' }[algorithm];
  const realm = asked.get('realm');
  const nonce = asked.get('nonce');
  if (by === undefined || realm === undefined || nonce === undefined) return undefined;
  const hash = (text: string): string => createHash(by).update(text).digest('hex');
  const ha1 = hash(`${username}:${realm}:${password}`);
  const ha2 = hash(`OPTIONS:${uri}`);
  const hasQop = /\bauth\b/.test(asked.get('qop') ?? '');
  const cnonce = randomBytes(8).toString('hex');
  const response = hash(hasQop ? `${ha1}:${nonce}:00000001:${cnonce}:auth:${ha2}` : `${ha1}:${nonce}:${ha2}`);
  const opaque = asked.get('opaque');
  return [
    `Digest username="${username}"`,
    ...[`realm="${realm}"`, `nonce="${nonce}"`, `uri="${uri}"`, `response="${response}"`, `algorithm=${algorithm}`],
    ...(hasQop ? ['qop=auth', 'nc=00000001', `cnonce="${cnonce}"`] : []),
    ...(opaque === undefined ? [] : [`opaque="${opaque}"`]),
  ].join(', ');
}

/** The head of a final response; undefined while it is none, or not whole yet. */
function finalAnswer(text: string): Answer | undefined {
  const end = text.indexOf('\r\n\r\n');
  const [, code = '', reason = ''] = /^SIP\/2\.0 ([2-6][0-9]{2}) ?([^\r\n]*)/.exec(text) ?? [];
  if (end === -1 || code === '') return undefined;
  const lines = text
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
    .slice(1);
  const header = (name: string): string | undefined => {
    const found = lines.find((line) => line.slice(0, line.indexOf(':')).trim().toLowerCase() === name);
    return found?.slice(found.indexOf(':') + 1).trim();
  };
  return { status: Number(code), reason, header };
}

function exchanged(
  trunk: ProbedTrunk,
  address: string,
  timeoutMs: number,
  text: (local: string) => string,
): Promise<Answer> {
  return trunk.transport === 'udp' ? byUdp(trunk, address, timeoutMs, text) : byTcp(trunk, address, timeoutMs, text);
}

const silence = (timeoutMs: number): Error =>
  new Error(
    `no answer within ${timeoutMs / 1000} s: see the address, the firewall, and whether the carrier knows ours`,
  );

/** Sent again after T1, doubling (RFC 3261 §17.1.2.2). A connected socket hears of a closed port. */
function byUdp(
  { port }: ProbedTrunk,
  address: string,
  timeoutMs: number,
  text: (local: string) => string,
): Promise<Answer> {
  return new Promise((settle, fail) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    let again: NodeJS.Timeout | undefined;
    const end = (then: () => void): void => {
      clearTimeout(again);
      clearTimeout(late);
      socket.close();
      then();
    };
    const late = setTimeout(() => end(() => fail(silence(timeoutMs))), timeoutMs);
    socket.on('error', (fault) => end(() => fail(fault)));
    socket.on('message', (message) => {
      const answer = finalAnswer(message.toString('utf8'));
      if (answer !== undefined) end(() => settle(answer));
    });
    socket.connect(port, address, () => {
      const { address: own, port: ownPort } = socket.address();
      const message = text(`${bracketed(own)}:${ownPort}`);
      const send = (waitMs: number): void => {
        socket.send(message);
        again = setTimeout(() => send(waitMs * 2), waitMs);
      };
      send(T1_MS);
    });
  });
}

function byTcp(
  { host, port, transport, tls }: ProbedTrunk,
  address: string,
  timeoutMs: number,
  text: (local: string) => string,
): Promise<Answer> {
  return new Promise((settle, fail) => {
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket =
      transport === 'tls'
        ? connectTls({ host: address, port, ...name, ...tls, minVersion: 'TLSv1.2' })
        : connect(port, address);
    let heard = '';
    const end = (then: () => void): void => {
      clearTimeout(late);
      socket.destroy();
      then();
    };
    const late = setTimeout(() => end(() => fail(silence(timeoutMs))), timeoutMs);
    socket.on('error', (fault) => end(() => fail(fault)));
    socket.on('close', () => end(() => fail(new Error('the carrier closed the connection without an answer'))));
    socket.on(transport === 'tls' ? 'secureConnect' : 'connect', () => {
      socket.write(text(`${bracketed(socket.localAddress ?? address)}:${socket.localPort}`));
    });
    socket.on('data', (chunk) => {
      heard += chunk.toString('utf8');
      const answer = finalAnswer(heard);
      if (answer !== undefined) end(() => settle(answer));
    });
  });
}
