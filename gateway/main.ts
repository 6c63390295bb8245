/**
 * The gateway as a program: `node dist/gateway/main.js --config <site folder>`.
 * Exit status: 0 a clean stop; 78 (EX_CONFIG) the configuration is at fault and nothing was started; 75 (EX_TEMPFAIL)
 * another gateway runs this site; 70 (EX_SOFTWARE) anything else.
 */
import { parseArgs } from 'node:util';
import pino from 'pino';
import { ConfigFault, formatFaults } from './config/fault.js';
import { loadSite, type SiteFiles } from './config/site.js';
import { Gateway } from './gateway.js';
import { StoreFault } from './store/fault.js';
import { StartFault } from './supervisor/run-folder.js';

const EX_USAGE = 64;
const EX_SOFTWARE = 70;

const HELP = `Usage: npm start -- --config <site folder>

Runs the gateway of one site until SIGTERM or Ctrl-C. The log is one JSON object a line on standard output.

  --config <folder>   the site's folder: site.json, wings.json, handsets.json and the others (see config/README.md)
  --life-line         stop when standard input closes: for programs that start a gateway and must not leave one behind
  --help              this text

Exit status: 0 stopped cleanly, 64 wrong arguments, 70 an internal fault, 75 already running, 78 the site is at fault.
Example: npm start -- --config /etc/balise/site
`;

function endWith(code: number, text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(code);
}

function readArguments(): { folder: string; lifeLine: boolean } {
  try {
    const { values } = parseArgs({
      options: { config: { type: 'string' }, 'life-line': { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    });
    if (values.help === true) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    if (values.config === undefined) throw new Error('--config <site folder> is missing');
    return { folder: values.config, lifeLine: values['life-line'] === true };
  } catch (error) {
    endWith(EX_USAGE, `${error instanceof Error ? error.message : error}\n\n${HELP}`);
  }
}

async function load(folder: string): Promise<SiteFiles> {
  try {
    return await loadSite(folder);
  } catch (error) {
    if (error instanceof ConfigFault) endWith(error.exitCode, formatFaults(error));
    throw error;
  }
}

async function main(): Promise<void> {
  const { folder, lifeLine } = readArguments();
  const files = await load(folder);
  const destination = pino.destination({ fd: 1, sync: false });
  const log = pino({ name: 'balise', level: files.site.log.level }, destination);
  const gateway = new Gateway(files, log);

  const stop = (why: string, code: number): void => {
    const leave = (): void => {
      // At the exit the log would try once more what could not be written, and for ever where nobody reads it any more.
      destination.flushSync = () => undefined;
      process.exit(code);
    };
    void gateway.stop(why).then(() => {
      log.flush(leave);
      setTimeout(leave, 500);
    });
  };
  process.on('SIGTERM', () => stop('SIGTERM', 0));
  process.on('SIGINT', () => stop('SIGINT', 0));
  // A fault that nobody foresaw: the planes end every lease when this process goes, so going is the safe side.
  process.on('uncaughtException', (error) => {
    log.fatal({ event: 'gateway.fault', err: error }, 'stopping: an unforeseen fault');
    stop('fault', EX_SOFTWARE);
  });
  if (lifeLine) process.stdin.on('end', () => stop('life line cut', 0)).resume();

  try {
    await gateway.start();
  } catch (error) {
    log.fatal({ event: 'gateway.start-failed', err: error }, 'the gateway could not start');
    await gateway.stop('start failed');
    if (error instanceof StartFault) endWith(error.exitCode, error.message);
    if (error instanceof StoreFault) endWith(EX_SOFTWARE, error.message);
    endWith(EX_SOFTWARE, `the gateway could not start: ${error instanceof Error ? error.message : error}`);
  }
}

await main();
