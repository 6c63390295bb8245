import { parseArgs } from 'node:util';
import type { StatusView } from '../../gateway/console/api/site.js';
import { type Command, EXIT } from './command.js';
import { GatewayClient, siteFolderOf } from './gateway-client.js';
import { fitted, widthOf } from './table.js';

const HELP = `balise status: how the gateway that runs here is

usage: balise status [--site <folder>] [--json]

  --site  the site's folder; default $BALISE_SITE, or /etc/balise/site
  --json  the same as JSON on stdout

Exit status 0 when nothing stands against calls, 1 when something does, 69 when no gateway runs.

example
  balise status --site /etc/balise/site
`;

/** `balise status` */
export const status: Command = {
  name: 'status',
  summary: 'how the gateway that runs here is, and what stands against calls',
  help: HELP,
  async run(args, { stdout }) {
    const options = { site: { type: 'string' }, json: { type: 'boolean' } } as const;
    const { values } = parseArgs({ args: [...args], options });
    const gateway = await GatewayClient.of(siteFolderOf(values.site));
    const view = await gateway.ask<StatusView>('GET', '/api/status');
    stdout.write(values.json === true ? `${JSON.stringify(view, null, 2)}\n` : fitted(textOf(view), widthOf(stdout)));
    return view.troubles.length === 0 ? EXIT.ok : EXIT.no;
  },
};

const mebibytes = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MiB`;

function workText({ work: { signedOn, doing } }: StatusView): string {
  const each = Object.entries(doing).map(([activity, people]) => `${people} ${activity}`);
  return [`${signedOn} signed on`, ...each].join(', ');
}

function textOf(view: StatusView): string {
  const { handsets, boards, uplink, disk, policy, planes, clock } = view;
  const way = !uplink.configured ? 'none' : uplink.connected ? 'connected' : 'NOT connected';
  const version = policy.version === undefined ? '' : ` version ${policy.version}`;
  const rows: readonly (readonly [string, string])[] = [
    ['site', `${view.site}/${view.gateway}, balise ${view.version}, since ${view.startedAt}`],
    ['clock', clock.trusted ? 'trusted' : `NOT trusted: ${clock.why ?? ''}`],
    ['planes', planes.map(({ name, state }) => `${name} ${state}`).join(', ')],
    ['calls', String(view.calls)],
    ['handsets', `${handsets.all}, ${handsets.registered} registered, ${handsets.offHook} off hook`],
    ['work', workText(view)],
    ['boards', `${boards.all}, ${boards.up} well`],
    ['policy', `${policy.source}${version}, ${policy.state}`],
    ['uplink', `${way}, ${uplink.waiting} events wait`],
    ['disk', `${mebibytes(disk.usedBytes)} of ${mebibytes(disk.limitBytes)} used, ${mebibytes(disk.freeBytes)} free`],
  ];
  const lines = rows.map(([what, said]) => `${what.padEnd(9)} ${said}`);
  return `${[...lines, ...view.troubles.map((trouble) => `TROUBLE   ${trouble}`)].join('\n')}\n`;
}
