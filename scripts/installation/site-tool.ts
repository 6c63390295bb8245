/**
 * What the installer has another release do with a site, in a process of that release and under the gateway's user.
 *
 *     node site-tool.js check <site folder>      reads the site as the gateway does
 *     node site-tool.js forward <site folder>    brings its store to this release's version and checks it
 *
 * Exit status: 0 done, 70 the store cannot be used, 78 the site is at fault.
 */
import pino from 'pino';
import { readBootId, systemClock } from '../../gateway/clock/system-clock.js';
import { ConfigFault, formatFaults } from '../../gateway/config/fault.js';
import { loadSite } from '../../gateway/config/site.js';
import { StoreFault } from '../../gateway/store/fault.js';
import { openStore } from '../../gateway/store/open.js';

async function forward(folder: string): Promise<void> {
  const { site, dataFolder } = await loadSite(folder);
  const store = openStore({
    folder: dataFolder,
    clock: systemClock(() => ({ trusted: true })),
    gatewayId: `${site.site}/${site.gateway}`,
    bootId: readBootId(),
    log: pino({ level: 'silent' }),
  });
  store.close();
}

const VERBS: Readonly<Record<string, (folder: string) => Promise<unknown>>> = { check: loadSite, forward };

const [verb = '', folder = ''] = process.argv.slice(2);
try {
  const act = VERBS[verb];
  if (act === undefined) throw new Error(`site-tool: there is no "${verb}"`);
  await act(folder);
} catch (fault) {
  if (!(fault instanceof ConfigFault || fault instanceof StoreFault)) throw fault;
  process.stderr.write(fault instanceof ConfigFault ? formatFaults(fault) : `${fault.message}\n`);
  process.exitCode = fault instanceof ConfigFault ? fault.exitCode : 70;
}
