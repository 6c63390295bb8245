import { createReadStream, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import type { JWK } from 'jose';
import { Temporal } from 'temporal-polyfill';
import type { WorkCorrectionData } from '../../config/schema/types.generated.js';
import { loadSite, type SiteFiles } from '../../gateway/config/site.js';
import { type ChainEnd, ChainWalk, GENESIS, sourceOf } from '../../gateway/store/chain.js';
import type { Store } from '../../gateway/store/store.js';
import { correctionFault, signCorrection } from '../../gateway/work/correction.js';
import type { WorkEvent } from '../../gateway/work/pay.js';
import { type Statement, statementCsv, statementOf } from '../../gateway/work/statement.js';
import { isPageOf, statementIn, statementPage } from '../../gateway/work/statement-page.js';
import { type Command, EXIT, type ExitCode, needed, type Terminal, UsageFault } from './command.js';
import { siteFolderOf } from './gateway-client.js';
import { clock, jsonFile, withStore } from './open-work.js';

const HELP = `balise statement: what somebody worked in a month, and what it is paid

usage: balise statement [--site <folder>] --person <id> --month <YYYY-MM> [--form html|csv|json] [--out <file>] [--key <jwk>...]
       balise statement verify <statement> [--site <folder> | --chain <export>] [--key <jwk>...]
       balise statement correct [--site <folder>] --person <id> --month <YYYY-MM> --campaign <id> --minutes=<n>
                                --reason <text> --by <name> --key <private jwk>

A statement rests on the events of the gateway's audit chain alone, and names each by number and hash.

  verify   makes the statement anew from the chain and compares: every event, every figure. The chain is the site's own, or an
           export of it as \`balise audit export\` or headquarters writes it; an export is walked whole, so that nothing in it
           can have been changed, and it must reach back to the month
  correct  appends a correction, signed; minutes may be negative (--minutes=-15). Nothing that was written is ever changed

  --site   the site's folder; default $BALISE_SITE, or /etc/balise/site
  --form   html for printing and csv for sums; default html
  --out    the file; default: standard output
  --key    a public key, besides commandKeys of uplink.json, by which corrections may be signed. For correct: the private key

Exit status of verify: 0 when all of it stands, 1 when not.

example
  balise statement --site /etc/balise --person p-17 --month 2026-03 --out p-17.html
`;

type Key = JWK & { readonly kid: string };

/** Before a month: the sessions of its first minutes may have begun then, milliseconds. */
const BEFORE_MS = 2 * 86_400_000;

/** `balise statement` */
export const statement: Command = {
  name: 'statement',
  summary: 'makes and verifies statements of paid time',
  help: HELP,
  async run(args, terminal) {
    const text = { type: 'string' } as const;
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        site: text,
        person: text,
        month: text,
        form: { type: 'string', default: 'html' },
        out: text,
        chain: text,
        campaign: text,
        minutes: text,
        reason: text,
        by: text,
        key: { type: 'string', multiple: true },
      },
      allowPositionals: true,
    });
    const [what, file] = positionals;
    const keys = (values.key ?? []).map((path) => jsonFile(path) as Key);
    if (what === 'verify') {
      const made = statementOfFile(needed(file, 'the statement'));
      if (values.chain !== undefined) return verify(made, await fromExport(values.chain, made), keys, terminal);
      const site = await loadSite(siteFolderOf(values.site));
      return withStore(site, (store) => {
        const evidence = withFault(fromStore(store, made), strangeness(made, site));
        return verify(made, evidence, [...keys, ...keysOf(site)], terminal);
      });
    }
    if (what !== undefined && what !== 'correct') throw new UsageFault(`there is no "statement ${what}"`);
    const site = await loadSite(siteFolderOf(values.site));
    const of = { person: needed(values.person, '--person'), month: monthOf(values.month) };
    if (what === 'correct') {
      const correction = {
        ...of,
        campaign: needed(values.campaign, '--campaign'),
        deltaMs: minutesOf(values.minutes) * 60_000,
        reason: needed(values.reason, '--reason'),
        by: needed(values.by, '--by'),
      };
      return withStore(site, (store) => correct(store, correction, keys[0], terminal));
    }
    const form = values.form;
    if (form !== 'html' && form !== 'csv' && form !== 'json') throw new UsageFault(`--form ${form}: html, csv or json`);
    return withStore(site, async (store) => {
      if (store.work.person(of.person) === undefined)
        throw new UsageFault(`--person ${of.person}: there is no such person`);
      const about = { ...of, gateway: `${site.site.site}/${site.site.gateway}`, zone: site.site.zone };
      const { good, faults } = await sound(fromStore(store, about).events, [...keys, ...keysOf(site)]);
      for (const fault of faults) terminal.stderr.write(`${fault}\n`);
      const made = statementOf(good, about);
      const content =
        form === 'html'
          ? statementPage(made)
          : form === 'csv'
            ? statementCsv(made)
            : `${JSON.stringify(made, null, 2)}\n`;
      if (values.out === undefined) terminal.stdout.write(content);
      else {
        writeFileSync(values.out, content, { mode: 0o600 });
        terminal.stderr.write(`${values.out}: written\n`);
      }
      return EXIT.ok;
    });
  },
};

