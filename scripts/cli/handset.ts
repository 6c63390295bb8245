import { parseArgs } from 'node:util';
import type { Handset } from '../../config/schema/types.generated.js';
import { readPhoneModels } from '../../gateway/config/phones.js';
import { loadSite } from '../../gateway/config/site.js';
import { HandsetEdit, unknownHandset, type WantedHandset } from '../../gateway/editing/handset-edit.js';
import { editHandsets } from '../../gateway/editing/site-edit.js';
import { SitePhones } from '../../gateway/editing/site-phones.js';
import { readMac } from '../../gateway/provisioning/device.js';
import { type Command, EXIT, type ExitCode, needed, type Terminal, UsageFault } from './command.js';
import { told } from './edit-report.js';
import { importHandsets } from './handset-import.js';
import { siteAnd } from './site-option.js';
import { tableOf, widthOf } from './table.js';

const HELP = `balise handset: the handsets of a site, and the phones that are provisioned as them

usage: balise handset list [--site <folder>] [--json]
       balise handset show <handset> [--site <folder>] [--json]
       balise handset add <handset> --wing <id> --profile <id> [--user <user>] [--language <fr|nl|…>]
                          [--board <id> --relay <n> --hook <n>] [--model <model> --mac <address> [--port <n>]]
                          [--site <folder>]
       balise handset provision <handset> [--rotate] [--new-token] [--site <folder>]
       balise handset replace <handset> --model <model> --mac <address> [--port <n>] [--site <folder>]
       balise handset disable|enable <handset> [--site <folder>]
       balise handset remove <handset> [--site <folder>]
       balise handset import <table.csv> [--apply --out <file>] [--site <folder>] [--json]
       balise handset models [--json]

add        a new handset; its secret is drawn, and only its hash is in the site's files
provision  opens the time in which its phone may fetch its configuration; --rotate with a fresh secret, --new-token
           with a fresh token, for a phone that was reset or whose token somebody may have read
replace    another phone in the same place: a fresh secret and a fresh token, and the old phone is out
disable    refuses it everything, ends its call now; enable takes that back
remove     takes it out of the site
import     adds and changes many by a table (columns id, wing, profile, user, language, enabled, board, relay, hook,
           model, mac, port); shows what it would do, and does it with --apply. Every fault is told at once, by line
           and column. --out is a file for what is needed at each device: tokens and secrets, once

  --site    the site's folder; default $BALISE_SITE, or /etc/balise/site. It may also stand before the handset

The whole site is checked before anything is written, the version before is kept in the data folder's history/, and a
running gateway takes the change at once, calls and all.

Exit status 0; 1 when the running gateway did not take it; 64 wrongly called; 78 the site would be at fault.

example
  balise handset add a-104 --wing a --profile survey --model HT814 --mac c0:74:ad:00:02:01 --port 2
`;

const TEXT = { type: 'string' } as const;
const FLAG = { type: 'boolean' } as const;
const OPTIONS = {
  ...{ json: FLAG, apply: FLAG, rotate: FLAG, 'new-token': FLAG },
  ...{ wing: TEXT, profile: TEXT, user: TEXT, language: TEXT, board: TEXT, relay: TEXT, hook: TEXT },
  ...{ model: TEXT, mac: TEXT, port: TEXT, out: TEXT, site: TEXT },
} as const;
const VERBS = ['list', 'show', 'add', 'provision', 'replace', 'disable', 'enable', 'remove', 'import'];
type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

/** `balise handset list|show|add|provision|replace|disable|enable|remove|import|models` */
export const handset: Command = {
  name: 'handset',
  summary: 'adds, shows, provisions and changes the handsets of a site',
  help: HELP,
  async run(args, terminal) {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    const [verb = '', ...words] = positionals;
    if (verb === 'models') return models(values.json === true, terminal);
    if (!VERBS.includes(verb))
      throw new UsageFault(`${verb === '' ? '' : `there is no "handset ${verb}"; `}${VERBS.join(', ')} or models?`);
    const most = verb === 'list' ? 0 : 1;
    const { folder: site, rest } = siteAnd(values.site, words, most);
    const [subject] = rest;
    if (rest.length > most) throw new UsageFault('one handset at a time; balise handset import takes a table of them');
    const one = (): string => needed(subject, '<handset>');
    switch (verb) {
      case 'list':
        return list(site, values.json === true, terminal);
      case 'show':
        return show(site, one(), values.json === true, terminal);
      case 'import': {
        const { apply = false, json = false, out } = values;
        const options = { apply, json, ...(out === undefined ? {} : { out }) };
        return importHandsets(site, needed(subject, '<table.csv>'), options, terminal);
      }
      default:
        return edit(verb, site, one(), values, terminal);
    }
  },
};

async function edit(verb: string, folder: string, id: string, values: Values, terminal: Terminal): Promise<ExitCode> {
  const wanted = wantedOf(id, values);
  if (verb === 'add') {
    needed(values.wing, '--wing');
    needed(values.profile, '--profile');
  }
  if (verb === 'replace') {
    needed(values.model, '--model');
    needed(values.mac, '--mac');
  }
  let made: HandsetEdit | undefined;
  const outcome = await editHandsets(folder, { command: `handset ${verb} ${id}` }, (handsets, site) => {
    made = new HandsetEdit(handsets, site);
    if (verb === 'add') made.add(wanted);
    else if (verb === 'provision') made.provision(id, values.rotate === true, values['new-token'] === true);
    else if (verb === 'replace') made.change({ id, ...(wanted.phone && { phone: wanted.phone }) });
    else if (verb === 'remove') made.remove(id);
    else made.change({ id, enabled: verb === 'enable' });
    return made.finished();
  });
  const { changes } = outcome;
  for (const { handset: name, what, fields } of changes) {
    terminal.stdout.write(`${name}: ${what}${fields === undefined ? '' : ` (${fields.join(', ')})`}\n`);
  }
  const phones = new SitePhones(outcome.site);
  for (const mac of made?.armedMacs ?? []) terminal.stdout.write(`${phones.instructions(mac)}`);
  if (changes.length === 0 && (made?.armedMacs.length ?? 0) === 0) terminal.stdout.write(`${id}: as it was\n`);
  return told(outcome, terminal);
}

