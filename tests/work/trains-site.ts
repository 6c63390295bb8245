import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { systemClock } from '../../gateway/clock/system-clock.js';
import { programData } from '../../gateway/config/paths.js';
import { openStore } from '../../gateway/store/open.js';
import type { Store } from '../../gateway/store/store.js';
import { balise } from '../cli/terminal.js';
import { SiteFolder } from '../config/site-folder.js';
import { silent } from '../store/samples.js';

export const CAMPAIGN = {
  id: 'trains',
  firm: 'Example Research',
  purpose: 'a survey about trains',
  languages: ['nl', 'en'],
  trunk: 'carrier',
  attempts: { most: 3, spacingS: 3600 },
  maxTalkS: 900,
  pay: { currency: 'EUR', perHour: 400 },
};

/** A site, and beside its folder the file of a campaign about trains that nobody has taken yet. */
export async function aSite(t: Test): Promise<SiteFolder> {
  const folder = await SiteFolder.make();
  t.teardown(() => folder.remove());
  const { trunks } = await folder.load();
  writeFileSync(join(folder.path, '..', 'trains.json'), JSON.stringify({ ...CAMPAIGN, trunk: trunks[0]?.id }));
  return folder;
}

/** Beside the site’s folder. */
export const file = (folder: SiteFolder, name: string): string => join(folder.path, '..', name);

/** A site that has taken the campaign. */
export async function withTrains(t: Test): Promise<SiteFolder> {
  const folder = await aSite(t);
  const sound = (language: string) => [
    '--sound',
    `${language}=${programData('prompts', language, 'work.signed-off.alaw')}`,
  ];
  const sounds = [...sound('nl'), ...sound('en')];
  t.match(await balise(['campaign', 'set', '--site', folder.path, ...sounds, file(folder, 'trains.json')]), {
    status: 0,
  });
  return folder;
}

export function importing(folder: SiteFolder, csv: string, ...more: readonly string[]) {
  writeFileSync(file(folder, 'contacts.csv'), csv);
  return balise([
    'campaign',
    'import',
    '--site',
    folder.path,
    '--campaign',
    'trains',
    ...more,
    file(folder, 'contacts.csv'),
  ]);
}

/** The site’s store, as its gateway opens it. */
export async function opened(folder: SiteFolder): Promise<Store> {
  const { site, dataFolder } = await folder.load();
  return openStore({
    folder: dataFolder,
    clock: systemClock(() => ({ trusted: true })),
    gatewayId: `${site.site}/${site.gateway}`,
    bootId: 'boot-1',
    log: silent,
  });
}
