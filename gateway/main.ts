/**
 * The gateway as a program: `node dist/gateway/main.js --config <site folder>`.
 * Exit status: 0 a clean stop; 78 (EX_CONFIG) the configuration is at fault and nothing was started; 75 (EX_TEMPFAIL)
 * another gateway runs this site; 70 (EX_SOFTWARE) anything else.
 */
import { parseArgs } from 'node:util';
import { EarlyPlanes } from './supervisor/early-planes.js';
import { ENGINE, RELAY } from './supervisor/plane-programs.js';

const EX_USAGE = 64;

const HELP = `Usage: npm start -- --config <site folder>

Runs the gateway of one site until SIGTERM or Ctrl-C; SIGHUP has it take handsets.json anew. The log is one JSON object a line on standard output.

  --config <folder>   the site's folder: site.json, wings.json, handsets.json and the others (see config/README.md)
  --life-line         stop when standard input closes: for programs that start a gateway and must not leave one behind
  --help              this text

Exit status: 0 stopped cleanly, 64 wrong arguments, 70 an internal fault, 75 already running, 78 the site is at fault.
Example: npm start -- --config /etc/balise/site
`;

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
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${HELP}\n`);
    process.exit(EX_USAGE);
  }
}

const { folder, lifeLine } = readArguments();
// They load beside the program itself: a handset is answered some 200 ms sooner.
const early = new EarlyPlanes([ENGINE, RELAY]);
const { run } = await import('./program.js');
await run(folder, lifeLine, early);
