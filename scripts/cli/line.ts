import { parseArgs } from 'node:util';
import type { LineTestView } from '../../gateway/console/api/line-tests.js';
import type { CutView } from '../../gateway/console/api/orders.js';
import type { SiteView } from '../../gateway/console/api/site.js';
import { type Command, EXIT, type ExitCode, needed, type Terminal, UsageFault } from './command.js';
import { GatewayClient } from './gateway-client.js';
import { siteAnd } from './site-option.js';
import { tableOf } from './table.js';

const HELP = `balise line: the wires of a running site

usage: balise line list [--site <folder>] [--json]
       balise line test <handset> [--site <folder>]
       balise line cut <handset> --reason <text> [--hold <seconds>] [--site <folder>]
       balise line release <handset> [--site <folder>]

list     every handset with its wing, its hook, its relay and what it does
test     opens the relay of an idle line, gives it back, and tells what the board read back of both
cut      ends the handset's call now, opens its relay, and refuses it for as long as --hold says
release  lifts what was ordered of this handset; its relay then follows policy again

  --site     the site's folder; default $BALISE_SITE, or /etc/balise/site. It may also stand before the handset;
             the gateway must run on this machine
  --reason   why, for the audit
  --hold     seconds, 10 unless told otherwise, 86400 at most
  --json     list as JSON on stdout

Exit status 1 when the line is not well, a cut was not confirmed, or the gateway refuses; 69 when no gateway answers.

example
  balise line test a-101
`;

/** `balise line list|test|cut|release` */
export const line: Command = {
  name: 'line',
  summary: 'shows, tests, cuts and releases the wires of a running site',
  help: HELP,
  async run(args, terminal) {
    const text = { type: 'string' } as const;
    const options = { json: { type: 'boolean' }, reason: text, hold: text, site: text } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [verb, ...words] = positionals;
    if (verb === undefined) throw new UsageFault('list, test, cut or release?');
    if (!['list', 'test', 'cut', 'release'].includes(verb)) {
      throw new UsageFault(`there is no "line ${verb}"; list, test, cut or release?`);
    }
    const most = verb === 'list' ? 0 : 1;
    const { folder, rest } = siteAnd(values.site, words, most);
    const [handset] = rest;
    if (rest.length > most) throw new UsageFault(most === 0 ? 'list takes no handset' : 'one handset at a time');
    const gateway = await GatewayClient.of(folder);
    switch (verb) {
      case 'list':
        return list(gateway, values.json === true, terminal);
      case 'test':
        return test(gateway, needed(handset, '<handset>'), terminal);
      case 'cut': {
        const reason = needed(values.reason, '--reason');
        return cut(gateway, needed(handset, '<handset>'), reason, values.hold, terminal);
      }
      default:
        return release(gateway, needed(handset, '<handset>'), terminal);
    }
  },
};

async function list(gateway: GatewayClient, asJson: boolean, { stdout }: Terminal): Promise<ExitCode> {
  const view = await gateway.ask<SiteView>('GET', '/api/view');
  const lines = view.handsets.map(({ handset, wing, hook, relay, phase }) => ({ handset, wing, hook, relay, phase }));
  if (asJson) {
    stdout.write(`${JSON.stringify({ lines }, null, 2)}\n`);
    return EXIT.ok;
  }
  const rows = [['handset', 'wing', 'hook', 'relay', 'does'], ...lines.map((one) => Object.values(one))];
  stdout.write(tableOf(rows));
  return EXIT.ok;
}

const WORDS: Readonly<Record<string, string>> = {
  'not-fitted': 'no line is fitted to this handset',
  'in-call': 'a call is up on it: not tested',
  unsupervised: 'nobody speaks for its board: not tested',
  busy: 'somebody tests it now',
  'did-not-open': 'FAULT: the board does not say that the relay opened',
  'did-not-close': 'FAULT: the relay opened and does not close again',
};

async function test(gateway: GatewayClient, handset: string, { stdout }: Terminal): Promise<ExitCode> {
  const { outcome, hook, openedMs, closedMs } = await gateway.ask<LineTestView>(
    'POST',
    `/api/handsets/${encodeURIComponent(handset)}/line-test`,
  );
  if (outcome !== 'well') {
    stdout.write(`${handset}: ${WORDS[outcome] ?? outcome}\n`);
    return EXIT.no;
  }
  const closing =
    closedMs === undefined
      ? 'stays open: policy lets nobody call on it now'
      : `closed again after ${Math.round(closedMs)} ms`;
  stdout.write(`${handset}: hook ${hook}; the relay opened after ${Math.round(openedMs ?? 0)} ms and ${closing}\n`);
  return EXIT.ok;
}

async function cut(
  gateway: GatewayClient,
  handset: string,
  reason: string,
  hold = '10',
  { stdout }: Terminal,
): Promise<ExitCode> {
  const holdS = Number(hold);
  if (!Number.isInteger(holdS) || holdS < 1 || holdS > 86_400) {
    throw new UsageFault(`--hold: expected whole seconds from 1 to 86400, found ${hold}`);
  }
  const { calls, complete } = await gateway.ask<CutView>('POST', '/api/cutoffs', {
    target: { kind: 'handset', handset },
    reason,
    holdS,
  });
  stdout.write(
    `${handset}: ${calls} call${calls === 1 ? '' : 's'} ended, held for ${holdS} s${complete ? '' : '; NOT confirmed on every plane'}\n`,
  );
  return complete ? EXIT.ok : EXIT.no;
}

async function release(gateway: GatewayClient, handset: string, { stdout }: Terminal): Promise<ExitCode> {
  await gateway.ask('POST', '/api/releases', { target: { kind: 'handset', handset } });
  stdout.write(`${handset}: released; its relay follows policy\n`);
  return EXIT.ok;
}
