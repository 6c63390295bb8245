#!/usr/bin/env node
/** `balise`: builds the program when it was never built, then runs the command line. Its own words go to stderr. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const main = join(root, 'dist', 'scripts', 'cli', 'main.js');
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

if (!existsSync(main)) {
  if (!existsSync(tsc)) {
    process.stderr.write(`balise: the program is not installed: run npm ci in ${root}\n`);
    process.exit(69); // EX_UNAVAILABLE
  }
  process.stderr.write('balise: building\n');
  spawnSync(process.execPath, [tsc, '-p', root], { stdio: ['ignore', 2, 2] });
  if (!existsSync(main)) process.exit(69);
}
// Whoever read it has read enough (`| head`): that is no fault, and what was ordered is done all the same.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (fault) => {
    if (fault.code !== 'EPIPE') throw fault;
  });
const { runCli } = await import(pathToFileURL(main).href);
process.exitCode = await runCli(process.argv.slice(2));