function monthOf(text: string | undefined): string {
  const month = needed(text, '--month');
  if (!/^[0-9]{4}-(0[1-9]|1[0-2])$/.test(month)) throw new UsageFault(`--month ${month}: write it as YYYY-MM`);
  return month;
}

function minutesOf(text: string | undefined): number {
  const minutes = Number(needed(text, '--minutes'));
  if (!Number.isInteger(minutes) || minutes === 0 || Math.abs(minutes) > 44_640)
    throw new UsageFault(`--minutes ${text}: a whole number of minutes, not 0, and no more than a month has`);
  return minutes;
}

const keysOf = ({ uplink }: SiteFiles): readonly Key[] => (uplink?.commandKeys ?? []) as readonly Key[];

interface Given extends Statement {
  /** What the page prints is what the statement in it says. */
  readonly isPrinted: boolean;
}

function statementOfFile(file: string): Given {
  const content = textOf(file);
  const made = statementIn(content);
  if (made === undefined)
    throw new UsageFault(`${file} is no statement: give the page or the JSON that balise statement made`);
  return { ...made, isPrinted: isPageOf(content, made) };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (fault) {
    throw new UsageFault(`${file} cannot be read: ${(fault as Error).message}`);
  }
}

/** A statement of another gateway, or by another clock, says nothing of this site, however well its sums add up. */
function strangeness({ gateway, zone }: Statement, { site }: SiteFiles): string | undefined {
  const ours = `${site.site}/${site.gateway}`;
  if (gateway !== ours)
    return `it is of the gateway ${gateway}, and this is ${ours}: give that one's export with --chain`;
  return zone === site.zone ? undefined : `its month is that of ${zone}, and the site's clock is that of ${site.zone}`;
}

const withFault = (evidence: Evidence, fault: string | undefined): Evidence =>
  fault === undefined ? evidence : { ...evidence, fault: [fault, evidence.fault ?? []].flat().join('\n') };

/** The events of a chain that bear on a statement, and what is known of the chain. */
interface Evidence {
  readonly events: readonly WorkEvent[];
  /** What is wrong with the chain itself. */
  readonly fault?: string;
}

function fromStore(store: Store, { person, month, zone }: Pick<Statement, 'person' | 'month' | 'zone'>): Evidence {
  const fromMs = Temporal.PlainDate.from(`${month}-01`).toZonedDateTime(zone).epochMilliseconds - BEFORE_MS;
  const events = [...store.work.workEvents(person, fromMs, Number.MAX_SAFE_INTEGER)];
  const chain = store.verifyChain();
  return chain.whole
    ? { events }
    : { events, fault: `the audit chain is broken at event ${chain.sequence} (${chain.broken})` };
}

/** Walks an export, so that every hash in it is that of its content and of all before it. */
async function fromExport(file: string, { gateway, person }: Statement): Promise<Evidence> {
  const events: WorkEvent[] = [];
  let walk: ChainWalk | undefined;
  if (!existsSync(file)) throw new UsageFault(`--chain ${file} is not there`);
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue;
    walk ??= new ChainWalk(beginning(file, line));
    if (!walk.take(line)) break;
    if (!line.includes('"type":"balise.work.')) continue;
    const event = JSON.parse(line) as WorkEvent & { readonly source: string };
    if (event.source !== sourceOf(gateway))
      return { events, fault: `the export is of ${event.source}, the statement of ${gateway}` };
    const { sequence, hash, type, data } = event;
    if (type !== 'balise.work.activity' && type !== 'balise.work.correction') continue;
    if (data.person === person) events.push({ sequence, hash, type, data });
  }
  const report = walk?.report();
  if (report === undefined) return { events, fault: `${file} holds no events` };
  return report.whole
    ? { events }
    : { events, fault: `the export is broken at event ${report.sequence} (${report.broken})` };
}

