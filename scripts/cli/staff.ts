import { parseArgs } from 'node:util';
import { readBootId, systemClock } from '../../gateway/clock/system-clock.js';
import { loadSite } from '../../gateway/config/site.js';
import type { PersonEntry, Role } from '../../gateway/console/api/people.js';
import { Passwords, weakness } from '../../gateway/console/passwords.js';
import { PERSON_NAME, People, type Person } from '../../gateway/console/people.js';
import { ROLES } from '../../gateway/console/rights.js';
import type { Change } from '../../gateway/console/source.js';
import { openStore } from '../../gateway/store/open.js';
import { takeRunFolder } from '../../gateway/supervisor/run-folder.js';
import { type Command, EXIT, needed, type Terminal, UsageFault } from './command.js';
import { callerName, GatewayClient, siteFolderOf } from './gateway-client.js';
import { readPassword } from './read-password.js';
import { tableOf } from './table.js';

const HELP = `balise staff: who may use the console: technicians, supervisors, auditors, administrators

usage: balise staff list [--site <folder>] [--json]
       balise staff add <name> --role technician|supervisor|auditor|administrator [--site <folder>]
       balise staff passwd|disable|enable|remove <name> [--site <folder>]

  add, passwd  read the password from the first line of stdin; at a terminal it is asked for and not shown
  disable      no log-in any more, and every session ends; enable takes it back
  --site       the site's folder; default $BALISE_SITE, or /etc/balise/site
  --json       list as JSON on stdout

These are the people who log in at the console. The callers in the cells, with code and PIN, are balise person's.
balise people, the name of before, does the same as balise staff.

Asks the running gateway, or works on the files where none runs; either way the audit chain has it.
Exit status 1 when it is refused (the last administrator stays, a name is taken).

example
  balise staff add anna --role technician
`;

const VERBS = ['list', 'add', 'passwd', 'disable', 'enable', 'remove'];

