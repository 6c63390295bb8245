import { createReadStream, readFileSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { JWK } from 'jose';
import { loadSite } from '../../gateway/config/site.js';
import { AuditReader } from '../../gateway/store/audit.js';
import { type ChainEnd, type ChainReport, ChainWalk, GENESIS } from '../../gateway/store/chain.js';
import { SignatureCheck } from './audit-signatures.js';
import { type Command, EXIT, type ExitCode, type Terminal, UsageFault } from './command.js';
import { siteFolderOf } from './gateway-client.js';

const HELP = `balise audit: the chain of everything that a gateway has reported

usage: balise audit verify [<data folder | file>] [--site <folder>] [--gateway-key <pem>] [--authority <pem>] [--headquarters-key <jwk>] [--json]
       balise audit export [<data folder>] [--site <folder>] [--from <n>] [--to <n>]

  verify  walks the chain and names the first break: an event that was changed, removed, slipped in, or cannot be read.
          A file is an export, one event a line, as \`balise audit export\` or headquarters writes it.
          Checkpoints in it are verified too: the gateway's signature by the certificate that it brings or the key
          given, headquarters' countersignature by headquarters' public key.
  export  writes the events to standard output, one JSON object a line, in order

  --site              the site's folder, where no data folder or file is named; default $BALISE_SITE, or /etc/balise/site
  --gateway-key       the gateway's public key or certificate, PEM
  --authority         the authority that must have issued the gateway's certificate, PEM
  --headquarters-key  headquarters' public key, as in commandKeys of uplink.json
  --from, --to  the first and the last sequence number, both included
  --json        the report as JSON

Works beside a running gateway, and off line on a copy; changes nothing.
Exit status 0 when the chain is whole and every signature good, 1 when not, 78 when there is no store to read.

example
  balise audit export /etc/balise/site/data > audit.ndjson
  balise audit verify audit.ndjson
`;

const WORDS: Readonly<Record<Exclude<ChainReport, { whole: true }>['broken'], string>> = {
  unreadable: 'it is no JSON: it was damaged',
  gap: 'another event stands in its place: it was removed, or one was slipped in',
  content: 'its content does not match its hash: it was changed',
  link: 'it does not follow the event before it: that one was changed and hashed anew, or this one comes from elsewhere',
};

/** Told on a terminal each so many events, so that a long walk shows that it goes on. */
const TELL_EVERY = 50_000;

/** `balise audit verify|export` */
export const audit: Command = {
  name: 'audit',
  summary: 'verifies or exports the chain of everything that was reported',
  help: HELP,
  async run(args, terminal) {
    const options = {
      json: { type: 'boolean' },
      site: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      'gateway-key': { type: 'string' },
      authority: { type: 'string' },
      'headquarters-key': { type: 'string' },
    } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [what, named, ...more] = positionals;
    if (what !== 'verify' && what !== 'export') throw new UsageFault('verify or export?');
    if (more.length > 0) throw new UsageFault('one at a time');
    const place = named ?? (await loadSite(siteFolderOf(values.site))).dataFolder;
    if (what === 'export') return exportEvents(place, count(values.from, 'from'), count(values.to, 'to'), terminal);
    if (values.from !== undefined || values.to !== undefined)
      throw new UsageFault('--from and --to are for export: a chain is verified whole');
    const signatures = new SignatureCheck({
      ...(values['gateway-key'] === undefined ? {} : { key: readFileSync(values['gateway-key'], 'utf8') }),
      ...(values.authority === undefined ? {} : { authority: readFileSync(values.authority, 'utf8') }),
      ...(values['headquarters-key'] === undefined
        ? {}
        : { headquarters: JSON.parse(readFileSync(values['headquarters-key'], 'utf8')) as JWK }),
    });
    const { report, gateway } = statSync(place, { throwIfNoEntry: false })?.isFile()
      ? await verifyFile(place, terminal, signatures)
      : await verifyFolder(place, terminal, signatures);
    const { checkpoints, countersigned, faults } = signatures;
    terminal.stdout.write(
      values.json === true
        ? `${JSON.stringify({ gateway, ...report, ...(checkpoints + countersigned === 0 ? {} : { checkpoints, countersigned, faults }) })}\n`
        : `${[sentence(report, gateway), ...signatures.sentences()].join('\n')}\n`,
    );
    return report.whole && faults.length === 0 ? EXIT.ok : EXIT.no;
  },
};

interface Verified {
  readonly report: ChainReport;
  readonly gateway: string;
}

async function verifyFolder(folder: string, terminal: Terminal, signatures: SignatureCheck): Promise<Verified> {
  const reader = new AuditReader(folder);
  try {
    const walk = new ChainWalk(reader.before());
    for (const body of reader.bodies()) {
      if (!walk.take(body)) break;
      await signatures.take(body, walk.end);
      progress(walk, terminal);
    }
    return { report: walk.report(), gateway: reader.gateway() };
  } finally {
    reader.close();
  }
}

async function verifyFile(file: string, terminal: Terminal, signatures: SignatureCheck): Promise<Verified> {
  let walk: ChainWalk | undefined;
  let gateway = 'an unknown gateway';
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue;
    if (walk === undefined) {
      const first = beginning(line);
      walk = new ChainWalk(first.before);
      gateway = first.gateway;
    }
    if (!walk.take(line)) break;
    await signatures.take(line, walk.end);
    progress(walk, terminal);
  }
  if (walk === undefined) throw new UsageFault(`${file} holds no event`);
  return { report: walk.report(), gateway };
}

