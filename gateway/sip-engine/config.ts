import { isIP } from 'node:net';
import { DEFAULT_MESSAGE_LIMITS, type MessageLimits } from './message/limits.js';
import { parseHostPort, parseUri } from './message/uri.js';
import { RFC_TIMERS, type TimerValues } from './transaction/timer-values.js';

export type TransportName = 'udp' | 'tcp' | 'tls';

/** Files in PEM form. They are read at the start and at each reload (SIGHUP). */
export interface TlsConfig {
  readonly cert: string;
  readonly key: string;
  /** Certificates that peers' certificates are checked against; default: those that Node knows. */
  readonly ca?: string;
  /** Peers must show a certificate that `ca` vouches for. */
  readonly mutual?: boolean;
}

/** One address that SIP is spoken on. */
export interface ListenerConfig {
  readonly name: string;
  /** An IP address of this machine; it is also what Via and Contact say. */
  readonly address: string;
  /** 0: the kernel chooses, the same number for all transports of the listener. */
  readonly port: number;
  readonly transports: readonly TransportName[];
  /** With the transport tls, which has a listener to itself. */
  readonly tls?: TlsConfig;
}

/** What keeps a flood from costing more than its share; each one is counted when it bites. */
export interface Limits {
  readonly message: MessageLimits;
  /** Requests of one source address that begin something and have no final answer yet. */
  readonly openPerAddress: number;
  /** The same of all addresses together. */
  readonly openInAll: number;
  /** INVITEs outside of a dialog, of one source address, a second. */
  readonly ratePerAddress: number;
  /** Other requests outside of a dialog (REGISTER, OPTIONS and so on), of one source address, a second. */
  readonly otherRatePerAddress: number;
  /** Refusals of what is over a limit, is junk, or names no dialog, to one address, a second; more are met with silence. */
  readonly refusalsPerAddress: number;
  /** Answered requests that are kept for their repetitions, of one address and of all. */
  readonly finishedPerAddress: number;
  readonly finishedInAll: number;
  /** A process whose timers are later than this takes on nothing new, milliseconds. */
  readonly lagMs: number;
  /** A TCP connection without traffic and without a call is closed after this, milliseconds. */
  readonly tcpIdleMs: number;
  /** A message that has begun must be whole after this, milliseconds. */
  readonly tcpMessageMs: number;
  readonly tcpConnections: number;
  /** Those that one address has opened to us. */
  readonly tcpConnectionsPerAddress: number;
  /** What a peer has not read yet, bytes: one that reads nothing is as good as gone. */
  readonly tcpUnsentBytes: number;
  /** One frame of the client protocol, bytes. */
  readonly clientFrameBytes: number;
  /** A larger request goes by TCP where the listener speaks it, bytes (RFC 3261 §18.1.1: the path's MTU less 200). */
  readonly udpRequestBytes: number;
  /** The shortest interval of a session timer, seconds (RFC 4028 §5). */
  readonly minSessionS: number;
}

export const DEFAULT_LIMITS: Limits = {
  message: DEFAULT_MESSAGE_LIMITS,
  openPerAddress: 200,
  openInAll: 10_000,
  ratePerAddress: 1_000,
  otherRatePerAddress: 200,
  refusalsPerAddress: 100,
  finishedPerAddress: 1_000,
  finishedInAll: 20_000,
  lagMs: 500,
  tcpIdleMs: 60_000,
  tcpMessageMs: 30_000,
  tcpConnections: 1_000,
  tcpConnectionsPerAddress: 200,
  tcpUnsentBytes: 1_048_576,
  clientFrameBytes: 262_144,
  udpRequestBytes: 1_300,
  minSessionS: 90,
};

/** The port of the applications. With `tls` it speaks nothing but TLS. */
export interface ClientConfig {
  readonly address: string;
  readonly port: number;
  readonly secret: string;
  readonly tls?: TlsConfig;
}

export interface EngineConfig {
  readonly listeners: readonly ListenerConfig[];
  /** Where applications (drachtio-srf) connect to; port 0: the kernel chooses. */
  readonly client: ClientConfig;
  /** The control socket, a UNIX path in a folder that nobody else may enter. */
  readonly control?: { readonly socket: string; readonly secret: string };
  /** Once a control client has said hello, its silence for 2 s or its closed connection ends every dialog. */
  readonly guard?: boolean;
  /** URI of a next hop for every new request whose application names none. */
  readonly nextHop?: string;
  /** Name servers, `address` or `address:port`; default: the system's. */
  readonly dns?: readonly string[];
  readonly limits?: Partial<Omit<Limits, 'message'>> & { readonly message?: Partial<MessageLimits> };
  /** Only a process obeys it: end when standard input ends. */
  readonly exitWhenOrphaned?: boolean;
  /** T1, T2, T4, where a network is known to need others than RFC 3261's. */
  readonly timers?: Partial<TimerValues>;
}

/** A configuration that cannot be run: what was found, what was expected. */
export class ConfigFault extends Error {
  override readonly name = 'ConfigFault';
}

export function limitsOf(config: EngineConfig): Limits {
  const { message, ...rest } = config.limits ?? {};
  return { ...DEFAULT_LIMITS, ...rest, message: { ...DEFAULT_MESSAGE_LIMITS, ...message } };
}

