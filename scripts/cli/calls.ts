import { parseArgs } from 'node:util';
import { systemClock } from '../../gateway/clock/system-clock.js';
import type { CallsView } from '../../gateway/console/api/calls.js';
import type { HandsetView } from '../../gateway/console/api/handsets.js';
import type { SiteView } from '../../gateway/console/api/site.js';
import { type Command, EXIT, type ExitCode, type Terminal, UsageFault } from './command.js';
import { GatewayAway, GatewayClient, siteFolderOf } from './gateway-client.js';
import { minutesOf, tableOf, widthOf } from './table.js';

const HELP = `balise calls: the calls of now, and those that were

usage: balise calls [--site <folder>] [--json]
       balise calls --history [--handset <id>] [--outcome <what>] [--from <instant>] [--to <instant>]
                    [--limit <n>] [--site <folder>] [--json]

  Without --history: a table of the calls that are up. At a terminal it is drawn anew with each change, until Ctrl-C;
  elsewhere, and with --json, it is written once.

  --history  those that ended, newest first
  --handset  of one handset
  --outcome  answered, unanswered, refused, or a cause as it is in the record, e.g. deadline, cutoff
  --from     ended at or after: 2026-03-04T12:00:00Z
  --to       ended before
  --limit    how many at the most, 50 unless told otherwise
  --site     the site's folder; default $BALISE_SITE, or /etc/balise/site

Exit status 69 when no gateway runs, or when it goes away.

example
  balise calls --history --outcome refused --limit 20
`;

const PAGE = 200;
/** From the top left corner, and nothing below (ECMA-48 CUP, ED). */
const ANEW = '\u001b[H\u001b[J';

/** `balise calls` */
export const calls: Command = {
  name: 'calls',
  summary: 'the calls of now as a live table, and those that were',
  help: HELP,
  async run(args, terminal) {
    const text = { type: 'string' } as const;
    const filters = { handset: text, outcome: text, from: text, to: text, limit: text };
    const options = { site: text, json: { type: 'boolean' }, history: { type: 'boolean' }, ...filters } as const;
    const { values } = parseArgs({ args: [...args], options });
    const { site, json = false, history = false, ...asked } = values;
    if (!history && Object.keys(asked).length > 0) throw new UsageFault('filters are for --history');
    const gateway = await GatewayClient.of(siteFolderOf(site));
    if (history) return past(gateway, asked, json, terminal);
    const isTTY = (terminal.stdout as { isTTY?: boolean }).isTTY === true;
    if (!isTTY || json) {
      const view = await gateway.ask<SiteView>('GET', '/api/view');
      const up = view.handsets.filter(isUp);
      terminal.stdout.write(json ? `${JSON.stringify({ calls: up }, null, 2)}\n` : drawn(up, Date.parse(view.at)));
      return EXIT.ok;
    }
    return live(gateway, terminal);
  },
};

const isUp = ({ phase }: HandsetView): boolean => phase !== 'idle' && phase !== 'ended';

async function past(
  gateway: GatewayClient,
  { limit = '50', ...asked }: Readonly<Record<string, string | undefined>>,
  asJson: boolean,
  { stdout }: Terminal,
): Promise<ExitCode> {
  const most = Number(limit);
  if (!Number.isInteger(most) || most < 1) throw new UsageFault(`--limit: expected a whole number, found ${limit}`);
  const filters = Object.entries(asked).filter((one): one is [string, string] => one[1] !== undefined);
  const found: CallsView['calls'][number][] = [];
  let before: string | undefined;
  do {
    const page = Math.min(PAGE, most - found.length);
    const query = new URLSearchParams([
      ...filters,
      ['limit', String(page)],
      ...(before === undefined ? [] : [['before', before]]),
    ] as [string, string][]);
    const answer = await gateway.ask<CallsView>('GET', `/api/calls?${query}`);
    found.push(...answer.calls);
    before = answer.before;
  } while (before !== undefined && found.length < most);
  if (asJson) stdout.write(`${JSON.stringify({ calls: found }, null, 2)}\n`);
  else if (found.length === 0) stdout.write('no such call\n');
  else {
    const rows = found.map(({ at, handset, cause, talkS, rule = '', fact = '', call }) => [
      at.slice(0, 19),
      handset,
      cause,
      minutesOf(talkS),
      call,
      [rule, fact].filter((part) => part !== '').join(': '),
    ]);
    const heads = ['ended (UTC)', 'handset', 'cause', 'talk', 'call', 'why'];
    stdout.write(tableOf([heads, ...rows], widthOf(stdout)));
  }
  return EXIT.ok;
}

async function live(gateway: GatewayClient, { stdout }: Terminal): Promise<ExitCode> {
  const clock = systemClock(() => ({ trusted: true }));
  const handsets = new Map<string, HandsetView>();
  let head = '';
  const draw = (): void => {
    const now = clock.wall().epochMilliseconds;
    stdout.write(`${ANEW}${head}${drawn([...handsets.values()].filter(isUp), now)}\nCtrl-C ends\n`);
  };
  let timer = clock.after(0, () => undefined);
  const tick = (): void => {
    draw();
    timer = clock.after(1_000, tick);
  };
  try {
    for await (const { name, data } of gateway.events()) {
      if (name === 'view') {
        head = `${data.site}/${data.gateway}  ${data.clock}\n\n`;
        for (const view of data.handsets) handsets.set(view.handset, view);
        timer.cancel();
        tick();
      } else if (name === 'handset') {
        handsets.set(data.handset, data);
        draw();
      }
    }
  } finally {
    timer.cancel();
  }
  throw new GatewayAway('the gateway went away');
}

/** The calls that are up, with the talk that is left at `nowMs`. */
function drawn(up: readonly HandsetView[], nowMs: number): string {
  if (up.length === 0) return 'no call is up\n';
  const left = ({ until }: HandsetView): string =>
    until === undefined ? '' : minutesOf(Math.max(0, Math.floor((Date.parse(until) - nowMs) / 1_000)));
  const rows = up.map((view) => [view.handset, view.wing, view.phase, left(view), view.hook, view.call ?? '']);
  return tableOf([['handset', 'wing', 'phase', 'left', 'hook', 'call'], ...rows]);
}
