import { parseArgs } from 'node:util';
import type { Campaign } from '../../config/schema/types.generated.js';
import { isZone } from '../../gateway/config/formats.js';
import { loadSite, type SiteFiles } from '../../gateway/config/site.js';
import { ListShelf, listFolder } from '../../gateway/do-not-call/shelf.js';
import { CalleeHours } from '../../gateway/policy/callee-hours.js';
import { campaignFaults } from '../../gateway/policy-bundle/campaigns.js';
import { policyOfFolder } from '../../gateway/site-policy.js';
import type { Store } from '../../gateway/store/store.js';
import { announcementWords } from '../../gateway/work/campaign-announcement.js';
import { ContactLines, type Mapping } from '../../gateway/work/contact-import.js';
import { keepSounds } from './campaign-sounds.js';
import { type Command, EXIT, type ExitCode, needed, type Terminal, UsageFault } from './command.js';
import { CONTACT_FILE_OPTIONS, type ContactFile, contactFile, takeContacts } from './contact-file.js';
import { siteFolderOf } from './gateway-client.js';
import { checked, jsonFile, sealOf, withStore } from './open-work.js';

const HELP = `balise campaign: what a site's people call for, and whom

usage: balise campaign set [--site <folder>] [--sound <language>=<file.alaw>...] <campaign.json>
       balise campaign import [--site <folder>] --campaign <id> [options] <contacts.csv | ->
       balise campaign speak [--site <folder>] [--sound <language>=<file>] <campaign>
       balise campaign list [--site <folder>] [--json]

  set     takes a campaign, or changes it; what belongs into the file is in config/schema/campaign.schema.json. What callees
          are told at the answer is spoken by espeak-ng and sox, in each of its languages
  import  takes contacts, a line each. The first line names the columns: number, and if they are there language, zone,
          earliest, latest (HH:MM where the contact is), priority (0 to 9) and mystery (yes: somebody who tries the work; whoever
          calls cannot tell, and the outcome is counted apart). Equals in priority are called in an order of chance. A number that
          the campaign has already is left as it is, one on a do-not-call list of the campaign is left out. Numbers are sealed as
          they are read, and are neither shown nor logged. - is stdin
  speak   makes the sound of what callees are told anew: for a campaign that came with the signed policy, which calls nobody
          before, and for a recording
  list    tells the campaigns, and how many contacts each has

  --site <folder>         the site's folder; default $BALISE_SITE, or /etc/balise/site
  --sound <language>=<file>  a recording of what callees are told, instead: G.711 A-law, 8 kHz, no header; may be repeated
  --map <field>=<column>  the column of a field, by its name in the first line or its number from 1; may be repeated
  --dry-run               only checks the file
  --skip-bad              leaves out lines that are no contact; else one such line and nothing is changed
  --json                  the list as JSON

A running gateway takes new contacts within half a minute.

example
  balise campaign import --site /etc/balise --campaign trains --map number=Telefoon --map language=Taal contacts.csv
`;

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
        ...CONTACT_FILE_OPTIONS,
        ...{ site: text, campaign: text, json: flag },
        sound: { type: 'string', multiple: true },
      },
      allowPositionals: true,
    });
    const [what, file] = positionals;
    const site = await loadSite(siteFolderOf(values.site));
    switch (what) {
      case 'set':
        return withStore(site, (store) => set(site, store, needed(file, 'the file'), values.sound ?? [], terminal));
      case 'import': {
        const id = needed(values.campaign, '--campaign');
        const how = contactFile(values, needed(file, 'the file'));
        return withStore(site, (store) => importContacts(site, store, id, how, terminal));
      }
      case 'speak':
        return withStore(site, (store) =>
          speakAnew(site, store, needed(file, 'the campaign'), values.sound ?? [], terminal),
        );
      case 'list':
        return withStore(site, (store) => list(store, values.json === true, terminal));
      default:
        throw new UsageFault('set, import, speak or list?');
    }
  },
};

function set(site: SiteFiles, store: Store, file: string, sounds: readonly string[], terminal: Terminal): ExitCode {
  const one = checked<Campaign>('campaign', jsonFile(file), file);
  const wrong = campaignFaults(one, site.trunks);
  if (wrong.length > 0) throw new UsageFault(`${file}:\n  ${wrong.join('\n  ')}`);
  if (store.work.signedCampaigns().includes(one.id))
    throw new UsageFault(`the campaign ${one.id} comes with the signed policy: change it there, and sign it anew`);
  const isKnown = store.work.campaigns().some(({ id }) => id === one.id);
  const announcement = announcementWords(one);
  // First the sounds: a campaign whose words are not there calls nobody.
  keepSounds(site.dataFolder, one.id, announcement, sounds);
  store.work.putCampaign({ ...one, announcement });
  terminal.stdout.write(`${one.id}: ${isKnown ? 'changed' : 'taken'}\n`);
  return EXIT.ok;
}

function speakAnew(site: SiteFiles, store: Store, id: string, sounds: readonly string[], terminal: Terminal): ExitCode {
  const one = store.work.campaigns().find((known) => known.id === id);
  if (one === undefined) throw new UsageFault(`there is no campaign ${id}; balise campaign list tells which there are`);
  const words = announcementWords(one);
  keepSounds(site.dataFolder, id, words, sounds);
  terminal.stdout.write(`${id}: callees are told of it in ${Object.keys(words).join(' ')}\n`);
  return EXIT.ok;
}

async function importContacts(
  site: SiteFiles,
  store: Store,
  id: string,
  how: ContactFile,
  terminal: Terminal,
): Promise<ExitCode> {
  const one = store.work.campaigns().find((known) => known.id === id);
  if (one === undefined) throw new UsageFault(`there is no campaign ${id}; take it first with balise campaign set`);
  const { zonesOf, prefixZones, callingHours } = policyOfFolder(site);
  const shelf = new ListShelf(listFolder(site.dataFolder), () => undefined);
  const lists = (one.doNotCall ?? []).map(({ list: name }) => ({ name, list: shelf.list(name) }));
  for (const { name, list: at } of lists)
    if (!at.isThere)
      terminal.stderr.write(`the do-not-call list ${name} is not there (${at.why}): no call passes before it is\n`);
  const seal = sealOf(site, store);
  const callee = new CalleeHours(callingHours, { ...prefixZones, countries: zonesOf });
  const isListed = (number: string) => lists.some(({ list: at }) => at.isThere && at.has(number));
  const readerOf = (mapping: Mapping) =>
    new ContactLines({ campaign: one, country: site.site.country, mapping, callee, seal, isZone, isListed });
  // One wait for the disk at the end, and not one for each five hundred.
  const end = () => void store.work.addContacts([]);
  return takeContacts(how, { id, readerOf, add: (contacts) => store.work.addMany(contacts), end }, terminal);
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
