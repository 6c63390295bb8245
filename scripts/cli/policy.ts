import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Temporal } from 'temporal-polyfill';
import { systemClock } from '../../gateway/clock/system-clock.js';
import { loadSite } from '../../gateway/config/site.js';
import { widenings } from '../../gateway/policy/compare.js';
import { BundleFault, checkBundle, payloadOf, signBundle } from '../../gateway/policy-bundle/bundle.js';
import { policyOfFolder, SitePolicy } from '../../gateway/site-policy.js';
import { newSigningKey, type SigningKey } from '../headquarters/sign-command.js';
import { type Command, EXIT, type ExitCode, needed, type Terminal, UsageFault } from './command.js';
import { siteFolderOf } from './gateway-client.js';

const HELP = `balise policy: signed policy bundles

usage: balise policy keygen --kid <name> --key <file>
       balise policy sign --key <file> <bundle.json | bundle.jws>
       balise policy verify [--site <folder>] <bundle.jws>
       balise policy diff [--site <folder>] <bundle.jws>
       balise policy apply [--site <folder>] <bundle.jws>
       balise policy show [--site <folder>] [--json]

keygen  makes a signing key; the private half goes to the file, the public half to stdout, for policy.keys of site.json
sign    signs the policy in a JSON file, or adds a signature to a bundle; the bundle goes to stdout
verify  tells whether the site would take the bundle, and why not
diff    tells what the bundle lets through that is not let through now, and the other way round
apply   puts the bundle in force; a gateway that runs takes it at once, and judges its live calls again
show    tells what is in force

  --site  the site's folder; default $BALISE_SITE, or /etc/balise/site

A bundle narrows with one signature and widens with two of different keys. Versions only rise. Exit status 0, or 1 when the
bundle is not, or would not be, taken; then nothing is changed.

example
  balise policy sign --key warden.jwk policy.json > policy.jws
`;

interface Job {
  readonly terminal: Terminal;
  readonly values: { readonly site?: string; readonly key?: string; readonly kid?: string; readonly json?: boolean };
  readonly file: string | undefined;
}

const JOBS: Readonly<Record<string, (job: Job) => Promise<ExitCode>>> = { keygen, sign, verify, diff, apply, show };

/** `balise policy` */
export const policy: Command = {
  name: 'policy',
  summary: 'signs, compares and applies policy bundles',
  help: HELP,
  async run(args, terminal) {
    const text = { type: 'string' } as const;
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { site: text, key: text, kid: text, json: { type: 'boolean' } },
      allowPositionals: true,
    });
    const [what, file] = positionals;
    const job = JOBS[what ?? ''];
    if (job === undefined) throw new UsageFault(`one of ${Object.keys(JOBS).join(', ')}`);
    try {
      return await job({ terminal, values, file });
    } catch (fault) {
      if (!(fault instanceof BundleFault)) throw fault;
      terminal.stderr.write(`${fault.code}: ${fault.message}\n`);
      return EXIT.no;
    }
  },
};

const now = (): Temporal.Instant => systemClock(() => ({ trusted: true })).wall();
const read = (file: string | undefined): string => readFileSync(needed(file, 'the file'), 'utf8');

async function keygen({ values, terminal }: Job): Promise<ExitCode> {
  const file = needed(values.key, '--key');
  if (existsSync(file)) throw new UsageFault(`${file} is there already: a key is never overwritten`);
  const { privateJwk, publicJwk } = await newSigningKey(needed(values.kid, '--kid'));
  writeFileSync(file, `${JSON.stringify(privateJwk)}\n`, { mode: 0o600, flag: 'wx' });
  terminal.stdout.write(`${JSON.stringify(publicJwk)}\n`);
  return EXIT.ok;
}

async function sign({ values, terminal, file }: Job): Promise<ExitCode> {
  const key = JSON.parse(read(needed(values.key, '--key'))) as SigningKey;
  if (typeof key.d !== 'string' || typeof key.kid !== 'string')
    throw new UsageFault('the key is no private JWK with a kid');
  const text = read(file);
  const isBundle = !text.trimStart().startsWith('{');
  // A second signature is over the very bytes that the first one is over.
  const payload = isBundle ? payloadOf(text) : Buffer.from(JSON.stringify(JSON.parse(text)));
  checkBundle(JSON.parse(payload.toString('utf8')));
  terminal.stdout.write(await signBundle(payload, key, isBundle ? text : ''));
  return EXIT.ok;
}

async function siteOf({
  values,
  terminal,
}: Job): Promise<{ readonly site: SitePolicy; readonly base: ReturnType<typeof policyOfFolder> }> {
  const files = await loadSite(siteFolderOf(values.site));
  if (files.site.policy === undefined)
    throw new UsageFault('site.json has no "policy": the folder’s own policy is in force');
  const site = new SitePolicy(files, (code, why) => terminal.stderr.write(`${code}: ${why}\n`));
  await site.load(now());
  return { site, base: policyOfFolder(files) };
}

async function verify(job: Job): Promise<ExitCode> {
  const { site } = await siteOf(job);
  const verified = await site.verify(read(job.file));
  const { widens } = site.judgeOffer(verified, now());
  const { version } = verified.bundle;
  job.terminal.stdout.write(
    `version ${version}, signed by ${verified.signedBy.join(' and ')}: would be taken; it ${widens.length === 0 ? 'only narrows' : 'widens'}\n`,
  );
  return EXIT.ok;
}

async function diff(job: Job): Promise<ExitCode> {
  const { site, base } = await siteOf(job);
  const { bundle } = await site.verify(read(job.file));
  const fresh = { ...base, bundle: bundle.content };
  const current = site.bundle;
  if (current === undefined) {
    job.terminal.stdout.write('nothing is in force: all of it is new\n');
    return EXIT.ok;
  }
  const before = { ...base, bundle: current.content };
  const lines = (title: string, found: readonly string[]) =>
    `${title}${found.length === 0 ? ' nothing\n' : `\n${found.map((one) => `  ${one}\n`).join('')}`}`;
  job.terminal.stdout.write(
    `version ${current.version} → ${bundle.version}\n${lines('widens:', widenings(before, fresh))}${lines('narrows (as widening the other way):', widenings(fresh, before))}`,
  );
  return EXIT.ok;
}

async function apply(job: Job): Promise<ExitCode> {
  const { site } = await siteOf(job);
  const { bundle, widens, signedBy } = await site.offer(read(job.file), now());
  job.terminal.stdout.write(
    `version ${bundle.version} is in force, signed by ${signedBy.join(' and ')}\n${widens.map((what) => `  widens: ${what}\n`).join('')}`,
  );
  return EXIT.ok;
}

async function show(job: Job): Promise<ExitCode> {
  const { site } = await siteOf(job);
  const { bundle } = site;
  if (bundle === undefined) {
    job.terminal.stdout.write('no policy is in force: every call is refused\n');
    return EXIT.no;
  }
  const { version, validFrom, validOfflineH, content } = bundle;
  job.terminal.stdout.write(
    job.values.json === true
      ? `${JSON.stringify(bundle, null, 2)}\n`
      : `version ${version} for ${bundle.site}, valid from ${validFrom}, ${validOfflineH} h off line; profiles ${content.profiles.map(({ id }) => id).join(', ')}\n`,
  );
  return EXIT.ok;
}
