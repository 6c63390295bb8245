import { parseArgs } from 'node:util';
import { systemClock } from '../../gateway/clock/system-clock.js';
import { ConfigFault, type Fault } from '../../gateway/config/fault.js';
import { loadSite, type SiteFiles } from '../../gateway/config/site.js';
import { type Command, EXIT, UsageFault } from './command.js';
import { siteFolderOf } from './gateway-client.js';
import { lookAtPem, pemSetsOf } from './pem-files.js';
import { notesOn, summaryOf } from './site-summary.js';

const HELP = `balise check: reads a site's files, and tells every fault in them

usage: balise check [<folder>] [--site <folder>] [--json]

  <folder>, --site  the site's folder, with site.json and the other files; default $BALISE_SITE, or /etc/balise/site
  --json  the same as JSON on stdout: {"faults": [{file, pointer, line, column, found, expected, hint}, …]},
          or {"faults": [], "site": …, "notes": […]}

The certificates and keys of trunks by TLS are looked at as well; of others a note tells what is wrong, for they may be made on the
machine itself. Starts nothing and changes nothing. Exit status 0, or 78 when there is a fault.

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
      const pem = pemFaults(site);
      if (pem.faults.length > 0) throw new ConfigFault(site.folder, pem.faults);
      const notes = [...notesOn(site), ...pem.notes];
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

/** What is wrong with the PEM files that a site names. Without those of its trunks no call by TLS goes out: they are faults. */
function pemFaults(site: SiteFiles): { readonly faults: readonly Fault[]; readonly notes: readonly string[] } {
  const nowMs = systemClock(() => ({ trusted: true })).wall().epochMilliseconds;
  const wrong = pemSetsOf(site)
    .flatMap((set) => lookAtPem(set, site.folder, nowMs))
    .filter(({ is }) => is !== 'well');
  const isFault = ({ set, is }: (typeof wrong)[number]) => is === 'fault' && set.of === 'sip.carrierTls';
  return {
    faults: wrong.filter(isFault).map(({ set, member, what, todo }) => ({
      file: set.file,
      pointer: `${set.pointer}/${member}`,
      found: what,
      expected: EXPECTED[member] ?? 'a PEM file',
      hint: todo,
    })),
    notes: wrong
      .filter((one) => !isFault(one))
      .map(({ set, member, what, todo }) => `${set.of}.${member}: ${what}: ${todo}`),
  };
}

const EXPECTED: Readonly<Record<string, string>> = {
  cert: 'our certificate, in its time, with those between it and its root',
  key: 'the private key of the certificate',
  ca: 'the certificates of authorities, in their time',
};
