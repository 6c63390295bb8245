import { parseArgs } from 'node:util';
import { type EngineConfig, type ListenerConfig, readConfig, type TransportName } from './config.js';
import { paramOf, parseHostPort, parseUri } from './message/uri.js';

export const USAGE = `Usage: npm run sip-engine -- --contact <sip uri> [--contact <sip uri>]... [options]
       node main.js --config <file.json>

A SIP server that speaks drachtio's client protocol: a drachtio-srf application connects to --admin with --secret.

  --contact <uri>      an address to speak SIP on, e.g. 'sip:127.0.0.1:5060;transport=udp,tcp' or
                       'sips:127.0.0.1:5061;transport=tls'; may be given several times; port 0: the kernel chooses
  --admin <host:port>  where applications connect (default 127.0.0.1:9022)
  --admin-tls          they do so by TLS alone, with --cert-file, --key-file, --ca-file and --mutual-tls
  --secret <secret>    what applications authenticate with (default cymru, as drachtio's)
  --next-hop <uri>     where new requests go for which the application names no way
  --cert-file <file>   certificate of whatever speaks TLS, PEM, with its chain
  --key-file <file>    its key
  --ca-file <file>     certificates that peers' certificates are checked against (default: those that Node knows)
  --mutual-tls         peers must show a certificate that --ca-file vouches for
  --control <socket>   a UNIX socket for deadlines and status, under the same secret
  --config <file>      the whole configuration as a JSON file, instead of all of the above (limits and timers too)
  --help               this text

SIGTERM and SIGINT end every call with BYE or CANCEL, and then the server. SIGHUP reads the certificates anew.
Without any argument the configuration is read as one line of JSON from standard input, whose end ends the server.
Exit status: 0 after a stop, 78 when the configuration cannot be run.

Example: npm run sip-engine -- --contact 'sip:127.0.0.1:5060;transport=udp,tcp' --admin 127.0.0.1:9022 --secret cymru
`;

export type CommandLine =
  | { readonly kind: 'help' }
  | { readonly kind: 'life-line' }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'config'; readonly config: EngineConfig };

const TEXT = { type: 'string' } as const;
const FLAG = { type: 'boolean', default: false } as const;
const OPTIONS = {
  contact: { type: 'string', multiple: true },
  admin: { type: 'string', default: '127.0.0.1:9022' },
  secret: { type: 'string', default: 'cymru' },
  'next-hop': TEXT,
  'cert-file': TEXT,
  'key-file': TEXT,
  'ca-file': TEXT,
  'mutual-tls': FLAG,
  'admin-tls': FLAG,
  control: TEXT,
  config: TEXT,
  help: { ...FLAG, short: 'h' },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

const tlsFiles = (values: Values): object => ({
  cert: values['cert-file'],
  key: values['key-file'],
  ca: values['ca-file'],
  mutual: values['mutual-tls'],
});

/** One --contact: a listener for its datagrams and streams, and one for its TLS, which wants a port to itself. */
function listeners(uri: string, name: string, values: Values): object[] {
  const parsed = parseUri(uri);
  if (parsed === undefined) throw new Error(`--contact: expected a sip URI, found ${uri}`);
  const secure = parsed.scheme === 'sips';
  const named = (paramOf(parsed.params, 'transport') ?? (secure ? 'tls' : 'udp,tcp')).split(',');
  const bare = named.filter((transport) => transport !== 'tls');
  const unknown = bare.find((transport) => transport !== 'udp' && transport !== 'tcp');
  if (unknown !== undefined) throw new Error(`--contact: expected transport udp, tcp or tls, found ${unknown}`);
  const listener = (of: readonly string[], port: number): Omit<ListenerConfig, 'tls'> => ({
    name: of.includes('tls') && bare.length > 0 ? `${name}-tls` : name,
    address: parsed.host,
    port: parsed.port ?? port,
    transports: of as TransportName[],
  });
  if (!named.includes('tls')) return [listener(bare, 5060)];
  if (bare.length > 0 && parsed.port !== undefined && parsed.port !== 0) {
    throw new Error('--contact: tls wants a port of its own: give it a --contact of its own');
  }
  const encrypted = { ...listener(['tls'], 5061), tls: tlsFiles(values) };
  return bare.length > 0 ? [listener(bare, 5060), encrypted] : [encrypted];
}

/** Reads the arguments. Throws an Error that says what is wrong with them. */
export function readCommandLine(args: readonly string[]): CommandLine {
  if (args.length === 0) return { kind: 'life-line' };
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  if (values.help) return { kind: 'help' };
  if (values.config !== undefined) return { kind: 'file', path: values.config };
  const admin = parseHostPort(values.admin);
  if (admin === undefined) throw new Error(`--admin: expected host:port, found ${values.admin}`);
  const contacts = values.contact ?? [];
  if (contacts.length === 0) throw new Error('--contact: at least one is needed');
  const { secret, control } = values;
  const names = ['cell', 'carrier'];
  const config = {
    listeners: contacts.flatMap((uri, at) => listeners(uri, names[at] ?? `listener-${at + 1}`, values)),
    client: {
      address: admin.host,
      port: admin.port ?? 9022,
      secret,
      ...(values['admin-tls'] && { tls: tlsFiles(values) }),
    },
    ...(control !== undefined && { control: { socket: control, secret } }),
    ...(values['next-hop'] !== undefined && { nextHop: values['next-hop'] }),
  };
  // Through the same gate as every other configuration.
  return { kind: 'config', config: readConfig(JSON.stringify(config)) };
}
