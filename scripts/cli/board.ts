import { parseArgs } from 'node:util';
import { agentClock } from '../../device-agents/clock.js';
import { Inquiry } from '../../device-agents/modbus-line/inquiry.js';
import { type Found, scanLine } from '../../device-agents/modbus-line/scan.js';
import { portOf, readTransport, type Transport } from '../../device-agents/transport.js';
import { openWire } from '../../device-agents/wire.js';
import { freshSecret, hashedSecret } from '../../gateway/bus/identities.js';
import { loadSite } from '../../gateway/config/site.js';
import { withBoards } from '../../gateway/editing/board-edit.js';
import { editBoards } from '../../gateway/editing/site-edit.js';
import { boardKinds, planAgents } from '../../gateway/lines/agent-plan.js';
import { type Command, EXIT, type ExitCode, needed, type Terminal, UsageFault } from './command.js';
import { told } from './edit-report.js';
import { siteAnd } from './site-option.js';
import { fitted, widthOf } from './table.js';

const HELP = `balise board: finds relay boards on a port, adds them to the site, and writes an agent's configuration

usage: balise board scan (--port <device file> | --tcp <host:port>) [--baud <n>] [--parity <p>]
                         [--stop-bits <n>] [--units <from-to>] [--json]
       balise board add <board> --device <kind> (--port <device file> | --tcp <host:port>) [--unit <n>]
                        [--baud <n>] [--parity <p>] [--stop-bits <n>] [--agent <name>] [--no-watchdog] [--site <folder>]
       balise board agent <agent> [--site <folder>]

scan asks every unit id whether a board answers, and names the kinds of config/devices/ that it could
be, the likeliest first. It reads and never writes. No agent may have the port meanwhile. Exit status 1
when no board answers.

  --port       the serial port, e.g. /dev/serial/by-id/usb-…
  --tcp        a serial device server instead, RTU over TCP
  --baud       its speed, 9600 unless told otherwise; --parity none, even or odd; --stop-bits 1 or 2
  --units      the unit ids to ask, 1-247 unless told otherwise; a silent one takes 0.3 s
  --json       the same as JSON on stdout

add writes a board into boards.json: the whole site is checked first, the version before is kept in the data folder's
history/. A running gateway takes it at once, and no call ends, where its agent is a new one; a board that joins others
on their port waits for a restart, and it says so.

  --device     its kind, as scan names it: a file of config/devices/ without .json
  --unit       its unit id, 1 unless told otherwise
  --agent      the agent that drives it; left out: the one that has its port, or a new one
  --no-watchdog  take a board that has no watchdog of its own; it shows amber everywhere

agent is for an agent that the gateway does not start: it makes a new secret and prints the agent's
configuration, secret included, on stdout; and on stderr what belongs into "bus" of site.json, with the
secret's hash alone.

  <agent>      the agent's name in boards.json
  --site       the site's folder; default $BALISE_SITE, or /etc/balise/site. It may also stand before the agent

Exit status 0; 1 when no board answers, or the running gateway did not take it; 64 wrongly called; 78 the site would be
at fault.

example
  balise board scan --port /dev/ttyUSB0 --baud 115200 --units 1-16
  balise board add b2 --device generic-8r8i --tcp 10.0.0.7:4001 --unit 3
  balise board agent modbus-1 > modbus-1.json
`;

/** `balise board scan|add|agent` */
export const board: Command = {
  name: 'board',
  summary: 'finds relay boards on a port, adds them; writes an agent’s configuration',
  help: HELP,
  async run([verb, ...args], terminal) {
    switch (verb) {
      case 'scan':
        return scan(args, terminal);
      case 'add':
        return add(args, terminal);
      case 'agent':
        return agent(args, terminal);
      default:
        throw new UsageFault(`${verb === undefined ? '' : `there is no "board ${verb}"; `}scan, add or agent?`);
    }
  },
};

const TEXT = { type: 'string' } as const;
/** Where boards are. */
const PLACE = { port: TEXT, tcp: TEXT, baud: TEXT, parity: TEXT, 'stop-bits': TEXT } as const;

async function scan(args: readonly string[], { stdout, stderr }: Terminal): Promise<ExitCode> {
  const options = { ...PLACE, units: { ...TEXT, default: '1-247' }, json: { type: 'boolean' } } as const;
  const { values } = parseArgs({ args: [...args], options });
  const transport = transportOf(values);
  const units = unitsOf(values.units);
  const wire = await openWire(transport).catch((fault: Error) => fault);
  if (wire instanceof Error) {
    stderr.write(
      `${portOf(transport)} cannot be opened: ${wire.message}; see the path and its rights, and whether an agent has it\n`,
    );
    return EXIT.no;
  }
  try {
    const found = await scanLine(new Inquiry(wire, agentClock()), units, boardKinds(), {
      asking: (unit) => {
        if (values.json !== true && unit % 16 === 0) stderr.write(`unit ${unit} …\n`);
      },
    });
    stdout.write(
      values.json === true
        ? `${JSON.stringify({ boards: found }, null, 2)}\n`
        : fitted(found.map(sentenceOf).join(''), widthOf(stdout)),
    );
    if (found.length === 0 && values.json !== true) {
      stderr.write(`no board answers on ${portOf(transport)}: see the wiring, the speed and the parity\n`);
    }
    return found.length === 0 ? EXIT.no : EXIT.ok;
  } catch (fault) {
    stderr.write(`${portOf(transport)}: ${(fault as Error).message}\n`);
    return EXIT.no;
  } finally {
    wire.close();
  }
}

