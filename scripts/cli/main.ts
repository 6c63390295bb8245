import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigFault, formatFaults } from '../../gateway/config/fault.js';
import { projectRoot } from '../../gateway/config/paths.js';
import { EditFault } from '../../gateway/editing/edit-fault.js';
import { StoreFault } from '../../gateway/store/fault.js';
import { audit } from './audit.js';
import { backup } from './backup.js';
import { board } from './board.js';
import { calls } from './calls.js';
import { campaign } from './campaign.js';
import { check } from './check.js';
import { type Command, EXIT, type ExitCode, type Terminal, UsageFault } from './command.js';
import { completionOf } from './completion.js';
import { dnc } from './dnc.js';
import { doctor } from './doctor.js';
import { enrol } from './enrol.js';
import { explain } from './explain.js';
import { GatewayAway, GatewayRefusal } from './gateway-client.js';
import { ha1 } from './ha1.js';
import { handset } from './handset.js';
import { headquarters } from './headquarters.js';
import { init } from './init.js';
import { keys } from './keys.js';
import { line } from './line.js';
import { cut, release } from './orders.js';
import { person } from './person.js';
import { policy } from './policy.js';
import { quality } from './quality.js';
import { replay } from './replay.js';
import { restore } from './restore.js';
import { staff } from './staff.js';
import { statement } from './statement.js';
import { status } from './status.js';
import { fitted, widthOf } from './table.js';
import { tail } from './tail.js';
import { trunk } from './trunk.js';
import { why } from './why.js';

/** In the order in which a newcomer meets them. */
const COMMANDS: readonly Command[] = [
  init,
  check,
  doctor,
  explain,
  dnc,
  policy,
  replay,
  campaign,
  person,
  statement,
  quality,
  ha1,
  handset,
  status,
  calls,
  why,
  tail,
  cut,
  release,
  staff,
  trunk,
  line,
  board,
  audit,
  backup,
  restore,
  enrol,
  keys,
  headquarters,
  completionOf(() => COMMANDS),
];

const HELP = `balise: an in-cell call gateway

usage: balise <command> [options]
       balise <command> --help

commands
${COMMANDS.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`).join('\n')}

options
  -h, --help     this text
  -V, --version  the program's version

exit status
  0   done
  1   done, and the answer is no
  64  wrongly called
  69  no gateway answers, or the program is not installed
  70  a fault of the program
  78  the site's files are at fault; every fault is told on stderr

example
  balise check config/demo
`;

function version(): string {
  const { version } = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as { version: string };
  return version;
}

/** node:util's parseArgs throws plain errors with codes of this form for what the caller did wrong. */
function isUsage(fault: unknown): fault is Error {
  const code = (fault as NodeJS.ErrnoException).code;
  return (
    fault instanceof UsageFault ||
    fault instanceof EditFault ||
    (typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS'))
  );
}

/** Faults of headquarters' files, keys and database carry their exit status. */
function hasConfigExit(fault: unknown): fault is Error {
  return fault instanceof Error && (fault as { readonly exitCode?: unknown }).exitCode === EXIT.config;
}

/** Runs one command line, and gives its exit status. Nothing is thrown: what went wrong is told on stderr. */
export async function runCli(args: readonly string[], terminal: Terminal = process): Promise<ExitCode> {
  const [first, ...rest] = args;
  if (first === '--version' || first === '-V') {
    terminal.stdout.write(`${version()}\n`);
    return EXIT.ok;
  }
  const asked = first === 'help' ? rest[0] : first;
  const command = COMMANDS.find(({ name, aliases = [] }) => name === asked || aliases.includes(asked ?? ''));
  if (command === undefined) {
    const isHelp = asked === undefined || asked === '--help' || asked === '-h';
    if (isHelp && first !== undefined) {
      terminal.stdout.write(fitted(HELP, widthOf(terminal.stdout)));
      return EXIT.ok;
    }
    terminal.stderr.write(isHelp ? HELP : `balise: there is no command "${asked}"; see balise --help\n`);
    return EXIT.usage;
  }
  if (first === 'help' || rest.includes('--help') || rest.includes('-h')) {
    terminal.stdout.write(fitted(command.help, widthOf(terminal.stdout)));
    return EXIT.ok;
  }
  try {
    return await command.run(rest, terminal);
  } catch (fault) {
    if (fault instanceof ConfigFault) {
      terminal.stderr.write(formatFaults(fault));
      return EXIT.config;
    }
    if (fault instanceof StoreFault || hasConfigExit(fault)) {
      terminal.stderr.write(`balise ${command.name}: ${fault.message}\n`);
      return EXIT.config;
    }
    if (fault instanceof GatewayAway || fault instanceof GatewayRefusal) {
      terminal.stderr.write(`balise ${command.name}: ${fault.message}\n`);
      return fault instanceof GatewayAway ? EXIT.unavailable : EXIT.no;
    }
    if (isUsage(fault)) {
      terminal.stderr.write(`balise ${command.name}: ${fault.message}\nsee balise ${command.name} --help\n`);
      return EXIT.usage;
    }
    terminal.stderr.write(`balise ${command.name}: ${fault instanceof Error ? fault.stack : String(fault)}\n`);
    return EXIT.software;
  }
}
