import { parseArgs } from 'node:util';
import type { CallView } from '../../gateway/console/api/calls.js';
import { type Command, EXIT, UsageFault } from './command.js';
import { GatewayClient, siteFolderOf } from './gateway-client.js';
import { fitted, widthOf } from './table.js';

const HELP = `balise why: why a call was refused, or ended as it did

usage: balise why <call id> [--site <folder>] [--json]

  <call id>  as balise calls --history and the log have it
  --site     the site's folder; default $BALISE_SITE, or /etc/balise/site
  --json     all that is known of the call, as JSON on stdout

Every rule is told for as long as the refusal itself is on record (62 days), also after a restart.

example
  balise why 019b0e3c-7d2f-7a11-9c55-0242ac120002
`;

/** `balise why` */
export const why: Command = {
  name: 'why',
  summary: 'why a call was refused, or ended as it did',
  help: HELP,
  async run(args, { stdout }) {
    const options = { site: { type: 'string' }, json: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [call, ...more] = positionals;
    if (call === undefined) throw new UsageFault('which call? balise calls --history lists them');
    if (more.length > 0) throw new UsageFault('one call at a time');
    const gateway = await GatewayClient.of(siteFolderOf(values.site));
    const view = await gateway.ask<CallView>('GET', `/api/calls/${encodeURIComponent(call)}`);
    stdout.write(values.json === true ? `${JSON.stringify(view, null, 2)}\n` : fitted(textOf(view), widthOf(stdout)));
    return EXIT.ok;
  },
};

function textOf(view: CallView): string {
  const { granted, cutBy, quality } = view;
  const mos = quality?.trunk?.mos;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['call', view.call],
    ['handset', view.wing === undefined ? view.handset : `${view.handset} (wing ${view.wing})`],
    ['asked for', view.requestedAt],
    ['answered', view.answeredAt],
    ['ended', view.endedAt ?? `not yet: ${view.state}`],
    ['because', view.cause],
    ['rule', view.rule],
    ['fact', view.fact],
    ['would pass', view.nextAllowed ?? (view.rule === undefined ? undefined : 'waiting does not help')],
    [
      'granted',
      granted && `until ${granted.notAfter} (${granted.notAfterBy}), ${granted.maxTalkS} s (${granted.maxTalkBy})`,
    ],
    ['talk', view.talkS === undefined ? undefined : `${view.talkS} s`],
    ['cut by', cutBy && `${cutBy.by}: ${cutBy.reason}`],
    ['heard as', mos === undefined ? undefined : `${mos.toFixed(1)} of 4.5`],
  ];
  const lines = rows.flatMap(([what, said]) => (said === undefined ? [] : [`${what.padEnd(11)} ${said}`]));
  const rules = (view.why ?? []).map(({ rule, verdict, words }) =>
    `  ${verdict === 'passes' ? ' ' : '✗'} ${rule.padEnd(22)} ${words.join('; ')}`.trimEnd(),
  );
  const steps = (view.steps ?? []).map(
    ({ atMs, what, state }) => `  ${String(atMs).padStart(7)} ms  ${what} → ${state}`,
  );
  const part = (head: string, of: readonly string[]) => (of.length === 0 ? [] : [head, ...of]);
  return `${[...lines, ...part('rules', rules), ...part('steps', steps)].join('\n')}\n`;
}