function beginning(file: string, line: string): ChainEnd {
  const { sequence, prevhash } = firstEvent(file, line);
  return { sequence: (sequence ?? 1) - 1, hash: prevhash ?? GENESIS };
}

function firstEvent(file: string, line: string): { readonly sequence?: number; readonly prevhash?: string } {
  try {
    const event = JSON.parse(line) as { readonly sequence?: number; readonly prevhash?: string } | null;
    if (typeof event?.sequence === 'number') return event;
  } catch {
    // Told below, as anything else that is no event.
  }
  throw new UsageFault(`--chain ${file} is no export: give what balise audit export or headquarters wrote`);
}

/** The events without the corrections that nobody has signed. */
async function sound(events: readonly WorkEvent[], keys: readonly Key[]) {
  const good: WorkEvent[] = [];
  const faults: string[] = [];
  for (const event of events) {
    const fault =
      event.type === 'balise.work.correction'
        ? await correctionFault(event.data as WorkCorrectionData, keys)
        : undefined;
    if (fault === undefined) good.push(event);
    else faults.push(`the correction in event ${event.sequence} does not count: ${fault}`);
  }
  return { good, faults };
}

async function verify(
  { isPrinted, ...made }: Given,
  evidence: Evidence,
  keys: readonly Key[],
  { stdout }: Terminal,
): Promise<ExitCode> {
  const { good, faults } = await sound(evidence.events, keys);
  const hashes = new Map(evidence.events.map(({ sequence, hash }) => [sequence, hash]));
  const wrong = [...(evidence.fault === undefined ? [] : [evidence.fault]), ...faults];
  if (!isPrinted)
    wrong.push('the page does not print the figures that it carries: it was changed, or another version made it');
  for (const { sequence, hash } of made.events) {
    const found = hashes.get(sequence);
    if (found === undefined) wrong.push(`event ${sequence} is not in the chain`);
    else if (found !== hash) wrong.push(`event ${sequence} has another content in the chain`);
  }
  const anew = statementOf(good, made);
  if (!isDeepStrictEqual(JSON.parse(JSON.stringify(anew.lines)), made.lines))
    wrong.push('the times do not follow from the events of the chain');
  if (
    !isDeepStrictEqual(JSON.parse(JSON.stringify(anew.totals)), made.totals) ||
    !isDeepStrictEqual(anew.pay, made.pay)
  )
    wrong.push('the sums do not follow from the events of the chain');
  if (!isDeepStrictEqual(anew.events, made.events)) wrong.push('it does not rest on all the events that it should');
  stdout.write(
    wrong.length === 0
      ? `${made.person} ${made.month}: ${made.events.length} events, all of them in the chain; every figure follows from them\n`
      : `${wrong.join('\n')}\n`,
  );
  return wrong.length === 0 ? EXIT.ok : EXIT.no;
}

async function correct(
  store: Store,
  asked: Pick<WorkCorrectionData, 'person' | 'month' | 'campaign' | 'deltaMs' | 'reason' | 'by'>,
  key: Key | undefined,
  { stdout }: Terminal,
): Promise<ExitCode> {
  if (key === undefined) throw new UsageFault('--key is missing: a correction is signed by whoever answers for it');
  const campaign = store.work.campaigns().find(({ id }) => id === asked.campaign);
  if (campaign === undefined) throw new UsageFault(`--campaign ${asked.campaign}: there is no such campaign`);
  if (store.work.person(asked.person) === undefined)
    throw new UsageFault(`--person ${asked.person}: there is no such person`);
  const { currency, perHour } = campaign.pay;
  const data = await signCorrection({ ...asked, currency, perHour, at: clock.wall().toString() }, key);
  store.work.append([{ kind: 'event', type: 'balise.work.correction', data: { ...data } }]);
  stdout.write(`${asked.person} ${asked.month}: ${asked.deltaMs / 60_000} minutes for ${asked.campaign}, appended\n`);
  return EXIT.ok;
}
