import { parseArgs } from 'node:util';
import { type Command, EXIT, UsageFault } from './command.js';
import { GatewayClient, type LiveEvent, siteFolderOf } from './gateway-client.js';
import { minutesOf } from './table.js';

const HELP = `balise tail: what happens, as it happens

usage: balise tail [--handset <id>] [--only <kinds>] [--site <folder>] [--json]

  --handset  what happens to one handset
  --only     some kinds alone, with commas between: handset, ended, alarm, planes, boards, uplink
  --site     the site's folder; default $BALISE_SITE, or /etc/balise/site
  --json     each event as one line of JSON: {"name", "data"}

Goes on until Ctrl-C, or until the gateway stops.

example
  balise tail --only ended,alarm
`;

const KINDS = ['handset', 'ended', 'alarm', 'planes', 'boards', 'uplink'];

/** `balise tail` */
export const tail: Command = {
  name: 'tail',
  summary: 'what happens, as it happens',
  help: HELP,
  async run(args, { stdout, stderr }) {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({
      args: [...args],
      options: { site: text, handset: text, only: text, json: { type: 'boolean' } },
    });
    const kinds = values.only === undefined ? KINDS : values.only.split(',');
    const unknown = kinds.find((kind) => !KINDS.includes(kind));
    if (unknown !== undefined) throw new UsageFault(`--only: there is no kind "${unknown}"; ${KINDS.join(', ')}`);
    const gateway = await GatewayClient.of(siteFolderOf(values.site));
    for await (const event of gateway.events()) {
      if (event.name === 'view') stderr.write(`${event.data.site}/${event.data.gateway}: listening\n`);
      if (!kinds.includes(event.name)) continue;
      if (values.handset !== undefined && handsetOf(event) !== values.handset) continue;
      stdout.write(values.json === true ? `${JSON.stringify(event)}\n` : `${lineOf(event)}\n`);
    }
    stderr.write('the gateway has stopped\n');
    return EXIT.ok;
  },
};

function handsetOf(event: LiveEvent): string | undefined {
  return event.name === 'handset' || event.name === 'ended' ? event.data.handset : undefined;
}

function lineOf(event: LiveEvent): string {
  switch (event.name) {
    case 'handset': {
      const { handset, phase, hook, relay, registered, leftS, cut } = event.data;
      const left = leftS === undefined ? '' : `, ${minutesOf(leftS)} left`;
      const held = cut === undefined ? '' : `, cut: ${cut.reason}`;
      return `handset  ${handset} ${phase}${left}; hook ${hook}, relay ${relay}, ${registered ? '' : 'not '}registered${held}`;
    }
    case 'ended': {
      const { at, handset, cause, talkS, rule, fact, call } = event.data;
      const why = [rule, fact].filter((part) => part !== undefined).join(': ');
      return `ended    ${at.slice(11, 19)} ${handset} ${cause} after ${minutesOf(talkS)}  ${call}  ${why}`.trimEnd();
    }
    case 'alarm':
      return `ALARM    ${event.data.at.slice(11, 19)} ${event.data.code}: ${event.data.detail}`;
    case 'planes':
      return `planes   ${event.data.map(({ name, state }) => `${name} ${state}`).join(', ')}`;
    case 'boards':
      return `boards   ${event.data.map(({ board, state, detail }) => `${board} ${state}${detail === '' ? '' : ` (${detail})`}`).join(', ')}`;
    case 'uplink':
      return `uplink   ${event.data.connected ? 'connected' : 'not connected'}, ${event.data.waiting} events wait`;
    default:
      return `${event.name}`;
  }
}
