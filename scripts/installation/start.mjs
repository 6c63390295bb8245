/** What `scripts/install` runs: builds the program where this is its source, then the installer. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, installPackages, root } from '../set-up.mjs';

const main = join(root, 'dist', 'scripts', 'installation', 'main.js');
const args = process.argv.slice(2);
const isSource = existsSync(join(root, 'tsconfig.json'));
// Neither the help nor what takes a program away needs a fresh build.
const needsBuild = !['--help', '-h', '--back', '--uninstall'].some((arg) => args.includes(arg));
if (isSource && (needsBuild || !existsSync(main))) {
  installPackages();
  build();
}
const { runInstaller } = await import(pathToFileURL(main).href);
process.exitCode = await runInstaller(args);
