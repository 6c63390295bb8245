import pino from 'pino';
import { ConfigFault, formatFaults } from './config/fault.js';
import { loadSite, type SiteFiles } from './config/site.js';
import { Gateway } from './gateway.js';
import { LogPieces } from './log-pieces.js';
import { serviceOf } from './service.js';
import { StoreFault } from './store/fault.js';
import type { EarlyPlanes } from './supervisor/early-planes.js';
import { StartFault } from './supervisor/run-folder.js';

const EX_SOFTWARE = 70;
function endWith(code: number, text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(code);
}

async function load(folder: string): Promise<SiteFiles> {
  try {
    return await loadSite(folder);
  } catch (error) {
    if (error instanceof ConfigFault) endWith(error.exitCode, formatFaults(error));
    throw error;
  }
}

/**
 * Runs the gateway of a site's folder until it is told to stop; a site that is at fault ends the process with status 78.
 * @param lifeLine stop when standard input closes.
 * @param early planes' processes that were started ahead.
 */
export async function run(folder: string, lifeLine: boolean, early: EarlyPlanes): Promise<void> {
  const files = await load(folder);
  // With no least length flush() waits for nothing, and the last lines are lost at a busy machine's exit.
  const destination = pino.destination({ fd: 1, sync: false, minLength: 1 });
  const log = pino({ name: 'balise', level: files.site.log.level }, new LogPieces(destination));
  const gateway = new Gateway(files, log, early);
  const service = serviceOf(gateway, log);

  const stop = (why: string, code: number): void => {
    const leave = (): void => {
      // At the exit the log would try once more what could not be written, and for ever where nobody reads it any more.
      destination.flushSync = () => undefined;
      process.exit(code);
    };
    service.stopping();
    void gateway.stop(why).then(() => {
      log.flush(leave);
      setTimeout(leave, 500);
    });
  };
  process.on('SIGTERM', () => stop('SIGTERM', 0));
  process.on('SIGINT', () => stop('SIGINT', 0));
  process.on('SIGHUP', () => void gateway.reload());
  // A fault that nobody foresaw: the planes end every lease when this process goes, so going is the safe side.
  process.on('uncaughtException', (error) => {
    log.fatal({ event: 'gateway.fault', err: error }, 'stopping: an unforeseen fault');
    stop('fault', EX_SOFTWARE);
  });
  if (lifeLine) process.stdin.on('end', () => stop('life line cut', 0)).resume();

  try {
    await gateway.start();
    service.ready();
  } catch (error) {
    log.fatal({ event: 'gateway.start-failed', err: error }, 'the gateway could not start');
    await gateway.stop('start failed');
    if (error instanceof StartFault) endWith(error.exitCode, error.message);
    if (error instanceof StoreFault) endWith(EX_SOFTWARE, error.message);
    endWith(EX_SOFTWARE, `the gateway could not start: ${error instanceof Error ? error.message : error}`);
  }
}