/** An export may begin anywhere; what its first event says of the one before is all that is known of it. */
function beginning(line: string): { readonly before: ChainEnd; readonly gateway: string } {
  const fallback = { before: { sequence: 0, hash: GENESIS }, gateway: 'an unknown gateway' };
  let event: { sequence?: unknown; prevhash?: unknown; source?: unknown };
  try {
    event = JSON.parse(line) as typeof event;
  } catch {
    return fallback;
  }
  const { sequence, prevhash, source } = event;
  if (!Number.isSafeInteger(sequence) || typeof prevhash !== 'string' || (sequence as number) < 1) return fallback;
  const gateway = typeof source === 'string' ? source.replace(/^balise\//, '') : fallback.gateway;
  if (sequence === 1) return { ...fallback, gateway };
  return { before: { sequence: (sequence as number) - 1, hash: prevhash }, gateway };
}

async function exportEvents(
  folder: string,
  from = 0,
  to = Number.MAX_SAFE_INTEGER,
  terminal: Terminal,
): Promise<ExitCode> {
  const reader = new AuditReader(folder);
  try {
    for (const body of reader.bodies(from, to)) {
      if (!terminal.stdout.write(`${body}\n`)) {
        await new Promise<void>((resolve) => terminal.stdout.once('drain', resolve));
      }
    }
    return EXIT.ok;
  } finally {
    reader.close();
  }
}

function sentence(report: ChainReport, gateway: string): string {
  if (!report.whole) return `${gateway}: the chain is broken at event ${report.sequence}: ${WORDS[report.broken]}`;
  if (report.to < report.from) return `${gateway}: there are no events yet`;
  const begins =
    report.from === 1 ? '' : '; earlier ones are not here, and the first of these names the hash they ended with';
  return `${gateway}: the chain is whole, events ${report.from} to ${report.to}${begins}`;
}

function progress(walk: ChainWalk, { stderr }: Terminal): void {
  const { sequence } = walk.end;
  if (sequence % TELL_EVERY === 0 && (stderr as { isTTY?: boolean }).isTTY === true)
    stderr.write(`  event ${sequence}\r`);
}

function count(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new UsageFault(`--${option} must be a sequence number, and is "${text}"`);
  return Number(text);
}
