/** The site's folder of an installation. */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { loadSite } from '../../gateway/config/site.js';
import { runningGateway } from '../../gateway/supervisor/run-folder.js';
import { EXIT } from '../cli/command.js';
import { run } from './child.js';
import { InstallFault } from './fault.js';
import type { Machine } from './machine.js';
import { CONFIG, CURRENT, DATA, RUN, SITE, USER } from './places.js';

/** Relative to the site's folder, so that they hold in a root as well. */
const DATA_FROM_SITE = relative(SITE, DATA);
const RUN_FROM_SITE = relative(SITE, RUN);
/** What a gateway that ran from the given folder may have left there. */
const LEFT = /\/(data|run|gateway\.log)$/;

export const hasSite = (machine: Machine): boolean => machine.has(`${SITE}/site.json`);

/**
 * Copies a site's folder to its place, with the machine's own folders for data and sockets. Throws an `InstallFault` when
 * `from` is no site, or when there is a site already that is not the same.
 */
export function putSite(machine: Machine, from: string): void {
  const file = join(from, 'site.json');
  if (!existsSync(file)) throw new InstallFault(`${from} is no site: it has no site.json`, EXIT.config);
  const wanted = placed(file);
  if (hasSite(machine)) {
    if (machine.read(`${SITE}/site.json`) === wanted) {
      machine.say(`the site is in ${SITE}`);
      return;
    }
    throw new InstallFault(
      `a site is in ${SITE} already, and it stays as it is: leave --site out, or move it away`,
      EXIT.no,
    );
  }
  const to = machine.at(SITE);
  machine.work(`copy the site ${from} to ${SITE}, with its data in ${DATA} and its sockets in ${RUN}`, () => {
    const filter = (path: string): boolean => !LEFT.test(path);
    // A site of another installation has links for its handsets and boards: what they lead to is copied.
    cpSync(from, to, { recursive: true, filter, dereference: true });
    writeFileSync(join(to, 'site.json'), wanted);
  });
  protect(machine);
}

/** Only root changes a site's files, but for its handsets and boards, and only the gateway's group reads them: they hold secrets. */
export function protect(machine: Machine): void {
  if (!hasSite(machine)) return;
  if (!machine.isDry) run('chmod', ['-R', 'u=rwX,g=rX,o=', machine.at(SITE)]);
  machine.command(['chown', '-R', '--no-dereference', `root:${USER}`, SITE]);
  for (const name of GIVEN) give(machine, name);
}

/** What the console changes of a site. */
const GIVEN = ['handsets.json', 'boards.json'] as const;

/**
 * The console changes a site's handsets, adds its boards, and changes nothing else of it: their files lie with the gateway's
 * data, the only place that it writes to, and the site has a link to each. Policy and trunks stay root's.
 */
function give(machine: Machine, name: (typeof GIVEN)[number]): void {
  const [link, file] = [machine.at(`${SITE}/${name}`), machine.at(`${DATA}/${name}`)];
  const stat = lstatSync(link, { throwIfNoEntry: false });
  // A site without boards has no file of them: it gets an empty list, so that the console can add the first.
  if (stat === undefined || stat.isFile()) {
    machine.work(`keep ${name} in ${DATA}, where the console may change it`, () => {
      if (stat === undefined) writeFileSync(`${file}.new`, '[]\n');
      else copyFileSync(link, `${file}.new`);
      chmodSync(`${file}.new`, 0o600);
      renameSync(`${file}.new`, file);
      symlinkSync(join(DATA_FROM_SITE, name), `${link}.new`);
      renameSync(`${link}.new`, link);
    });
  }
  machine.command(['chown', `${USER}:${USER}`, `${DATA}/${name}`]);
}

function placed(file: string): string {
  const text = readFileSync(file, 'utf8');
  try {
    const site = JSON.parse(text) as Record<string, unknown>;
    return `${JSON.stringify({ ...site, dataFolder: DATA_FROM_SITE, runFolder: RUN_FROM_SITE }, null, 2)}\n`;
  } catch (fault) {
    throw new InstallFault(`${file}: ${fault instanceof Error ? fault.message : fault}`, EXIT.config);
  }
}

/**
 * Reads a site as the gateway of this very program does. Throws a `ConfigFault` with every fault when it would not start
 * with it; in a root, where no systemd can stop it, an `InstallFault` when a gateway runs on it.
 */
export async function checkSite(machine: Machine, folder = machine.at(SITE)): Promise<void> {
  const { dataFolder, runFolder } = await loadSite(folder);
  const pid = runningGateway(dataFolder, runFolder);
  if (pid !== undefined && !machine.isLive)
    throw new InstallFault(`a gateway runs on the site in ${folder} (process ${pid}): stop it first`, EXIT.no);
}

/** What is left to do where no site is yet. */
export function tellNoSite(machine: Machine): void {
  machine.say(`no site is in ${SITE} yet: start from ${CURRENT}/config/demo and ${CURRENT}/config/README.md, then`);
  machine.say(
    `  scripts/install --site <folder>   (or copy it to ${SITE} with "dataFolder": "${DATA}" and "runFolder": "${RUN}")`,
  );
  machine.say(`  agents of systemd: balise board agent ${SITE} <name> > ${CONFIG}/agents/<name>.json`);
}
