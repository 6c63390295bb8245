import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import pino from 'pino';
import { systemClock } from '../../gateway/clock/system-clock.js';
import { putAccount, ROLES } from '../headquarters/accounts.js';
import { startDemoFleet } from '../headquarters/demo-fleet.js';
import { openDatabase } from '../headquarters/records/schema.js';
import { readConfig, serve } from '../headquarters/serve.js';
import { type Command, EXIT, type ExitCode, needed, type Terminal, UsageFault } from './command.js';

const HELP = `balise headquarters: the receiving side of the uplink

usage: balise headquarters --config <file>
       balise headquarters --demo
       balise headquarters account <name> --role <role> --config <file>

  --config  headquarters.json: broker, database, keys, and where the fleet page is (see config/README.md)
  --demo    a broker, a database, the fleet page and a few simulated gateways, all in this process and gone after it
  account   makes an account of the fleet page, or gives it another role and password; the password is the
            first line of stdin

  --role    ${ROLES.join(', ')}: reads; also acknowledges and orders; also makes accounts

The log is one JSON object a line on standard output. Orders from the command line:
node dist/scripts/headquarters/main.js --help.

example
  balise headquarters --demo
`;

const clock = systemClock(() => ({ trusted: true }));

/** `balise headquarters` */
export const headquarters: Command = {
  name: 'headquarters',
  summary: 'receives what gateways report, and serves the fleet page',
  help: HELP,
  async run(args, terminal) {
    const options = { config: { type: 'string' }, demo: { type: 'boolean' }, role: { type: 'string' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [verb, name] = positionals;
    if (verb === 'account') {
      return account(
        needed(name, 'the name'),
        needed(values.role, '--role'),
        needed(values.config, '--config'),
        terminal,
      );
    }
    if (verb !== undefined) throw new UsageFault(`there is no "headquarters ${verb}"`);
    if (values.demo === true) return demo(terminal);
    const log = pino({ name: 'balise-headquarters' }, pino.destination({ fd: 1, sync: false }));
    const running = await serve({ config: readConfig(needed(values.config, '--config')), clock, log });
    log.info({ event: 'headquarters.ready', page: running.url }, 'ready');
    await signalled();
    await running.stop();
    log.flush();
    return EXIT.ok;
  },
};

async function demo({ stdout }: Terminal): Promise<ExitCode> {
  const running = await startDemoFleet(clock);
  stdout.write(
    `fleet page  ${running.url}\nlog in as   duty (operator) or guest (viewer), password ${running.password}\n` +
      'Ctrl-C ends everything.\n',
  );
  await signalled();
  await running.stop();
  return EXIT.ok;
}

async function account(name: string, role: string, config: string, terminal: Terminal): Promise<ExitCode> {
  const password = await firstLine(terminal);
  const db = await openDatabase(readConfig(config).database, () => undefined);
  try {
    await putAccount(db, name, role, password, clock.wall().epochMilliseconds);
  } catch (fault) {
    if (fault instanceof Error && fault.name === 'AccountFault') throw new UsageFault(fault.message);
    throw fault;
  } finally {
    await db.close();
  }
  terminal.stdout.write(`${name} may log in as ${role}\n`);
  return EXIT.ok;
}

/** At a terminal it is asked for, and what is typed is not shown. */
async function firstLine({ stdin, stderr }: Terminal): Promise<string> {
  const isTTY = stdin.isTTY === true;
  if (isTTY) stderr.write('password: ');
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: nowhere, terminal: isTTY });
  try {
    for await (const line of lines) return line;
    return '';
  } finally {
    lines.close();
    if (isTTY) stderr.write('\n');
  }
}

function signalled(): Promise<void> {
  return new Promise((settle) => {
    process.once('SIGINT', () => settle());
    process.once('SIGTERM', () => settle());
  });
}
