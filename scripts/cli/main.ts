import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigFault, formatFaults } from '../../gateway/config/fault.js';
import { projectRoot } from '../../gateway/config/paths.js';
import { EditFault } from '../../gateway/editing/edit-fault.js';
import { StoreFault } from '../../gateway/store/fault.js';
import { type Command, EXIT, type ExitCode, type Terminal, UsageFault } from './command.js';
import { GatewayAway, GatewayRefusal } from './gateway-client.js';
import { fitted, widthOf } from './table.js';

/** In the order in which a newcomer meets them. Each is loaded when it is called: it waits for no other's libraries. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  init: async () => (await import('./init.js')).init,
  check: async () => (await import('./check.js')).check,
  doctor: async () => (await import('./doctor.js')).doctor,
  explain: async () => (await import('./explain.js')).explain,
  dnc: async () => (await import('./dnc.js')).dnc,
  policy: async () => (await import('./policy.js')).policy,
  replay: async () => (await import('./replay.js')).replay,
  campaign: async () => (await import('./campaign.js')).campaign,
  person: async () => (await import('./person.js')).person,
  statement: async () => (await import('./statement.js')).statement,
  quality: async () => (await import('./quality.js')).quality,
  ha1: async () => (await import('./ha1.js')).ha1,
  handset: async () => (await import('./handset.js')).handset,
  status: async () => (await import('./status.js')).status,
  calls: async () => (await import('./calls.js')).calls,
  why: async () => (await import('./why.js')).why,
  tail: async () => (await import('./tail.js')).tail,
  cut: async () => (await import('./orders.js')).cut,
  release: async () => (await import('./orders.js')).release,
  staff: async () => (await import('./staff.js')).staff,
  trunk: async () => (await import('./trunk.js')).trunk,
  line: async () => (await import('./line.js')).line,
  board: async () => (await import('./board.js')).board,
  audit: async () => (await import('./audit.js')).audit,
  backup: async () => (await import('./backup.js')).backup,
  restore: async () => (await import('./restore.js')).restore,
  enrol: async () => (await import('./enrol.js')).enrol,
  keys: async () => (await import('./keys.js')).keys,
  headquarters: async () => (await import('./headquarters.js')).headquarters,
  completion: async () => (await import('./completion.js')).completionOf(everyCommand),
};
/** Other names, each with the command that goes by it as well. */
const ALIASES: Readonly<Record<string, string>> = { people: 'staff' };

/** Every command, in the order of the help. */
export function everyCommand(): Promise<readonly Command[]> {
  return Promise.all(Object.values(COMMANDS).map((load) => load()));
}

const help = (commands: readonly Command[]): string => `balise: an in-cell call gateway

usage: balise <command> [options]
       balise <command> --help

commands
${commands.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`).join('\n')}

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

/** The command that goes by a name; undefined when none does. */
async function commandOf(name: string): Promise<Command | undefined> {
  const own = Object.hasOwn(ALIASES, name) ? (ALIASES[name] ?? name) : name;
  return Object.hasOwn(COMMANDS, own) ? COMMANDS[own]?.() : undefined;
}

/** Runs one command line, and gives its exit status. Nothing is thrown: what went wrong is told on stderr. */
export async function runCli(args: readonly string[], terminal: Terminal = process): Promise<ExitCode> {
  const [first, ...rest] = args;
  if (first === '--version' || first === '-V') {
    terminal.stdout.write(`${version()}\n`);
    return EXIT.ok;
  }
  const asked = first === 'help' ? rest[0] : first;
  const command = await commandOf(asked ?? '');
  if (command === undefined) {
    const isHelp = asked === undefined || asked === '--help' || asked === '-h';
    if (isHelp && first !== undefined) {
      terminal.stdout.write(fitted(help(await everyCommand()), widthOf(terminal.stdout)));
      return EXIT.ok;
    }
    terminal.stderr.write(
      isHelp ? help(await everyCommand()) : `balise: there is no command "${asked}"; see balise --help\n`,
    );
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
