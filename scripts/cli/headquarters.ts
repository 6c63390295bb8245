import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import pino from 'pino';
import type { HeadquartersConfig, PolicyBundle } from '../../config/schema/types.generated.js';
import { systemClock } from '../../gateway/clock/system-clock.js';
import { BundleFault, checkBundle, payloadOf } from '../../gateway/policy-bundle/bundle.js';
import { putAccount, ROLES } from '../headquarters/accounts.js';
import { startDemoFleet } from '../headquarters/demo-fleet.js';
import { openDatabase } from '../headquarters/records/schema.js';
import { publishPolicy } from '../headquarters/send-command.js';
import { accessOf, readConfig, serve } from '../headquarters/serve.js';
import { type Command, EXIT, type ExitCode, needed, type Terminal, UsageFault } from './command.js';
import { CONTACT_FILE_OPTIONS, contactFile } from './contact-file.js';
import { forfeit, importContacts, listLoans } from './headquarters-contacts.js';
import { sendWarrant, signWarrant } from './headquarters-warrant.js';
import { readPassword } from './read-password.js';

const HELP = `balise headquarters: the receiving side of the uplink

usage: balise headquarters --config <file>
       balise headquarters --demo
       balise headquarters account <name> --role <role> --config <file>
       balise headquarters policy <bundle.jws> --gateway <site>/<gateway> --config <file>
       balise headquarters sign-warrant --id <id> --person <id> --from <instant> --until <instant> --config <file>
       balise headquarters warrant <warrant.jws> --gateway <site>/<gateway> --config <file>
       balise headquarters contacts <contacts.csv> --campaign <campaign.json> --country <country> --config <file>
       balise headquarters loans --config <file>
       balise headquarters forfeit <batch> --config <file>

  --config  headquarters.json: broker, database, keys, and where the fleet page is (see config/README.md)
  --demo    a broker, a database, the fleet page and a few simulated gateways, all in this process and gone after it
  account   makes an account of the fleet page, or gives it another role and password; the password is the
            first line of stdin
  policy    sends a bundle that \`balise policy sign\` made, and tells what became of it. It stays at the broker: a gateway
            that is away takes it when it comes

  sign-warrant  prints leave to record the calls of a --person or to a --number from one instant to another, signed
            by the signingKey of headquarters.json; instants as 2026-03-04T08:00:00Z
  warrant   sends it, and tells whether the gateway took it. It is in the gateway's audit chain before it says so

  contacts  takes contacts that gateways are lent; columns, --map, --dry-run and --skip-bad as \`balise campaign import\` has
            them. --country: the one in whose national form numbers may be. The campaign must say "lent"
  loans     tells how many contacts are free, lent and over, and which batches are overdue
  forfeit   gives up a batch whose gateway is gone for good: what it may have called is over

  --gateway whom the bundle or warrant is for; may be given more than once
  --by      who orders it, for the records
  --role    ${ROLES.join(', ')}: reads; also acknowledges and orders; also makes accounts

The log is one JSON object a line on standard output. Orders from the command line:
node dist/scripts/headquarters/main.js --help.

exit status 1: the bundle or warrant was not taken, or there was no answer.

example
  balise headquarters policy policy.jws --gateway alpha/gw-1 --config headquarters.json
`;

const clock = systemClock(() => ({ trusted: true }));

/** `balise headquarters` */
export const headquarters: Command = {
  name: 'headquarters',
  summary: 'receives what gateways report, and serves the fleet page',
  help: HELP,
  async run(args, terminal) {
    const options = {
      config: { type: 'string' },
      demo: { type: 'boolean' },
      role: { type: 'string' },
      gateway: { type: 'string', multiple: true },
      by: { type: 'string' },
      id: { type: 'string' },
      person: { type: 'string' },
      number: { type: 'string' },
      from: { type: 'string' },
      until: { type: 'string' },
      campaign: { type: 'string' },
      country: { type: 'string' },
      ...CONTACT_FILE_OPTIONS,
    } as const;
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
    if (verb === 'policy') {
      const file = readFileSync(needed(name, 'the bundle'), 'utf8');
      return publish(file, values.gateway ?? [], readConfig(needed(values.config, '--config')), terminal);
    }
    if (verb === 'sign-warrant') return signWarrant(values, readConfig(needed(values.config, '--config')), terminal);
    if (verb === 'warrant') {
      const jws = readFileSync(needed(name, 'the warrant'), 'utf8');
      const config = readConfig(needed(values.config, '--config'));
      return sendWarrant(jws, values.gateway ?? [], values.by, config, clock, terminal);
    }
    if (verb === 'contacts') {
      const how = contactFile(values, needed(name, 'the file'));
      const config = readConfig(needed(values.config, '--config'));
      return importContacts(config, needed(values.campaign, '--campaign'), values.country, how, terminal);
    }
    if (verb === 'loans')
      return listLoans(readConfig(needed(values.config, '--config')), clock.wall().epochMilliseconds, terminal);
    if (verb === 'forfeit')
      return forfeit(readConfig(needed(values.config, '--config')), needed(name, 'the batch'), terminal);
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

async function publish(
  bundle: string,
  gateways: readonly string[],
  config: HeadquartersConfig,
  { stdout, stderr }: Terminal,
): Promise<ExitCode> {
  if (gateways.length === 0) throw new UsageFault('--gateway is missing');
  const { site, version } = contentOf(bundle);
  const stranger = gateways.find(
    (gateway) => !/^[a-z0-9][a-z0-9._-]*$/.test(gateway.slice(site.length + 1)) || !gateway.startsWith(`${site}/`),
  );
  if (stranger !== undefined)
    throw new UsageFault(`the bundle is for the site ${site}, and ${stranger} is no gateway of it`);
  const answers = gateways.map(async (gateway): Promise<boolean> => {
    try {
      const ack = await publishPolicy({ url: config.url, connection: accessOf(config), clock, gateway, bundle });
      const why = ack.why === undefined ? '' : ` (${ack.why})`;
      stdout.write(
        `${gateway}: version ${version} ${ack.state}${why}${ack.detail === undefined ? '' : `: ${ack.detail}`}\n`,
      );
      return ack.state === 'done' || ack.state === 'accepted';
    } catch (fault) {
      stderr.write(`${gateway}: ${fault instanceof Error && fault.message !== '' ? fault.message : fault}\n`);
      return false;
    }
  });
  return (await Promise.all(answers)).every(Boolean) ? EXIT.ok : EXIT.no;
}

function contentOf(bundle: string): PolicyBundle {
  try {
    return checkBundle(JSON.parse(payloadOf(bundle).toString('utf8')));
  } catch (fault) {
    if (!(fault instanceof BundleFault || fault instanceof SyntaxError)) throw fault;
    throw new UsageFault(`it is no signed bundle, as balise policy sign makes it: ${fault.message}`);
  }
}

async function account(name: string, role: string, config: string, terminal: Terminal): Promise<ExitCode> {
  const password = await readPassword(terminal);
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

function signalled(): Promise<void> {
  return new Promise((settle) => {
    process.once('SIGINT', () => settle());
    process.once('SIGTERM', () => settle());
  });
}
