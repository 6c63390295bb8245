import { createReadStream, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { Campaign } from '../../config/schema/types.generated.js';
import { isZone } from '../../gateway/config/schemas.js';
import { loadSite, type SiteFiles } from '../../gateway/config/site.js';
import { ListShelf, listFolder } from '../../gateway/do-not-call/shelf.js';
import { CalleeHours } from '../../gateway/policy/callee-hours.js';
import { policyOfFolder } from '../../gateway/site-policy.js';
import type { Store } from '../../gateway/store/store.js';
import {
  ContactLines,
  FIELDS,
  type Field,
  isFaults,
  type LineFault,
  type Mapping,
  mappingOf,
} from '../../gateway/work/contact-import.js';
import { CsvReader, type CsvRecord } from '../../gateway/work/csv.js';
import type { NewContact } from '../../gateway/work/ports.js';
import { type Command, EXIT, type ExitCode, needed, type Terminal, UsageFault } from './command.js';
import { Progress } from './dnc.js';
import { checked, jsonFile, sealOf, withStore } from './open-work.js';

const HELP = `balise campaign: what a site's people call for, and whom

usage: balise campaign set --site <folder> <campaign.json>
       balise campaign import --site <folder> --campaign <id> [options] <contacts.csv>
       balise campaign list --site <folder> [--json]

  set     takes a campaign, or changes it; what belongs into the file is in config/schema/campaign.schema.json
  import  takes contacts, a line each. The first line names the columns: number, and if they are there language, zone,
          earliest, latest (HH:MM where the contact is) and priority (0 to 9). A number that the campaign has already is left
          as it is, one on a do-not-call list of the campaign is left out. Numbers are sealed as they are read, and are
          neither shown nor logged.
  list    tells the campaigns, and how many contacts each has

  --map <field>=<column>  the column of a field, by its name in the first line or its number from 1; may be repeated
  --dry-run               only checks the file
  --skip-bad              leaves out lines that are no contact; else one such line and nothing is changed.
                          Needed for - (stdin), which cannot be read twice.
  --json                  the list as JSON

A running gateway takes new contacts within half a minute.

example
  balise campaign import --site /etc/balise --campaign trains --map number=Telefoon --map language=Taal contacts.csv
`;

const MOST_TOLD = 20;
/** Contacts of one transaction: few enough that a call does not wait for it. */
const AT_ONCE = 500;

/** `balise campaign` */
export const campaign: Command = {
  name: 'campaign',
  summary: 'takes campaigns and their contacts',
  help: HELP,
  async run(args, terminal) {
    const text = { type: 'string' } as const;
    const flag = { type: 'boolean' } as const;
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        site: text,
        campaign: text,
        map: { type: 'string', multiple: true },
        'dry-run': flag,
        'skip-bad': flag,
        json: flag,
      },
      allowPositionals: true,
    });
    const [what, file] = positionals;
    const site = await loadSite(needed(values.site, '--site'));
    switch (what) {
      case 'set':
        return withStore(site, (store) => set(site, store, needed(file, 'the file'), terminal));
      case 'import': {
        const how = {
          id: needed(values.campaign, '--campaign'),
          asked: askedOf(values.map ?? []),
          isDry: values['dry-run'] === true,
          skipBad: values['skip-bad'] === true,
          file: needed(file, 'the file'),
        };
        return withStore(site, (store) => importContacts(site, store, how, terminal));
      }
      case 'list':
        return withStore(site, (store) => list(store, values.json === true, terminal));
      default:
        throw new UsageFault('set, import or list?');
    }
  },
};

function set(site: SiteFiles, store: Store, file: string, terminal: Terminal): ExitCode {
  const one = checked<Campaign>('campaign', jsonFile(file), file);
  const wrong: string[] = [];
  if (!site.trunks.some(({ id }) => id === one.trunk))
    wrong.push(`/trunk: there is no trunk ${one.trunk} in trunks.json`);
  if (one.leastTalkS > one.maxTalkS) wrong.push(`/leastTalkS: it is more than the ${one.maxTalkS} s of maxTalkS`);
  if (one.warningsS.some((warning) => warning >= one.maxTalkS))
    wrong.push('/warningsS: a warning is longer before the end than a call lasts');
  if (wrong.length > 0) throw new UsageFault(`${file}:\n  ${wrong.join('\n  ')}`);
  const isKnown = store.work.campaigns().some(({ id }) => id === one.id);
  store.work.putCampaign(one);
  terminal.stdout.write(`${one.id}: ${isKnown ? 'changed' : 'taken'}\n`);
  return EXIT.ok;
}

interface Import {
  readonly id: string;
  readonly asked: Readonly<Partial<Record<Field, string>>>;
  readonly isDry: boolean;
  readonly skipBad: boolean;
  readonly file: string;
}

function askedOf(map: readonly string[]): Import['asked'] {
  return Object.fromEntries(
    map.map((text) => {
      const [field = '', column = ''] = text.split(/=(.*)/s);
      if (!(FIELDS as readonly string[]).includes(field) || column === '')
        throw new UsageFault(`--map ${text}: write <field>=<column>; the fields are ${FIELDS.join(', ')}`);
      return [field, column];
    }),
  );
}

