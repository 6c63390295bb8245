import { parseArgs } from 'node:util';
import { agentClock } from '../../device-agents/clock.js';
import { Inquiry } from '../../device-agents/modbus-line/inquiry.js';
import { type Found, scanLine } from '../../device-agents/modbus-line/scan.js';
import { portOf, readTransport, type Transport } from '../../device-agents/transport.js';
import { openWire } from '../../device-agents/wire.js';
import { freshSecret, hashedSecret } from '../../gateway/bus/identities.js';
import { loadSite } from '../../gateway/config/site.js';
import { boardKinds, planAgents } from '../../gateway/lines/agent-plan.js';
import { type Command, EXIT, type ExitCode, needed, type Terminal, UsageFault } from './command.js';

const HELP = `balise board: finds relay boards on a port, and writes the configuration of an agent

usage: balise board scan (--port <device file> | --tcp <host:port>) [--baud <n>] [--parity <p>]
                         [--stop-bits <n>] [--units <from-to>] [--json]
       balise board agent <folder> <agent>

scan asks every unit id whether a board answers, and names the kinds of config/devices/ that it could
be, the likeliest first. It reads and never writes. No agent may have the port meanwhile. Exit status 1
when no board answers.

  --port       the serial port, e.g. /dev/serial/by-id/usb-…
  --tcp        a serial device server instead, RTU over TCP
  --baud       its speed, 9600 unless told otherwise; --parity none, even or odd; --stop-bits 1 or 2
  --units      the unit ids to ask, 1-247 unless told otherwise; a silent one takes 0.3 s
  --json       the same as JSON on stdout

agent is for an agent that the gateway does not start: it makes a new secret and prints the agent's
configuration, secret included, on stdout; and on stderr what belongs into "bus" of site.json, with the
secret's hash alone.

  <folder>     the site's folder
  <agent>      the agent's name in boards.json

examples
  balise board scan --port /dev/ttyUSB0 --baud 115200 --units 1-16
  balise board agent /etc/balise modbus-1 > modbus-1.json

example
  balise board scan --tcp 10.0.0.7:4001
`;

/** `balise board scan|agent` */
export const board: Command = {
  name: 'board',
  summary: 'finds relay boards on a port; writes an agent’s configuration',
  help: HELP,
  async run([verb, ...args], terminal) {
    switch (verb) {
      case 'scan':
        return scan(args, terminal);
      case 'agent':
        return agent(args, terminal);
      default:
        throw new UsageFault(verb === undefined ? 'scan, or agent?' : `there is no "board ${verb}"; scan, or agent?`);
    }
  },
};

async function scan(args: readonly string[], { stdout, stderr }: Terminal): Promise<ExitCode> {
  const text = { type: 'string' } as const;
  const options = {
    port: text,
    tcp: text,
    baud: text,
    parity: text,
    'stop-bits': text,
    units: { ...text, default: '1-247' },
    json: { type: 'boolean' },
  } as const;
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
      values.json === true ? `${JSON.stringify({ boards: found }, null, 2)}\n` : found.map(sentenceOf).join(''),
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

async function agent(args: readonly string[], { stdout, stderr }: Terminal): Promise<ExitCode> {
  const { positionals } = parseArgs({ args: [...args], options: {}, allowPositionals: true });
  const [folder, name] = positionals;
  const site = await loadSite(needed(folder, '<folder>'));
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