function wantedOf(id: string, values: Values): WantedHandset {
  const { wing, profile, user, language, board, relay, hook, model, mac, port } = values;
  const line = together({ board, relay, hook }, 'a line');
  const phone = together({ model, mac }, 'a phone');
  const address = phone === undefined ? undefined : readMac(phone.mac ?? '');
  if (phone !== undefined && address === undefined) {
    throw new UsageFault(`--mac: expected 12 hexadecimal digits, found ${JSON.stringify(phone.mac)}`);
  }
  return {
    id,
    ...(wing !== undefined && { wing }),
    ...(profile !== undefined && { profile }),
    ...(user !== undefined && { user }),
    ...(language !== undefined && { language: language as NonNullable<Handset['language']> }),
    ...(line !== undefined && {
      line: { board: line.board ?? '', relay: whole(line.relay, '--relay'), hook: whole(line.hook, '--hook') },
    }),
    ...(phone !== undefined && {
      phone: { model: phone.model ?? '', mac: address ?? '', port: whole(port ?? '1', '--port') },
    }),
  };
}

/** Options that make sense with one another alone; undefined when none of them is given. */
function together<K extends string>(
  options: Readonly<Record<K, string | undefined>>,
  what: string,
): Partial<Record<K, string>> | undefined {
  const names = Object.keys(options) as K[];
  const missing = names.filter((name) => options[name] === undefined);
  if (missing.length === names.length) return undefined;
  if (missing.length > 0)
    throw new UsageFault(`${what} needs ${missing.map((name) => `--${name}`).join(' and ')} as well`);
  return options as Partial<Record<K, string>>;
}

function whole(text: string | undefined, option: string): number {
  if (text === undefined || !/^[0-9]{1,5}$/.test(text))
    throw new UsageFault(`${option}: expected a whole number, found ${text}`);
  return Number(text);
}

async function list(folder: string, asJson: boolean, { stdout }: Terminal): Promise<ExitCode> {
  const site = await loadSite(folder);
  const phones = new SitePhones(site);
  const rows = site.handsets.map((one) => {
    const { id, wing, profile, user, enabled, phone } = one;
    return { handset: id, wing, profile, user, enabled, ...(phone && { phone }), state: phones.stateOf(one).state };
  });
  if (asJson) stdout.write(`${JSON.stringify({ handsets: rows }, null, 2)}\n`);
  else {
    const cells = rows.map(({ handset: id, wing, profile, user, enabled, phone, state }) => [
      ...[id, wing, profile, user, enabled ? 'enabled' : 'disabled'],
      ...[phone?.model ?? '-', phone === undefined ? '-' : `${phone.mac}/${phone.port}`, state],
    ]);
    const heads = ['handset', 'wing', 'profile', 'user', 'is', 'model', 'address/port', 'phone'];
    stdout.write(tableOf([heads, ...cells], widthOf(stdout)));
  }
  return EXIT.ok;
}

async function show(folder: string, id: string, asJson: boolean, { stdout }: Terminal): Promise<ExitCode> {
  const site = await loadSite(folder);
  const one = site.handsets.find((candidate) => candidate.id === id);
  if (one === undefined) throw unknownHandset(id);
  const { state, detail } = new SitePhones(site).stateOf(one);
  const { ha1, ...rest } = one;
  if (asJson) stdout.write(`${JSON.stringify({ ...rest, ha1: Object.keys(ha1), state, detail }, null, 2)}\n`);
  else {
    const { wing, profile, user, language, enabled, line, phone } = one;
    stdout.write(
      tableOf(
        [
          ['handset', id],
          ['wing', wing],
          ['profile', profile],
          ['account', `${user}@${site.site.sip.realm}, HA1 by ${Object.keys(ha1).join(' and ')}`],
          ['language', language ?? `${site.site.language} (the site's)`],
          ['is', enabled ? 'enabled' : 'disabled: it is refused everything'],
          ['line', line === undefined ? 'none' : `board ${line.board}, relay ${line.relay}, hook ${line.hook}`],
          ['phone', phone === undefined ? 'none' : `${phone.model} ${phone.mac}, port ${phone.port}`],
          ['', `${state}: ${detail}`],
        ],
        widthOf(stdout),
      ),
    );
  }
  return state === 'mismatch' || state === 'unreadable' ? EXIT.no : EXIT.ok;
}

function models(asJson: boolean, { stdout }: Terminal): ExitCode {
  const all = [...readPhoneModels()].sort(([a], [b]) => (a < b ? -1 : 1));
  if (asJson) stdout.write(`${JSON.stringify({ models: Object.fromEntries(all) }, null, 2)}\n`);
  else stdout.write(tableOf([['model', 'handsets'], ...all.map(([model, ports]) => [model, String(ports)])]));
  return EXIT.ok;
}
