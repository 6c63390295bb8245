/** Headquarters' side of the uplink, as a program: watch gateways, order cutoffs, make keys. `--help` tells how. */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { systemClock } from '../../gateway/clock/system-clock.js';
import { eventLine, faultLine, stateLine } from './event-line.js';
import { OrderFault, type OrderWords, orderFrom } from './order.js';
import { Receiver } from './receiver.js';
import { sendCommand } from './send-command.js';
import { newCommand, newSigningKey, type SigningKey, signCommand } from './sign-command.js';
import type { Gap } from './stream-check.js';

const HELP = `headquarters: the other end of the uplink

usage: node dist/scripts/headquarters/main.js watch --url <broker> [--key <file>]
       node dist/scripts/headquarters/main.js <order> --url <broker> --gateway <site>/<gateway> --key <file>
       node dist/scripts/headquarters/main.js new-key <file> [--kid <name>]

watch prints a line for each event and each change of state, and a line that begins with FAULT for what is missing or
was tampered with. With a key it asks the gateway for what is missing.

orders (one; each is signed, and the answers are printed)
  --cut <target>        end calls now: site, wing:<id>, handset:<id>, person:<id>, call:<id>, number:<token>
  --release <target>    lift the cutoff of exactly this: site, wing:<id>, handset:<id>, person:<id>
  --do-not-call <number or token>
                        never call it again, whatever the campaign; may be given more than once
  --warrant <file>      leave to record, as \`balise headquarters sign-warrant\` makes it
  --resend <from>-<to>  send these events again
  --snapshot            send every retained topic again
  --ping                answer

options
  --url <broker>        mqtt://host:1883, or mqtts://host:8883
  --username, --password, --ca, --cert, --client-key   account, and files with certificates (PEM)
  --gateway <name>      whom the order is for
  --key <file>          the private key (JWK) that signs
  --hold <seconds>      how long a cut holds, or until-released; 10
  --reason <text>       why; it goes into the records
  --by <name>           who; headquarters
  -h, --help            this text

exit status
  0   done
  1   refused, failed, or no answer
  64  wrongly called

example
  node dist/scripts/headquarters/main.js --cut handset:a-101 --url mqtt://127.0.0.1:1883 --gateway demo/gw-1 --key hq.jwk
`;

const OPTIONS = {
  url: { type: 'string' },
  username: { type: 'string' },
  password: { type: 'string' },
  ca: { type: 'string' },
  cert: { type: 'string' },
  'client-key': { type: 'string' },
  gateway: { type: 'string' },
  key: { type: 'string' },
  kid: { type: 'string' },
  cut: { type: 'string' },
  release: { type: 'string' },
  resend: { type: 'string' },
  snapshot: { type: 'boolean' },
  ping: { type: 'boolean' },
  'do-not-call': { type: 'string', multiple: true },
  warrant: { type: 'string' },
  hold: { type: 'string' },
  reason: { type: 'string' },
  by: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Values = ReturnType<typeof parse>['values'];

// Headquarters only stamps its orders; whether they are in time is for the gateway's clock to say.
const clock = systemClock(() => ({ trusted: true }));

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
}

function needed(value: string | undefined, option: string): string {
  if (value === undefined || value === '') throw new OrderFault(`${option} is missing`);
  return value;
}

function readKey(file: string): SigningKey {
  const key = JSON.parse(readFileSync(file, 'utf8')) as SigningKey;
  if (key.kty !== 'OKP' || typeof key.d !== 'string' || typeof key.kid !== 'string') {
    throw new OrderFault(`${file} is no private Ed25519 key with a kid; new-key makes one`);
  }
  return key;
}

function connectionOf(values: Values) {
  return {
    ...(values.username === undefined ? {} : { username: values.username }),
    ...(values.password === undefined ? {} : { password: values.password }),
    ...(values.ca === undefined ? {} : { ca: readFileSync(values.ca) }),
    ...(values.cert === undefined ? {} : { cert: readFileSync(values.cert) }),
    ...(values['client-key'] === undefined ? {} : { key: readFileSync(values['client-key']) }),
  };
}

async function askFor(gap: Gap, gateway: string, key: SigningKey, send: (jws: string) => Promise<void>): Promise<void> {
  const order = { type: 'resend', from: gap.from, to: gap.to, reason: 'gap', by: 'headquarters' } as const;
  try {
    await send(await signCommand(key, newCommand(clock, gateway, order)));
  } catch (fault) {
    // It is asked for again when the gateway is next on line.
    console.log(`not asked for: ${fault instanceof Error ? fault.message : fault}`);
  }
}

async function watch(values: Values): Promise<number> {
  const key = values.key === undefined ? undefined : readKey(values.key);
  const receiver: Receiver = new Receiver({
    url: needed(values.url, '--url'),
    connection: connectionOf(values),
    onEvent: (event, gateway) => console.log(eventLine(event, gateway)),
    onState: (topic, message, gateway) => console.log(stateLine(topic, message, gateway)),
    onFault: (fault, gateway) => console.log(faultLine(fault, gateway)),
    ...(key === undefined
      ? {}
      : { onMissing: (gap, gateway) => void askFor(gap, gateway, key, (jws) => receiver.send(gateway, jws)) }),
    onConnection: (up) => console.log(up ? 'connected to the broker' : 'not connected to the broker'),
  });
  const asked = new Promise<void>((settle) => {
    process.once('SIGINT', settle);
    process.once('SIGTERM', settle);
  });
  void receiver.start();
  await asked;
  await receiver.stop();
  return 0;
}

async function newKey(file: string, kid: string): Promise<number> {
  const { privateJwk, publicJwk } = await newSigningKey(kid);
  writeFileSync(file, `${JSON.stringify(privateJwk)}\n`, { mode: 0o600, flag: 'wx' });
  console.log(`the private key is in ${file}; for commandKeys of uplink.json:\n${JSON.stringify(publicJwk)}`);
  return 0;
}

/** A warrant is named by its file, and ordered by what is in it. */
const read = ({ warrant: file, ...values }: Values): OrderWords =>
  file === undefined ? values : { ...values, warrant: readFileSync(file, 'utf8') };

async function order(values: Values): Promise<number> {
  const command = newCommand(clock, needed(values.gateway, '--gateway'), orderFrom(read(values)));
  const last = await sendCommand({
    url: needed(values.url, '--url'),
    connection: connectionOf(values),
    key: readKey(needed(values.key, '--key')),
    command,
    clock,
    onAck: (ack) => console.log(JSON.stringify(ack)),
  });
  return last.state === 'done' ? 0 : 1;
}

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parse(args);
  if (values.help || args.length === 0) {
    console.log(HELP);
    return 0;
  }
  const [verb, file] = positionals;
  switch (verb) {
    case undefined:
      return order(values);
    case 'watch':
      return watch(values);
    case 'new-key':
      return newKey(needed(file, 'the file'), values.kid ?? 'hq-1');
    default:
      throw new OrderFault(`there is no "${verb}"`);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (fault) {
  const code = String((fault as NodeJS.ErrnoException).code ?? '');
  const isUsage = fault instanceof OrderFault || code.startsWith('ERR_PARSE_ARGS');
  console.error(`headquarters: ${fault instanceof Error && fault.message !== '' ? fault.message : code}`);
  if (isUsage) console.error('see --help');
  process.exitCode = isUsage ? 64 : 1;
}
