import { parseArgs } from 'node:util';
import type { Person, Weekday } from '../../config/schema/types.generated.js';
import { loadSite, type SiteFiles } from '../../gateway/config/site.js';
import type { Store } from '../../gateway/store/store.js';
import { NO_FAILURES } from '../../gateway/work/lockout.js';
import { hashPin, pinFault } from '../../gateway/work/pin.js';
import { type Command, EXIT, type ExitCode, needed, type Terminal, UsageFault } from './command.js';
import { siteFolderOf } from './gateway-client.js';
import { checked, clock, withStore } from './open-work.js';
import { readPassword } from './read-password.js';

const HELP = `balise person: who may call for campaigns from the cells, where and when

usage: balise person add [--site <folder>] --id <id> --code <digits> --language <xx>... --handset <id>... --campaign <id>...
                         [--hours <days>=<HH:MM>-<HH:MM>...] < pin
       balise person list [--site <folder>] [--json]
       balise person pin [--site <folder>] --id <id> < pin
       balise person suspend [--site <folder>] --id <id> [--lift]

  add      takes a person, or changes everything about one but suspension; the PIN is the first line of stdin
  list     tells who there is; neither codes nor PINs are shown
  pin      sets another PIN, and ends a lock-out
  suspend  keeps a person from signing on, and signs off one who is; --lift ends it

  --site   the site's folder; default $BALISE_SITE, or /etc/balise/site
  --hours  when the person may work, in the site's zone, e.g. mon,tue,wed=08:00-12:00; may be repeated; left out: always

These are the callers. Technicians, supervisors and all others who log in at the console are balise staff's (once balise people).

Options that name several things may be repeated. At a terminal the PIN is asked for and not shown; it is kept as a hash alone.

example
  printf 4817 | balise person add --site /etc/balise --id p-17 --code 3051 --language nl --handset a-101 --campaign trains
`;

/** `balise person` */
export const person: Command = {
  name: 'person',
  summary: 'takes and suspends the people who work for campaigns',
  help: HELP,
  async run(args, terminal) {
    const text = { type: 'string' } as const;
    const many = { type: 'string', multiple: true } as const;
    const flag = { type: 'boolean' } as const;
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        site: text,
        id: text,
        code: text,
        language: many,
        handset: many,
        campaign: many,
        hours: many,
        json: flag,
        lift: flag,
      },
      allowPositionals: true,
    });
    const [what] = positionals;
    const site = await loadSite(siteFolderOf(values.site));
    const id = () => needed(values.id, '--id');
    switch (what) {
      case 'add': {
        const asked = {
          id: id(),
          code: needed(values.code, '--code'),
          languages: values.language ?? [],
          handsets: values.handset ?? [],
          campaigns: values.campaign ?? [],
          ...(values.hours !== undefined && { windows: values.hours.map(windowOf) }),
        };
        return withStore(site, (store) => add(site, store, checked<Person>('person', asked, 'this person'), terminal));
      }
      case 'list':
        return withStore(site, (store) => list(store, values.json === true, terminal));
      case 'pin':
        return withStore(site, async (store) => {
          const known = knownPerson(store, id());
          await setPin(store, known, terminal);
          terminal.stdout.write(`${known.id}: the PIN is set\n`);
          return EXIT.ok;
        });
      case 'suspend':
        return withStore(site, (store) => {
          const suspended = values.lift !== true;
          store.work.putPerson({ ...knownPerson(store, id()), suspended });
          terminal.stdout.write(`${id()}: ${suspended ? 'suspended' : 'may sign on again'}\n`);
          return EXIT.ok;
        });
      default:
        throw new UsageFault('add, list, pin or suspend?');
    }
  },
};

function windowOf(text: string): { days: Weekday[]; from: string; to: string } {
  const [, days = '', from = '', to = ''] = /^([a-z,]+)=([0-9:]+)-([0-9:]+)$/.exec(text) ?? [];
  if (to === '') throw new UsageFault(`--hours ${text}: write them as mon,tue=08:00-12:00`);
  return { days: days.split(',') as Weekday[], from, to };
}

async function add(site: SiteFiles, store: Store, asked: Person, terminal: Terminal): Promise<ExitCode> {
  const strange = asked.handsets.find((handset) => !site.handsets.some(({ id }) => id === handset));
  if (strange !== undefined) throw new UsageFault(`--handset ${strange}: there is no such handset in handsets.json`);
  const campaigns = store.work.campaigns();
  const unknown = asked.campaigns.find((one) => !campaigns.some(({ id }) => id === one));
  if (unknown !== undefined)
    throw new UsageFault(`--campaign ${unknown}: there is no such campaign; take it first with balise campaign set`);
  const silent = asked.campaigns.find(
    (one) =>
      !campaigns.some(
        ({ id, languages }) => id === one && languages.some((language) => asked.languages.includes(language)),
      ),
  );
  if (silent !== undefined)
    throw new UsageFault(`--campaign ${silent}: it speaks none of ${asked.languages.join(', ')}`);
  const other = store.work.personByCode(asked.code);
  // Whose code it is, is nobody's business.
  if (other !== undefined && other.id !== asked.id)
    throw new UsageFault('--code: somebody has this code; choose another');
  const before = store.work.person(asked.id);
  await setPin(store, { ...asked, suspended: before?.suspended ?? false }, terminal);
  terminal.stdout.write(`${asked.id}: ${before === undefined ? 'taken' : 'changed'}\n`);
  return EXIT.ok;
}

function knownPerson(store: Store, id: string): Person {
  const known = store.work.person(id);
  if (known === undefined) throw new UsageFault(`--id ${id}: there is no such person`);
  return known;
}

async function setPin(store: Store, of: Person, terminal: Terminal): Promise<void> {
  const pin = (await readPassword(terminal, 'PIN: ')).trim();
  const fault = pinFault(pin, of.code);
  if (fault !== undefined) throw new UsageFault(`the PIN, the first line of stdin: ${fault}`);
  store.work.putPerson({ ...of, pin: await hashPin(pin) });
  store.work.setFailures('code', of.code, NO_FAILURES);
}

function list(store: Store, json: boolean, terminal: Terminal): ExitCode {
  const nowMs = clock.wall().epochMilliseconds;
  const rows = store.work.people().map(({ pin, code, ...one }) => ({
    ...one,
    hasPin: pin !== undefined,
    isLocked: store.work.failures('code', code).lockedUntilMs > nowMs,
  }));
  const line = ({ id, languages, handsets, campaigns, suspended, hasPin, isLocked }: (typeof rows)[number]) => {
    const marks = [...(suspended ? ['suspended'] : []), ...(isLocked ? ['locked'] : []), ...(hasPin ? [] : ['no PIN'])];
    return `${id}  ${languages.join(' ')}  at ${handsets.join(' ')}  for ${campaigns.join(' ')}${marks.length === 0 ? '' : `  (${marks.join(', ')})`}\n`;
  };
  terminal.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : rows.map(line).join('') || 'nobody\n');
  return EXIT.ok;
}
