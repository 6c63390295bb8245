/**
 * Runs command lines of `balise` one after another in one process, at the terminal that it was started at: what a person
 * sees there is not what a pipe gets. Between marks that no command writes, so that each one's part can be told.
 * Called with a file of JSON: a list of lists of arguments.
 */
import { readFileSync } from 'node:fs';
import { runCli } from '../../scripts/cli/main.js';

const lines = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as readonly (readonly string[])[];
for (const [at, args] of lines.entries()) {
  process.stdout.write(`\u001e${at} begins\u001e`);
  const status = await runCli(args);
  process.stdout.write(`\u001e${at} ends ${status}\u001e`);
}
// A terminal that was read from is still listened to.
process.exit(0);