function sentenceOf({ unit, tookMs, matches }: Found): string {
  const head = `unit ${unit}: answers in ${tookMs.toFixed(1)} ms`;
  const [best, ...others] = matches;
  if (best === undefined) return `${head}; none of the kinds on file: describe it in config/devices/\n`;
  const how = best.isCertain ? 'it is' : best.isExact ? 'fits exactly' : 'fits';
  const also = others.length === 0 ? '' : `; also ${others.map(({ kind }) => kind).join(', ')}`;
  return `${head}; ${how} ${best.kind} (${best.facts.join(', ')})${also}\n`;
}

function transportOf(
  values: Readonly<Partial<Record<'port' | 'tcp' | 'baud' | 'parity' | 'stop-bits', string>>>,
): Transport {
  const { port, tcp, baud = '9600', parity = 'none', 'stop-bits': stopBits = '1' } = values;
  if ((port === undefined) === (tcp === undefined))
    throw new UsageFault('either --port or --tcp says where the boards are');
  try {
    if (tcp !== undefined) {
      const [, host, at] = /^(.+):([0-9]+)$/.exec(tcp) ?? [];
      if (host === undefined) throw new UsageFault(`--tcp: expected host:port, found ${tcp}`);
      return readTransport({ kind: 'rtu-over-tcp', host, port: Number(at) });
    }
    return readTransport({ kind: 'serial', path: port, baud: Number(baud), parity, stopBits: Number(stopBits) });
  } catch (fault) {
    // The reader names the place in a configuration; on a command line it is an option.
    throw fault instanceof UsageFault ? fault : new UsageFault((fault as Error).message.replace('/transport/', '--'));
  }
}

function unitsOf(text: string): readonly number[] {
  const [, from, to = from] = /^([0-9]+)(?:-([0-9]+))?$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (from === undefined || first < 1 || last > 247 || first > last) {
    throw new UsageFault(`--units: expected e.g. 1-16, from 1 to 247, found ${text}`);
  }
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

async function add(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const options = {
    ...PLACE,
    device: TEXT,
    unit: TEXT,
    agent: TEXT,
    site: TEXT,
    'no-watchdog': { type: 'boolean' },
  } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const { folder, rest } = siteAnd(values.site, positionals, 1);
  const [id, ...more] = rest;
  if (more.length > 0) throw new UsageFault('one board at a time');
  const { device, unit, agent: name } = values;
  if (unit !== undefined && !/^[0-9]{1,3}$/.test(unit))
    throw new UsageFault(`--unit: expected a number, found ${unit}`);
  const wanted = {
    id: needed(id, '<board>'),
    device: needed(device, '--device'),
    ...(unit !== undefined && { unit: Number(unit) }),
    ...(name !== undefined && { agent: name }),
    transport: transportOf(values),
    ...(values['no-watchdog'] === true && { allowNoWatchdog: true }),
  };
  const hand = { command: `board add ${wanted.id}` };
  const outcome = await editBoards(folder, hand, (boards) => withBoards(boards, [wanted]));
  const added = outcome.site.boards.find((one) => one.id === wanted.id);
  terminal.stdout.write(`${wanted.id}: added, ${wanted.device}, driven by the agent ${added?.agent}\n`);
  return told(outcome, terminal);
}

async function agent(args: readonly string[], { stdout, stderr }: Terminal): Promise<ExitCode> {
  const { values, positionals } = parseArgs({ args: [...args], options: { site: TEXT }, allowPositionals: true });
  const { folder, rest } = siteAnd(values.site, positionals, 1);
  const [name, ...more] = rest;
  if (more.length > 0) throw new UsageFault('one agent at a time');
  const site = await loadSite(folder);
  const plans = planAgents(site.boards, site.handsets);
  const plan = plans.find((one) => one.agent === needed(name, '<agent>'));
  if (plan === undefined) {
    const names = plans.map((one) => one.agent).join(', ') || 'none';
    throw new UsageFault(`boards.json names no agent "${name}"; it names ${names}`);
  }
  const secret = freshSecret();
  const { address, port, tls } = site.site.bus;
  const config = plan.config({ address, port, secret, ...(tls === undefined ? {} : { ca: tls.ca }) });
  stdout.write(`${JSON.stringify(config, null, 2)}\n`);
  const entry = { name: plan.agent, secretHash: hashedSecret(secret) };
  stderr.write(`into "bus" of site.json:  "agents": [${JSON.stringify(entry)}]\n`);
  stderr.write(`then start:  node dist/${plan.program} --config <that file, readable by its user alone>\n`);
  return EXIT.ok;
}
