import { parseArgs } from 'node:util';
import { loadSite } from '../../gateway/config/site.js';
import { type Command, EXIT, UsageFault } from './command.js';
import type { Probe } from './options-probe.js';
import { probeTrunk } from './probed-trunk.js';
import { siteAnd } from './site-option.js';

const HELP = `balise trunk: whether a site's carriers answer

usage: balise trunk test [<trunk> …] [--site <folder>] [--timeout <seconds>] [--json]

Sends each trunk, or those that are named, an OPTIONS from this machine, and once more with the account of trunks.json
where the carrier asks for it. No call is placed. A carrier that knows us by our address and port may answer the gateway
and not this; "balise line" and the console show what the gateway itself sees.

  --site     the site's folder; default $BALISE_SITE, or /etc/balise/site. It may also stand before the trunks
  --timeout  how long to wait for each answer, seconds; 8 unless told otherwise
  --json     the same as JSON on stdout

Exit status 0 when every one answers and takes our account; 1 otherwise.

example
  balise trunk test carrier
`;

/** `balise trunk test` */
export const trunk: Command = {
  name: 'trunk',
  summary: "asks a site's carriers whether they answer, and take our account",
  help: HELP,
  async run(args, { stdout }) {
    const options = {
      json: { type: 'boolean' },
      site: { type: 'string' },
      timeout: { type: 'string', default: '8' },
    } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [verb, ...words] = positionals;
    if (verb !== 'test') throw new UsageFault(verb === undefined ? 'test?' : `there is no "trunk ${verb}"; test?`);
    const timeoutS = Number(values.timeout);
    if (!(timeoutS >= 1 && timeoutS <= 60)) throw new UsageFault('--timeout: expected seconds from 1 to 60');
    // A trunk's id has no slash in it, and is no folder with a site.
    const hasFolder = words[0]?.includes('/') === true;
    const { folder, rest: names } = siteAnd(values.site, words, hasFolder ? 0 : words.length);
    const site = await loadSite(folder);
    const { trunks } = site;
    const unknown = names.find((name) => !trunks.some(({ id }) => id === name));
    if (unknown !== undefined) {
      throw new UsageFault(`there is no trunk "${unknown}"; there are ${trunks.map(({ id }) => id).join(', ')}`);
    }
    const asked = trunks.filter(({ id }) => names.length === 0 || names.includes(id));
    const found = await Promise.all(
      asked.map(async (one) => ({ trunk: one.id, ...(await probeTrunk(site, one, timeoutS * 1000)) })),
    );
    if (values.json === true) stdout.write(`${JSON.stringify({ trunks: found }, null, 2)}\n`);
    else for (const one of found) stdout.write(`${one.trunk}: ${inWords(one)}\n`);
    return found.every(isWell) ? EXIT.ok : EXIT.no;
  },
};

const ACCOUNT: Readonly<Record<Extract<Probe, { is: 'answered' }>['account'], string>> = {
  unasked: '',
  proved: '; our account is taken',
  refused: '; our account is NOT taken: see username and password in trunks.json',
  none: '; it asks for an account, and trunks.json has none: add username and password',
  'other-realm': '; it asks for an account of another realm than trunks.json says',
};

function inWords(found: Probe): string {
  if (found.is === 'silent') return found.why;
  const { status, reason, ms, server, account } = found;
  return `${status} ${reason} after ${ms} ms${server === '' ? '' : `, from ${server.slice(0, 80)}`}${ACCOUNT[account]}`;
}

/** Any answer says that somebody is there who speaks SIP; only an account that is not taken keeps calls from going out. */
function isWell(found: Probe): boolean {
  return found.is === 'answered' && (found.account === 'unasked' || found.account === 'proved') && found.status < 500;
}