/** `balise staff` */
export const staff: Command = {
  name: 'staff',
  aliases: ['people'],
  summary: 'who may use the console (technicians and so on): list, add, passwd, disable, enable, remove',
  help: HELP,
  async run(args, terminal) {
    const text = { type: 'string' } as const;
    const options = { site: text, role: text, json: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [verb = '', name, ...more] = positionals;
    if (!VERBS.includes(verb)) throw new UsageFault(`${VERBS.join(', ')}?`);
    if (more.length > 0 || (verb === 'list' && name !== undefined)) throw new UsageFault('one person at a time');
    const folder = siteFolderOf(values.site);
    const client = await GatewayClient.of(folder);
    const book = (await client.isThere()) ? overSocket(client) : onFiles(folder);
    if (verb === 'list') {
      const found = await book.list();
      terminal.stdout.write(values.json === true ? `${JSON.stringify({ people: found }, null, 2)}\n` : listed(found));
      return EXIT.ok;
    }
    const whom = needed(name, '<name>');
    if (!new RegExp(PERSON_NAME).test(whom)) {
      throw new UsageFault(`"${whom}" is no name: small letters, digits, dot, hyphen and underscore, 32 at the most`);
    }
    switch (verb) {
      case 'add':
        await book.add(whom, roleOf(values.role), await newPassword(whom, terminal));
        break;
      case 'passwd':
        await book.change(whom, { password: await newPassword(whom, terminal) });
        break;
      case 'remove':
        await book.remove(whom);
        break;
      default:
        await book.change(whom, { disabled: verb === 'disable' });
    }
    terminal.stdout.write(`${whom}: ${DONE[verb] ?? 'done'}\n`);
    return EXIT.ok;
  },
};

const DONE: Readonly<Record<string, string>> = {
  add: 'may log in now',
  passwd: 'has a new password; every session of before has ended',
  disable: 'may log in no more',
  enable: 'may log in again',
  remove: 'is removed',
};

function roleOf(role: string | undefined): Role {
  const found = ROLES.find((one) => one === role);
  if (found === undefined) throw new UsageFault(`--role is one of ${ROLES.join(', ')}`);
  return found;
}

async function newPassword(name: string, terminal: Terminal): Promise<string> {
  const password = await readPassword(terminal, `password of ${name}: `);
  const weak = weakness(password, name);
  if (weak !== undefined) throw new UsageFault(weak);
  return password;
}

function listed(found: readonly Pick<PersonEntry, 'name' | 'role' | 'language' | 'disabled' | 'passwordAt'>[]): string {
  if (found.length === 0)
    return 'nobody may log in yet: balise staff add, or the one-time link that the gateway prints\n';
  const rows = found.map(({ name, role, language, disabled, passwordAt }) => [
    name,
    role,
    language,
    disabled ? 'disabled' : '',
    passwordAt.slice(0, 10),
  ]);
  return tableOf([['name', 'role', 'language', '', 'password of'], ...rows]);
}

/** Where the people are changed. */
interface Book {
  list(): Promise<readonly Omit<PersonEntry, 'sessions'>[]>;
  add(name: string, role: Role, password: string): Promise<void>;
  change(name: string, change: { readonly password?: string; readonly disabled?: boolean }): Promise<void>;
  remove(name: string): Promise<void>;
}

function overSocket(client: GatewayClient): Book {
  const at = (name: string) => `/api/people/${encodeURIComponent(name)}`;
  return {
    list: async () => (await client.ask<{ people: PersonEntry[] }>('GET', '/api/people')).people,
    add: async (name, role, password) => void (await client.ask('POST', '/api/people', { name, role, password })),
    change: async (name, change) => void (await client.ask('PATCH', at(name), change)),
    remove: async (name) => void (await client.ask('DELETE', at(name))),
  };
}

/** No gateway runs: its lock is taken, so that none begins meanwhile, and the chain has the change before the file has. */
function onFiles(folder: string): Book {
  const clock = systemClock(() => ({ trusted: true }));
  const changed = async (
    change: (people: People) => Promise<Omit<Change, 'who' | 'role' | 'from'> & { put: () => void }>,
  ) => {
    const site = await loadSite(folder);
    const lock = takeRunFolder(site.dataFolder, site.runFolder);
    try {
      const gatewayId = `${site.site.site}/${site.site.gateway}`;
      const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
      const store = openStore({ folder: site.dataFolder, clock, gatewayId, bootId: readBootId(), log: quiet });
      try {
        const { put, ...what } = await change(People.open(site.dataFolder));
        const data = { who: `unix:${callerName()}`, role: 'local', from: 'files', ...what };
        store.calls.append([{ kind: 'event', type: 'balise.console.changed', data }]);
        put();
      } finally {
        store.close();
      }
    } finally {
      lock.release();
    }
  };
  const known = (book: People, name: string): Person => {
    const person = book.find(name);
    if (person === undefined) throw new UsageFault(`there is no person "${name}"; see balise staff list`);
    return person;
  };
  const mayLose = (book: People, { name, role, disabled }: Person): void => {
    if (role === 'administrator' && !disabled && !book.hasOtherAdministrator(name)) {
      throw new UsageFault(`${name} is the last administrator: make another one first`);
    }
  };
  const passwords = new Passwords();
  return {
    list: async () =>
      People.open((await loadSite(folder)).dataFolder)
        .list()
        .map(({ password: _, ...rest }) => rest),
    add: (name, role, password) =>
      changed(async (book) => {
        if (book.find(name) !== undefined) throw new UsageFault(`there is a person "${name}" already`);
        const at = clock.wall().toString();
        const hash = await passwords.hash(password);
        const person: Person = {
          name,
          role,
          language: 'en',
          password: hash,
          disabled: false,
          createdAt: at,
          passwordAt: at,
        };
        return { what: 'person.added', subject: name, after: { role }, put: () => book.put(person) };
      }),
    change: (name, { password, disabled }) =>
      changed(async (book) => {
        const before = known(book, name);
        if (disabled === true) mayLose(book, before);
        const fresh =
          password === undefined
            ? {}
            : { password: await passwords.hash(password), passwordAt: clock.wall().toString() };
        const after: Person = { ...before, ...(disabled === undefined ? {} : { disabled }), ...fresh };
        const said = password === undefined ? { disabled: after.disabled } : { password: 'changed' };
        const was = { disabled: before.disabled };
        return { what: 'person.changed', subject: name, before: was, after: said, put: () => book.put(after) };
      }),
    remove: (name) =>
      changed(async (book) => {
        const person = known(book, name);
        mayLose(book, person);
        const before = { role: person.role };
        return { what: 'person.removed', subject: name, before, put: () => void book.remove(name) };
      }),
  };
}
