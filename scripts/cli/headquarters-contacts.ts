/** `balise headquarters contacts`, `loans` and `forfeit`: the contacts that gateways are lent. */
import { readFileSync } from 'node:fs';
import { isSupportedCountry } from 'libphonenumber-js/max';
import type { Campaign, HeadquartersConfig } from '../../config/schema/types.generated.js';
import { readCallingHours } from '../../gateway/config/calling-hours.js';
import { isZone } from '../../gateway/config/formats.js';
import { programData } from '../../gateway/config/paths.js';
import { CalleeHours } from '../../gateway/policy/callee-hours.js';
import type { ZoneTables } from '../../gateway/policy/number-zones.js';
import { ContactLines, type Mapping } from '../../gateway/work/contact-import.js';
import { ContactLeases } from '../headquarters/contact-leases.js';
import { poolSeal } from '../headquarters/pool-seal.js';
import { openDatabase } from '../headquarters/records/schema.js';
import { EXIT, type ExitCode, needed, type Terminal, UsageFault } from './command.js';
import { type ContactFile, takeContacts } from './contact-file.js';
import { checked, jsonFile } from './open-work.js';

/** Takes contacts of a campaign from a file into the database, sealed. */
export function importContacts(
  config: HeadquartersConfig,
  campaignFile: string,
  country: string | undefined,
  how: ContactFile,
  terminal: Terminal,
): Promise<ExitCode> {
  const campaign = checked<Campaign>('campaign', jsonFile(campaignFile), campaignFile);
  if (campaign.lent === undefined)
    throw new UsageFault(`${campaignFile}: it has no "lent", so that no gateway would ask for its contacts`);
  const national = needed(country, '--country');
  if (!isSupportedCountry(national)) throw new UsageFault(`--country ${national}: two letters, e.g. BE`);
  return withLeases(config, async (leases) => {
    const readerOf = (mapping: Mapping) =>
      new ContactLines({
        ...{ campaign, country: national, mapping, callee: calleeHours(), seal: leases.seal, isZone },
        // Each gateway has the lists, and judges each call by them.
        isListed: () => false,
      });
    if (!how.isDry) await leases.putCampaign(campaign);
    return takeContacts(how, { id: campaign.id, readerOf, add: (some) => leases.add(campaign.id, some) }, terminal);
  });
}

/** Tells how many contacts each campaign has, and what was lent and is long over. */
export function listLoans(config: HeadquartersConfig, nowMs: number, { stdout }: Terminal): Promise<ExitCode> {
  return withLeases(config, async (leases) => {
    for (const { campaign, state, outcome, contacts } of await leases.counts())
      stdout.write(`${campaign}  ${state}${outcome === null ? '' : ` (${outcome})`}  ${contacts}\n`);
    for (const { batch, gateway, campaign, contacts } of await leases.overdue(nowMs))
      stdout.write(`overdue: ${batch} of ${campaign}, ${contacts} contacts with ${gateway}\n`);
    return EXIT.ok;
  });
}

/** Gives a batch up whose gateway is gone for good. */
export function forfeit(config: HeadquartersConfig, batch: string, { stdout }: Terminal): Promise<ExitCode> {
  return withLeases(config, async (leases) => {
    const contacts = await leases.forfeit(batch);
    stdout.write(contacts === 0 ? `${batch}: nothing of it is lent\n` : `${batch}: ${contacts} contacts are over\n`);
    return contacts === 0 ? EXIT.no : EXIT.ok;
  });
}

async function withLeases<T>(config: HeadquartersConfig, run: (leases: ContactLeases) => Promise<T>): Promise<T> {
  if (config.contactsKey === undefined)
    throw new UsageFault('headquarters.json names no contactsKey: the file for the key of contacts’ numbers');
  const db = await openDatabase(config.database, () => undefined);
  try {
    return await run(new ContactLeases(db, poolSeal(config.contactsKey)));
  } finally {
    await db.close();
  }
}

let callee: CalleeHours | undefined;

/** The program's own calling hours, by which a number's zone is found; read once. */
function calleeHours(): CalleeHours {
  if (callee === undefined) {
    const read = (name: string): unknown => JSON.parse(readFileSync(programData(name), 'utf8'));
    const { countries } = read('number-zones.json') as Pick<ZoneTables, 'countries'>;
    const prefixes = read('number-prefixes.json') as Omit<ZoneTables, 'countries'>;
    callee = new CalleeHours(readCallingHours(programData('.')).hours, {
      ...prefixes,
      countries,
    });
  }
  return callee;
}
