/** `npm start`: installs, builds, and runs the gateway; the demo site unless `--config <dir>` names a real one. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, installPackages, root } from './set-up.mjs';

const args = process.argv.slice(2);
installPackages();
build();
const real = args.includes('--config') || args.some((arg) => arg.startsWith('--config='));
const program = join(root, 'dist', ...(real ? ['gateway', 'main.js'] : ['scripts', 'demo', 'main.js']));
const child = spawn(process.execPath, [program, ...args], { stdio: 'inherit', cwd: process.env.INIT_CWD ?? root });
// The terminal's Ctrl-C reaches the child by itself; a SIGTERM to us is handed on. Either way we wait for its clean end.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
