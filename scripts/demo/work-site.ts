/** What the working day of the demo rests on: two campaigns, two people and their contacts, taken as a technician takes them. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programData } from '../../gateway/config/paths.js';
import { balise } from './balise.js';
import type { Story } from './story.js';

export interface DemoWorker {
  readonly person: string;
  readonly code: string;
  readonly pin: string;
  readonly handset: string;
  readonly campaign: string;
}

export const WORKERS = {
  brussels: { person: 'p-1', code: '3051', pin: '4817', handset: 'b-201', campaign: 'trains' },
  ankara: { person: 'p-2', code: '6642', pin: '9035', handset: 'a-102', campaign: 'data-check' },
} as const satisfies Record<string, DemoWorker>;

const CAMPAIGNS = [
  {
    ...{
      id: 'trains',
      firm: 'Example Research',
      purpose: 'treinen in Brussel',
      language: 'nl',
      worker: WORKERS.brussels,
    },
    contacts: ['+3225550100', '+3225550101'],
  },
  {
    ...{ id: 'data-check', firm: 'Örnek Veri', purpose: 'adres bilgileri', language: 'tr', worker: WORKERS.ankara },
    contacts: ['+902121234567'],
  },
];

const isThere = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;

/** Takes campaigns, people and contacts into the site before its gateway starts. */
export async function prepareWork(site: string, story: Story): Promise<void> {
  const folder = join(site, 'work');
  mkdirSync(folder);
  const canSpeak = isThere('espeak-ng') && isThere('sox');
  for (const { id, firm, purpose, language, contacts, worker } of CAMPAIGNS) {
    const campaign = join(folder, `${id}.json`);
    const rules = { attempts: { most: 3, spacingS: 3_600 }, maxTalkS: 900, wrapUpS: 30 };
    const pay = { currency: 'EUR', perHour: 400 };
    writeFileSync(
      campaign,
      JSON.stringify({ id, firm, purpose, languages: [language], trunk: 'carrier', ...rules, pay }),
    );
    // Without a voice on this machine, callees hear another of the program's own sentences.
    const sound = ['--sound', `${language}=${programData('prompts', language, 'announcement.callee.alaw')}`];
    const at = ['--site', site];
    story.tell('technician', (await balise(['campaign', 'set', ...at, ...(canSpeak ? [] : sound), campaign])).trim());
    const csv = join(folder, `${id}.csv`);
    writeFileSync(csv, ['number,language', ...contacts.map((number) => `${number},${language}`), ''].join('\n'));
    story.tell('technician', (await balise(['campaign', 'import', ...at, '--campaign', id, csv])).trim());
    const who = ['--id', worker.person, '--code', worker.code, '--handset', worker.handset];
    const does = ['--language', language, '--campaign', id];
    story.tell('technician', (await balise(['person', 'add', ...at, ...who, ...does], `${worker.pin}\n`)).trim());
  }
}