async function importContacts(site: SiteFiles, store: Store, how: Import, terminal: Terminal): Promise<ExitCode> {
  const one = store.work.campaigns().find(({ id }) => id === how.id);
  if (one === undefined) throw new UsageFault(`there is no campaign ${how.id}; take it first with balise campaign set`);
  if (how.file === '-' && !how.skipBad && !how.isDry)
    throw new UsageFault('stdin cannot be read twice: give --skip-bad, or a file');
  const { zonesOf, prefixZones, callingHours } = policyOfFolder(site);
  const shelf = new ListShelf(listFolder(site.dataFolder), () => undefined);
  const lists = (one.doNotCall ?? []).map(({ list: name }) => ({ name, list: shelf.list(name) }));
  for (const { name, list: at } of lists)
    if (!at.isThere)
      terminal.stderr.write(`the do-not-call list ${name} is not there (${at.why}): no call passes before it is\n`);
  const seal = sealOf(site, store);
  const callee = new CalleeHours(callingHours, { ...prefixZones, countries: zonesOf });
  const isListed = (number: string) => lists.some(({ list: at }) => at.isThere && at.has(number));
  const lines = (mapping: Mapping) =>
    new ContactLines({ campaign: one, country: site.site.country, mapping, callee, seal, isZone, isListed });

  const report = { good: 0, fresh: 0, listed: 0, bad: 0, told: 0 };
  /** Counts what a line is; true: a contact. */
  const count = (read: object | 'listed', isTelling: boolean): boolean => {
    if (read === 'listed') report.listed += 1;
    else if (!isFaults(read as object)) report.good += 1;
    else {
      report.bad += 1;
      if (isTelling) for (const fault of read as readonly LineFault[]) tell(fault, report, terminal);
    }
    return read !== 'listed' && !isFaults(read as object);
  };
  if (how.isDry || !how.skipBad) {
    for await (const { record, reader } of records(how, lines, terminal)) count(reader.check(record), true);
    if (how.isDry || report.bad > 0) {
      const end = how.isDry ? 'nothing was changed' : 'nothing was changed; --skip-bad leaves them out';
      terminal.stdout.write(
        `${report.good} contacts, ${report.listed} on a do-not-call list, ${report.bad} bad lines: ${end}\n`,
      );
      return report.bad > 0 ? EXIT.no : EXIT.ok;
    }
    report.good = 0;
    report.listed = 0;
  }
  let pending: NewContact[] = [];
  const flush = () => {
    report.fresh += store.work.addContacts(pending);
    pending = [];
  };
  for await (const { record, reader } of records(how, lines, terminal)) {
    const read = reader.read(record);
    if (count(read, how.skipBad) && pending.push(read as NewContact) >= AT_ONCE) flush();
  }
  flush();
  terminal.stdout.write(
    `${one.id}: ${report.fresh} new contacts, ${report.good - report.fresh} known already, ${report.listed} on a do-not-call list, ${report.bad} lines left out\n`,
  );
  return EXIT.ok;
}

/** The records of the file behind its first line, with what reads them. */
async function* records(
  how: Import,
  linesOf: (mapping: Mapping) => ContactLines,
  terminal: Terminal,
): AsyncIterable<{ readonly record: CsvRecord; readonly reader: ContactLines }> {
  const isStdin = how.file === '-';
  const progress = new Progress(terminal, isStdin ? undefined : sizeOf(how.file));
  const csv = new CsvReader();
  let reader: ContactLines | undefined;
  const taken = (record: CsvRecord | undefined) => {
    if (record === undefined || record.cells.every((cell) => cell === '')) return undefined;
    if (reader !== undefined) return { record, reader };
    const mapping = mappingOf(how.asked, record.cells);
    if (typeof mapping === 'string') throw new UsageFault(`${how.file}: ${mapping}`);
    reader = linesOf(mapping);
    return undefined;
  };
  const input = isStdin ? terminal.stdin : createReadStream(how.file);
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    progress.read(Buffer.byteLength(line) + 1);
    const next = taken(csv.take(line));
    if (next !== undefined) yield next;
  }
  const last = taken(csv.end());
  if (last !== undefined) yield last;
  progress.end();
  if (reader === undefined) throw new UsageFault(`${how.file} is empty: its first line names the columns`);
}

function sizeOf(file: string): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new UsageFault(`${file} is not there`);
  return size;
}

function tell({ line, column, what, hint }: LineFault, report: { told: number }, { stderr }: Terminal): void {
  report.told += 1;
  if (report.told <= MOST_TOLD) stderr.write(`line ${line}, column ${column}: ${what}; ${hint}\n`);
}

function list(store: Store, json: boolean, terminal: Terminal): ExitCode {
  const rows = store.work.campaigns().map((one) => ({
    id: one.id,
    firm: one.firm,
    languages: one.languages,
    contacts: store.work.contactCounts(one.id),
  }));
  const line = ({ id, firm, languages, contacts }: (typeof rows)[number]) => {
    const open = contacts.filter(({ state }) => state !== 'over').reduce((sum, { contacts: n }) => sum + n, 0);
    const over = contacts.filter(({ state }) => state === 'over').map(({ outcome, contacts: n }) => `${n} ${outcome}`);
    return `${id}  ${firm}, ${languages.join(' ')}  ${open} contacts to call${over.length === 0 ? '' : `; over: ${over.join(', ')}`}\n`;
  };
  terminal.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : rows.map(line).join('') || 'no campaign\n');
  return EXIT.ok;
}
