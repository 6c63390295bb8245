/** The installer's command line; `scripts/install` runs it. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigFault, formatFaults } from '../../gateway/config/fault.js';
import { projectRoot } from '../../gateway/config/paths.js';
import { EXIT, type ExitCode, type Terminal, UsageFault } from '../cli/command.js';
import { InstallFault } from './fault.js';
import { goBack, install } from './install.js';
import { Machine } from './machine.js';
import { RUNTIME } from './runtime.js';
import { uninstall } from './uninstall.js';

const HELP = `scripts/install: puts Balise on a Debian machine

usage: scripts/install [--site <folder>]           installs, or upgrades what is there
       scripts/install --back                      goes back to the version before the last upgrade
       scripts/install --uninstall [--purge]       takes the program away; --purge: site, data and users too

What it puts where:
  /opt/balise/<version>      the program with its packages and its own Node ${RUNTIME}; \`current\` points at the one in use
  /etc/balise/site           the site's files, which root changes and the gateway's group reads
  /etc/balise/agents         configurations of device agents that systemd starts
  /var/lib/balise            the gateway's data; copies of the store in backups/
  /run/balise                its sockets
  /usr/local/bin/balise      the command
  and units for systemd, users, a rule for serial adapters, limits for the journal, an example of a firewall

An upgrade keeps site and data. Where the new version has the store otherwise, the store is copied first and then brought
forward; whatever fails before the switch leaves everything as it was. It may be run as often as one likes.

options
  --site <folder>    copies a site's folder to /etc/balise/site, where there is none yet
  --root <folder>    a folder that stands for /: nothing outside it is touched, and what would be told to systemd and to the
                     kernel is said and not done
  --dry-run          says what it would do, and does nothing
  --runtime machine  takes the Node that runs the installer and the packages that lie in the source; needs no npm registry
  -h, --help         this text

An installed folder /opt/balise/<version> is whole: copied to a machine without a network, its scripts/install installs it.

exit status
  0   done
  1   not done: the machine is not as it must be; the reason is on stderr
  64  wrongly called
  69  something that is needed cannot be had: the npm registry, a compiler, a command
  70  a fault of the program
  78  the site's files are at fault

example
  sudo scripts/install --site ~/site-wing-c
`;

interface Asked {
  readonly machine: Machine;
  readonly site: string | undefined;
  readonly isBack: boolean;
  readonly isUninstall: boolean;
  readonly purge: boolean;
  readonly runtime: string | undefined;
}

function read(args: readonly string[], terminal: Pick<Terminal, 'stdout'>): Asked | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      root: { type: 'string' },
      site: { type: 'string' },
      runtime: { type: 'string' },
      'dry-run': { type: 'boolean' },
      back: { type: 'boolean' },
      uninstall: { type: 'boolean' },
      purge: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) return undefined;
  const { back: isBack = false, uninstall: isUninstall = false, purge = false, site, runtime } = values;
  if (isBack && isUninstall) throw new UsageFault('--back, or --uninstall?');
  if ((isBack || isUninstall) && site !== undefined) throw new UsageFault('--site is for an installation');
  if (purge && !isUninstall) throw new UsageFault('--purge is for --uninstall');
  if (runtime !== undefined && runtime !== 'machine') throw new UsageFault('--runtime machine, or leave it out');
  const machine = new Machine({
    ...(values.root === undefined ? {} : { root: resolve(values.root) }),
    isDry: values['dry-run'] === true,
    say: (line) => terminal.stdout.write(`balise: ${line}\n`),
  });
  return { machine, site: site === undefined ? undefined : resolve(site), isBack, isUninstall, purge, runtime };
}

/** The machine itself must be one that units and users can be put on. */
function checkMachine({ isLive, isDry }: Machine): void {
  if (process.platform !== 'linux') throw new InstallFault('only Linux is installed on', EXIT.unavailable);
  if (!isLive || isDry) return;
  if (process.getuid?.() !== 0)
    throw new InstallFault('only root installs on the machine: sudo, or --root <folder>', EXIT.no);
  if (!existsSync('/run/systemd/system'))
    throw new InstallFault('systemd does not run this machine; a container, perhaps: see --root', EXIT.unavailable);
  const text = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  if (!/^ID(_LIKE)?=.*debian/m.test(text))
    throw new InstallFault('this is no Debian: its units and users may be elsewhere; see --root', EXIT.no);
}

/** Runs the installer, and gives its exit status. Nothing is thrown: what went wrong is told on stderr. */
export async function runInstaller(
  args: readonly string[],
  terminal: Pick<Terminal, 'stdout' | 'stderr'> = process,
): Promise<ExitCode> {
  try {
    const asked = read(args, terminal);
    if (asked === undefined) {
      terminal.stdout.write(HELP);
      return EXIT.ok;
    }
    const { machine, site, runtime } = asked;
    checkMachine(machine);
    if (asked.isBack) await goBack(machine);
    else if (asked.isUninstall) uninstall(machine, asked.purge);
    else {
      const choice = runtime === 'machine' ? 'machine' : 'brought';
      await install(machine, { source: projectRoot(), runtime: choice, ...(site === undefined ? {} : { site }) });
    }
    return EXIT.ok;
  } catch (fault) {
    return told(fault, terminal);
  }
}

function told(fault: unknown, { stderr }: Pick<Terminal, 'stderr'>): ExitCode {
  if (fault instanceof ConfigFault) {
    stderr.write(formatFaults(fault));
    return EXIT.config;
  }
  if (fault instanceof InstallFault) {
    stderr.write(`balise: ${fault.message}\n`);
    return fault.exitCode;
  }
  const { code, message, stack } = fault as NodeJS.ErrnoException;
  if (fault instanceof UsageFault || `${code}`.startsWith('ERR_PARSE_ARGS')) {
    stderr.write(`balise: ${message}\nsee scripts/install --help\n`);
    return EXIT.usage;
  }
  // The system's own refusals (no room, a read-only disk) name the path; the stack says nothing more.
  const isSystem = fault instanceof Error && typeof code === 'string' && 'syscall' in fault;
  stderr.write(`balise: ${isSystem ? message : (stack ?? String(fault))}\n`);
  return isSystem ? EXIT.no : EXIT.software;
}
