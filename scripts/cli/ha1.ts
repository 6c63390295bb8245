import { parseArgs } from 'node:util';
import { ha1Of } from '../../gateway/provisioning/secrets.js';
import { type Command, EXIT, needed, UsageFault } from './command.js';
import { readPassword } from './read-password.js';

const HELP = `balise ha1: makes the "ha1" of a handset from its password

usage: balise ha1 --user <user> [--realm <realm>]

  --user   the handset's SIP user, as in handsets.json
  --realm  the site's realm, as in site.json; balise unless told otherwise

The password is the first line of stdin; at a terminal it is asked for and not shown. It goes nowhere
but into the hash: the printed object is what belongs into handsets.json. It is as good as the
password to anybody who wants to register as this handset, so guard it alike.

example
  printf %s demo-a101 | balise ha1 --user a101 --realm balise
`;

/** `balise ha1` */
export const ha1: Command = {
  name: 'ha1',
  summary: 'makes the "ha1" of a handset from its password',
  help: HELP,
  async run(args, terminal) {
    const options = { user: { type: 'string' }, realm: { type: 'string', default: 'balise' } } as const;
    const { values } = parseArgs({ args: [...args], options });
    const user = needed(values.user, '--user');
    const realm = needed(values.realm, '--realm');
    // A colon would move the borders of user:realm:password, and the hash would fit no handset.
    if (user.includes(':')) throw new UsageFault('a SIP user has no colon');
    const password = await readPassword(terminal);
    if (password === '') throw new UsageFault('the password, the first line of stdin, is empty');
    terminal.stdout.write(`${JSON.stringify(ha1Of(user, realm, password))}\n`);
    return EXIT.ok;
  },
};
