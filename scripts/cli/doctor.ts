import { parseArgs } from 'node:util';
import { loadSite } from '../../gateway/config/site.js';
import { type Command, EXIT, UsageFault } from './command.js';
import { CHECKS, checkNames, type Finding } from './doctor-checks.js';
import { siteFolderOf } from './gateway-client.js';
import { Progress } from './progress.js';
import { tableOf, widthOf } from './table.js';

const HELP = `balise doctor: looks at everything around a site, and says what to do

usage: balise doctor [<folder>] [--site <folder>] [--only <check>,<check>,…] [--json]

The site's files first, as balise check does; then ${Object.keys(CHECKS).join(', ')}.
It changes nothing, and places no call. Run it as the gateway's user: what that user may not do is what it finds.

  <folder>, --site  the site's folder; default $BALISE_SITE, or /etc/balise/site
  --only            these checks alone
  --json            the same as JSON on stdout: {"findings": [{of, is, what, todo}, …]}

Exit status 0 when nothing is at fault, warnings or not; 1 when something is; 78 when the site's files are.

example
  sudo -u balise balise doctor
`;

const MARKS: Readonly<Record<Finding['is'], string>> = { well: 'ok', warning: 'note', fault: 'FAULT' };

/** `balise doctor` */
export const doctor: Command = {
  name: 'doctor',
  summary: 'looks at everything around a site, and says what to do',
  help: HELP,
  async run(args, { stdout, stderr }) {
    const options = { json: { type: 'boolean' }, only: { type: 'string' }, site: { type: 'string' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [folder, ...more] = positionals;
    if (more.length > 0) throw new UsageFault('one folder at a time');
    const names = values.only?.split(',').map((name) => name.trim()) ?? checkNames();
    const unknown = names.find((name) => CHECKS[name] === undefined);
    if (unknown !== undefined)
      throw new UsageFault(`there is no check "${unknown}"; there are ${checkNames().join(', ')}`);
    const site = await loadSite(siteFolderOf(folder ?? values.site));
    const progress = new Progress(stderr, 'checks', names.length);
    let done = 0;
    const findings = await Promise.all(
      names.map(async (name) => {
        const found = (await CHECKS[name]?.(site)) ?? [];
        done += 1;
        progress.at(done);
        return found;
      }),
    );
    const all = findings.flat();
    if (values.json === true) stdout.write(`${JSON.stringify({ findings: all }, null, 2)}\n`);
    else {
      stdout.write(
        tableOf(
          all.map(({ of, is, what }) => [MARKS[is], of, what]),
          widthOf(stdout),
        ),
      );
      for (const { of, is, todo } of all.filter(({ todo }) => todo !== ''))
        stdout.write(`${is === 'fault' ? '\nFAULT' : '\nnote'} ${of}\n  ${todo}\n`);
    }
    return all.some(({ is }) => is === 'fault') ? EXIT.no : EXIT.ok;
  },
};
