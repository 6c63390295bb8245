import { type EngineConfig, type ListenerConfig, readConfig } from './config.js';
import { paramOf, parseHostPort, parseUri } from './message/uri.js';

export const USAGE = `Usage: node main.js [--config <file.json>]
       node main.js --contact <sip uri> [--contact <sip uri>] [--admin <host:port>] [--secret <secret>] [--control <socket>]

A SIP server that speaks drachtio's client protocol. Without arguments the configuration is read as one line of JSON from
standard input, which then stays open: its end ends every call and the server.

  --config <file>     the configuration as a JSON file
  --contact <uri>     an address to speak SIP on, e.g. 'sip:127.0.0.1:5060;transport=udp,tcp'; may be given several times
  --admin <host:port> where applications connect (default 127.0.0.1:9022)
  --secret <secret>   what applications authenticate with (default cymru, as drachtio's)
  --control <socket>  a UNIX socket for deadlines and status, under the same secret
  --help              this text
`;

export type CommandLine =
  | { readonly kind: 'help' }
  | { readonly kind: 'life-line' }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'config'; readonly config: EngineConfig };

function contact(uri: string, name: string): ListenerConfig {
  const parsed = parseUri(uri);
  if (parsed === undefined) throw new Error(`--contact: expected a sip URI, found ${uri}`);
  const transports = (paramOf(parsed.params, 'transport') ?? 'udp,tcp').split(',');
  return {
    name,
    address: parsed.host,
    port: parsed.port ?? 5060,
    transports: transports as ListenerConfig['transports'],
  };
}

/** Reads the arguments. Throws an Error that says what is wrong with them. */
export function readCommandLine(args: readonly string[]): CommandLine {
  if (args.length === 0) return { kind: 'life-line' };
  const contacts: string[] = [];
  const found: Record<string, string> = { '--admin': '127.0.0.1:9022', '--secret': 'cymru' };
  for (let at = 0; at < args.length; at += 2) {
    const name = args[at] ?? '';
    if (name === '--help' || name === '-h') return { kind: 'help' };
    const value = args[at + 1];
    if (value === undefined) throw new Error(`${name}: a value is missing`);
    if (name === '--contact') contacts.push(value);
    else if (['--config', '--admin', '--secret', '--control'].includes(name)) found[name] = value;
    else throw new Error(`${name}: no such argument`);
  }
  const path = found['--config'];
  if (path !== undefined) return { kind: 'file', path };
  const admin = parseHostPort(found['--admin'] ?? '');
  if (admin === undefined) throw new Error(`--admin: expected host:port, found ${found['--admin']}`);
  if (contacts.length === 0) throw new Error('--contact: at least one is needed');
  const secret = found['--secret'] ?? '';
  const control = found['--control'] === undefined ? {} : { control: { socket: found['--control'], secret } };
  const config = {
    listeners: contacts.map((uri, at) => contact(uri, at === 0 ? 'cell' : at === 1 ? 'carrier' : `listener-${at + 1}`)),
    client: { address: admin.host, port: admin.port ?? 9022, secret },
    ...control,
  };
  // Through the same gate as every other configuration.
  return { kind: 'config', config: readConfig(JSON.stringify(config)) };
}