export function timersOf(config: EngineConfig): TimerValues {
  return { ...RFC_TIMERS, ...config.timers };
}

type Fields = Readonly<Record<string, unknown>>;

function fields(value: unknown, where: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new ConfigFault(`${where}: expected an object, found ${JSON.stringify(value)}`);
}

function text(value: unknown, where: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new ConfigFault(`${where}: expected a non-empty string, found ${JSON.stringify(value)}`);
}

function port(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
  throw new ConfigFault(`${where}: expected a port from 0 to 65535, found ${JSON.stringify(value)}`);
}

function numbers(value: unknown, where: string, known: readonly string[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [name, number] of Object.entries(fields(value ?? {}, where))) {
    if (!known.includes(name)) throw new ConfigFault(`${where}/${name}: no such setting; known: ${known.join(', ')}`);
    if (typeof number !== 'number' || !(number > 0)) {
      throw new ConfigFault(`${where}/${name}: expected a number above 0, found ${JSON.stringify(number)}`);
    }
    found[name] = number;
  }
  return found;
}

function tlsOf(value: unknown, where: string): TlsConfig {
  const given = fields(value, where);
  if (given.mutual === true && given.ca === undefined) {
    throw new ConfigFault(`${where}/ca: expected a file, because peers must show a certificate (mutual), found none`);
  }
  return {
    cert: text(given.cert, `${where}/cert`),
    key: text(given.key, `${where}/key`),
    ...(given.ca !== undefined && { ca: text(given.ca, `${where}/ca`) }),
    mutual: given.mutual === true,
  };
}

function hop(value: unknown, where: string): string {
  const uri = text(value, where);
  if (parseUri(uri) === undefined) throw new ConfigFault(`${where}: expected a sip URI, found ${uri}`);
  return uri;
}

function servers(value: unknown, where: string): readonly string[] {
  const isServer = (one: unknown): one is string =>
    typeof one === 'string' && isIP(parseHostPort(one)?.host ?? one) !== 0;
  if (Array.isArray(value) && value.length > 0 && value.every(isServer)) return value;
  throw new ConfigFault(`${where}: expected addresses of name servers, found ${JSON.stringify(value)}`);
}

function listener(value: unknown, where: string): ListenerConfig {
  const given = fields(value, where);
  const transports = given.transports;
  const known = (one: unknown): boolean => one === 'udp' || one === 'tcp' || one === 'tls';
  const sound = Array.isArray(transports) && transports.length > 0 && transports.every(known);
  if (!sound || (transports.includes('tls') && transports.length > 1)) {
    const expected = '["udp"], ["tcp"], both, or ["tls"] by itself';
    throw new ConfigFault(`${where}/transports: expected ${expected}, found ${JSON.stringify(transports)}`);
  }
  const secure = transports.includes('tls');
  if (secure !== (given.tls !== undefined)) {
    const what = secure ? 'the files of the certificate and the key' : 'nothing without the transport tls';
    throw new ConfigFault(`${where}/tls: expected ${what}, found ${JSON.stringify(given.tls)}`);
  }
  return {
    ...(secure && { tls: tlsOf(given.tls, `${where}/tls`) }),
    name: text(given.name, `${where}/name`),
    address: text(given.address, `${where}/address`),
    port: port(given.port, `${where}/port`),
    transports: transports as TransportName[],
  };
}

/** Reads a configuration from JSON text. Throws `ConfigFault`. */
export function readConfig(json: string): EngineConfig {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new ConfigFault(`the configuration is not JSON: ${String(error)}`);
  }
  const given = fields(value, '');
  if (!Array.isArray(given.listeners) || given.listeners.length === 0) {
    throw new ConfigFault(`/listeners: expected at least one, found ${JSON.stringify(given.listeners)}`);
  }
  const client = fields(given.client, '/client');
  const control = given.control === undefined ? undefined : fields(given.control, '/control');
  const { message, ...limits } = fields(given.limits ?? {}, '/limits');
  const names = Object.keys(DEFAULT_LIMITS).filter((name) => name !== 'message');
  return {
    listeners: given.listeners.map((one, at) => listener(one, `/listeners/${at}`)),
    client: {
      address: text(client.address, '/client/address'),
      port: port(client.port, '/client/port'),
      secret: text(client.secret, '/client/secret'),
      ...(client.tls !== undefined && { tls: tlsOf(client.tls, '/client/tls') }),
    },
    ...(control && {
      control: { socket: text(control.socket, '/control/socket'), secret: text(control.secret, '/control/secret') },
    }),
    guard: given.guard === true,
    ...(given.nextHop !== undefined && { nextHop: hop(given.nextHop, '/nextHop') }),
    ...(given.dns !== undefined && { dns: servers(given.dns, '/dns') }),
    limits: {
      ...numbers(limits, '/limits', names),
      message: numbers(message, '/limits/message', Object.keys(DEFAULT_MESSAGE_LIMITS)),
    },
    exitWhenOrphaned: given.exitWhenOrphaned === true,
    timers: numbers(given.timers, '/timers', Object.keys(RFC_TIMERS)),
  };
}
