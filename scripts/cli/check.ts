import { parseArgs } from 'node:util';
import { ConfigFault } from '../../gateway/config/fault.js';
import { loadSite } from '../../gateway/config/site.js';
import { type Command, EXIT, UsageFault } from './command.js';
import { siteFolderOf } from './gateway-client.js';
import { notesOn, summaryOf } from './site-summary.js';

const HELP = `balise check: reads a site's files, and tells every fault in them

usage: balise check [<folder>] [--site <folder>] [--json]

  <folder>, --site  the site's folder, with site.json and the other files; default $BALISE_SITE, or /etc/balise/site
  --json  the same as JSON on stdout: {"faults": [{file, pointer, line, column, found, expected, hint}, …]},
          or {"faults": [], "site": …, "notes": […]}

Starts nothing and changes nothing. Exit status 0, or 78 when there is a fault.

example
  balise check /etc/balise
`;

/** `balise check <folder>` */
export const check: Command = {
  name: 'check',
  summary: "reads a site's files, and tells every fault in them",
  help: HELP,
  async run(args, terminal) {
    const options = { json: { type: 'boolean' }, site: { type: 'string' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [folder, ...more] = positionals;
    if (more.length > 0) throw new UsageFault('one folder at a time');
    try {
      const site = await loadSite(siteFolderOf(folder ?? values.site));
      const notes = notesOn(site);
      terminal.stdout.write(
        values.json === true
          ? `${JSON.stringify({ faults: [], site: site.site.site, gateway: site.site.gateway, notes }, null, 2)}\n`
          : summaryOf(site) + notes.map((note) => `note: ${note}\n`).join(''),
      );
      return EXIT.ok;
    } catch (fault) {
      if (values.json !== true || !(fault instanceof ConfigFault)) throw fault;
      terminal.stdout.write(`${JSON.stringify({ faults: fault.faults }, null, 2)}\n`);
      return EXIT.config;
    }
  },
};
