import { parseArgs } from 'node:util';
import type { CutTarget, CutView } from '../../gateway/console/api/orders.js';
import { type Command, EXIT, needed, UsageFault } from './command.js';
import { GatewayClient, siteFolderOf } from './gateway-client.js';

const TARGET = `  handset <id>   one handset
  wing <id>      every handset of a wing
  site           every handset
  --site  the site's folder; default $BALISE_SITE, or /etc/balise/site`;

const CUT_HELP = `balise cut: ends calls now, and keeps them ended

usage: balise cut handset <id>|wing <id>|site --reason <text> [--hold <seconds>|until-released] [--site <folder>]

${TARGET}
  --reason  why, for the audit
  --hold    seconds, 10 unless told otherwise, 86400 at most; or until-released

Exit status 0 when every plane has confirmed, 1 when not, 69 when no gateway runs.

example
  balise cut wing a --reason "an inspection" --hold until-released
`;

const RELEASE_HELP = `balise release: lifts what was ordered of a handset, a wing or the site

usage: balise release handset <id>|wing <id>|site [--site <folder>]

${TARGET}

What was ordered of the site is lifted by site alone; an order of a wing stands until that wing is released.

example
  balise release wing a
`;

/** `handset a-101`, `wing a` or `site`, as an order names it. */
function targetOf([kind, id, ...more]: readonly string[]): CutTarget {
  if (more.length > 0 || (kind === 'site' && id !== undefined)) throw new UsageFault('one target at a time');
  switch (kind) {
    case 'site':
      return { kind };
    case 'handset':
      return { kind, handset: needed(id, 'the handset') };
    case 'wing':
      return { kind, wing: needed(id, 'the wing') };
    default:
      throw new UsageFault('handset <id>, wing <id> or site?');
  }
}

const nameOf = (target: CutTarget): string =>
  target.kind === 'site' ? 'the site' : target.kind === 'wing' ? `wing ${target.wing}` : target.handset;

/** `balise cut` */
export const cut: Command = {
  name: 'cut',
  summary: 'ends the calls of a handset, a wing or the site, now',
  help: CUT_HELP,
  async run(args, { stdout }) {
    const text = { type: 'string' } as const;
    const options = { site: text, reason: text, hold: { ...text, default: '10' } };
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const target = targetOf(positionals);
    const reason = needed(values.reason, '--reason');
    const holdS = values.hold === 'until-released' ? values.hold : Number(values.hold);
    if (typeof holdS === 'number' && (!Number.isInteger(holdS) || holdS < 1 || holdS > 86_400)) {
      throw new UsageFault(`--hold: expected whole seconds from 1 to 86400 or until-released, found ${values.hold}`);
    }
    const gateway = await GatewayClient.of(siteFolderOf(values.site));
    const done = await gateway.ask<CutView>('POST', '/api/cutoffs', { target, reason, holdS });
    const held = typeof holdS === 'number' ? `held for ${holdS} s` : 'held until released';
    const silent = done.calls === 0 ? '' : `, silent after ${Math.round(done.silentMs)} ms`;
    const doubt = done.complete ? '' : '; NOT confirmed on every plane';
    stdout.write(
      `${nameOf(target)}: ${done.calls} call${done.calls === 1 ? '' : 's'} ended${silent}, ${held}${doubt}\n`,
    );
    return done.complete ? EXIT.ok : EXIT.no;
  },
};

/** `balise release` */
export const release: Command = {
  name: 'release',
  summary: 'lifts what was ordered of a handset, a wing or the site',
  help: RELEASE_HELP,
  async run(args, { stdout }) {
    const options = { site: { type: 'string' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const target = targetOf(positionals);
    const gateway = await GatewayClient.of(siteFolderOf(values.site));
    await gateway.ask('POST', '/api/releases', { target });
    stdout.write(`${nameOf(target)}: released; policy decides again\n`);
    return EXIT.ok;
  },
};
