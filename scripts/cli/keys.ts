import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../../gateway/clock/system-clock.js';
import {
  CertificateFault,
  gatewayOf,
  newAuthority,
  newServer,
  type Pair,
  signRequest,
} from '../headquarters/certificates.js';
import { newSigningKey } from '../headquarters/sign-command.js';
import { type Command, EXIT, type ExitCode, type Terminal, UsageFault } from './command.js';

const HELP = `balise keys: headquarters' keys and certificates

usage: balise keys new <file> [--kid <name>]
       balise keys authority <folder> [--name <name>]
       balise keys sign <request> --authority <folder> [--days <n>]
       balise keys server <host>... --authority <folder> --out <name>

  new        makes the key that signs orders and countersigns checkpoints; prints its public half, for
             commandKeys of uplink.json. To rotate: add the new public half at every gateway, give headquarters
             the new file, then take the old half out. Both are obeyed in between.
  authority  makes the authority of the uplink: ca.pem, which everybody may have, and ca.key, which nobody may
  sign       signs what \`balise enrol request\` has made; the certificate goes to standard output
  server     makes a certificate for a broker or the fleet page: <name>.pem and <name>.key

No file is ever overwritten.

example
  balise keys authority hq-authority
  balise keys sign gw-1.csr --authority hq-authority > gw-1.pem
`;

const clock = systemClock(() => ({ trusted: true }));

/** `balise keys` */
export const keys: Command = {
  name: 'keys',
  summary: "makes headquarters' keys, and signs gateways' certificates",
  help: HELP,
  async run(args, terminal) {
    const options = {
      kid: { type: 'string', default: 'hq-1' },
      name: { type: 'string', default: 'Balise headquarters' },
      authority: { type: 'string' },
      days: { type: 'string', default: '397' },
      out: { type: 'string' },
    } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [verb, ...places] = positionals;
    const [place] = places;
    if (place === undefined) throw new UsageFault('new, authority, sign or server, and a file or a folder');
    const nowMs = clock.wall().epochMilliseconds;
    switch (verb) {
      case 'new':
        return newKey(place, values.kid, terminal);
      case 'authority': {
        mkdirSync(place, { recursive: true, mode: 0o700 });
        const made = await newAuthority(values.name, nowMs);
        putPair({ key: join(place, 'ca.key'), pem: join(place, 'ca.pem') }, made);
        terminal.stdout.write(`${join(place, 'ca.pem')} is for everybody, ${join(place, 'ca.key')} for nobody\n`);
        return EXIT.ok;
      }
      case 'sign': {
        const authority = authorityIn(values.authority);
        const request = read(place);
        const days = Number(values.days);
        if (!Number.isInteger(days) || days < 1 || days > 3_650)
          throw new UsageFault(`--days ${values.days}: 1 to 3650`);
        const certificate = await signRequest(request, authority, nowMs, days);
        terminal.stderr.write(`signed for the gateway ${await gatewayOf(request)}, ${days} days\n`);
        terminal.stdout.write(`${certificate.trim()}\n`);
        return EXIT.ok;
      }
      case 'server': {
        if (values.out === undefined) throw new UsageFault('--out <name> is missing');
        const made = await newServer(places, authorityIn(values.authority), nowMs);
        putPair({ key: `${values.out}.key`, pem: `${values.out}.pem` }, made);
        terminal.stdout.write(`${values.out}.pem and ${values.out}.key, for ${places.join(', ')}\n`);
        return EXIT.ok;
      }
      default:
        throw new UsageFault(`there is no "keys ${verb}"`);
    }
  },
};

async function newKey(file: string, kid: string, { stdout }: Terminal): Promise<ExitCode> {
  const { privateJwk, publicJwk } = await newSigningKey(kid);
  put(file, `${JSON.stringify(privateJwk)}\n`, 0o600);
  stdout.write(`${JSON.stringify(publicJwk)}\n`);
  return EXIT.ok;
}

function authorityIn(folder: string | undefined): Pair {
  if (folder === undefined) throw new UsageFault('--authority <folder> is missing');
  return { certificate: read(join(folder, 'ca.pem')), key: read(join(folder, 'ca.key')) };
}

function read(file: string): string {
  if (!existsSync(file)) throw new CertificateFault(`${file} is not there`);
  return readFileSync(file, 'utf8');
}

/** Both or neither: a new key beside an old certificate is of no use to anybody. */
function putPair({ key, pem }: { readonly key: string; readonly pem: string }, made: Pair): void {
  for (const file of [key, pem]) notThere(file);
  put(key, made.key, 0o600);
  put(pem, made.certificate, 0o644);
}

function notThere(file: string): void {
  if (existsSync(file)) throw new CertificateFault(`${file} is there already, and is not overwritten`);
}

function put(file: string, content: string, mode: number): void {
  notThere(file);
  writeFileSync(file, content, { mode, flag: 'wx' });
}
