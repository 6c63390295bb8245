import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Temporal } from 'temporal-polyfill';
import type { Campaign } from '../../config/schema/types.generated.js';
import type { Judge } from '../../gateway/calls/judge.js';
import { loadSite } from '../../gateway/config/site.js';
import type { Decision } from '../../gateway/policy/decision.js';
import { handsetId, personId } from '../../gateway/policy/ids.js';
import type { DialRequest, Facts, UsageBook } from '../../gateway/policy/request.js';
import { checkBundle, payloadOf } from '../../gateway/policy-bundle/bundle.js';
import { SitePolicy } from '../../gateway/site-policy.js';
import { countedByBoth, withinCampaign } from '../../gateway/work/contact-judge.js';
import { type Command, EXIT, needed, UsageFault } from './command.js';
import { instantOf } from './explain.js';
import { siteFolderOf } from './gateway-client.js';
import { PastUsage } from './past-usage.js';
import { knownOf, type LedgerRow, openBooks, type SiteBooks } from './site-books.js';

const HELP = `balise replay: judges the calls of the past by another policy, and tells what would change

usage: balise replay [--site <folder>] --policy <bundle.jws | bundle.json> --from <instant> --to <instant> [options]

  --site      the site's folder; default $BALISE_SITE, or /etc/balise/site
  --policy    the bundle to try, signed or not: nothing is put in force
  --from      the first instant, as of balise explain --at
  --to        the instant at which to stop
  --person    only the calls of this person
  --campaign  only the calls for this campaign
  --json      the same as JSON on stdout: {"calls", "same", "changed": [{call, handset, person, campaign, at, before, after}, …],
              "cut", "unopened"}

Each call is judged twice, by the policy in force and by the one to try, at the instant at which it was asked for and with
what had been used by then. The clock and the wire are taken as good, and cutoffs of then are not looked at. Each
is judged by its own person and campaign too, as they are now; a contact whose number does not open is left out and counted.
Called numbers are not printed.

Exit status 0 when nothing would change, 1 when something would.

example
  balise replay --site /etc/balise --policy new.jws --from 2026-03-02 --to 2026-03-09
`;

/** The longest period of a limit is a month: usage is read that much further back, milliseconds. */
const BEFORE_MS = 32 * 86_400_000;

const GOOD: Facts = {
  clock: { trusted: true },
  line: { fitted: true, hook: 'off', supervised: true, relay: 'connected' },
  lockdowns: [],
};

interface Change {
  readonly call: string;
  readonly handset: string;
  readonly person?: string;
  readonly campaign?: string;
  readonly at: string;
  readonly before: string;
  readonly after: string;
}

const said = (decision: Decision): string => (decision.outcome === 'grant' ? 'granted' : decision.rule);

/** Milliseconds of talk that a call may have had at most. */
const mostMs = (decision: Decision, atMs: number): number =>
  decision.outcome === 'refusal' ? 0 : Math.min(decision.maxTalkMs, decision.notAfter.epochMilliseconds - atMs);

/** `balise replay` */
export const replay: Command = {
  name: 'replay',
  summary: 'judges the calls of the past by another policy, and tells what would change',
  help: HELP,
  async run(args, terminal) {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...{ site: text, policy: text, from: text, to: text, person: text, campaign: text },
        json: { type: 'boolean' },
      },
    });
    const site = await loadSite(siteFolderOf(values.site));
    const file = readFileSync(needed(values.policy, '--policy'), 'utf8');
    const payload = file.trimStart().startsWith('{') ? file : payloadOf(file).toString('utf8');
    const bundle = checkBundle(JSON.parse(payload));
    const instant = (given: string | undefined, option: string): number => {
      const wall = needed(given, option);
      return instantOf(/^\d{4}-\d\d-\d\d$/.test(wall) ? `${wall}T00:00` : wall, site.site.zone).epochMilliseconds;
    };
    const [fromMs, toMs] = [instant(values.from, '--from'), instant(values.to, '--to')];
    if (toMs <= fromMs) throw new UsageFault('--to is not later than --from');
    const books = openBooks(site);
    try {
      const policy = new SitePolicy(
        site,
        (code, why) => terminal.stderr.write(`${code}: ${why}\n`),
        undefined,
        books.doNotCall,
      );
      await policy.load(instantOf(undefined, site.site.zone));
      const trial = policy.onTrial(bundle);
      const { person, campaign } = values;
      if (person !== undefined) knownOf('person', books.people, person);
      if (campaign !== undefined) knownOf('campaign', books.campaigns, campaign);
      const usage = new PastUsage(books.calls(fromMs - BEFORE_MS, toMs));
      const rows = books
        .calls(fromMs, toMs)
        .filter((row) => row.number !== null)
        .filter((row) => (person ?? row.person) === row.person && (campaign ?? row.campaign) === row.campaign);
      const requestOf = requestsOf(rows, books);
      const changed: Change[] = [];
      let [calls, cut] = [0, 0];
      for (const row of rows) {
        const request = requestOf(row);
        if (request === undefined) continue;
        calls += 1;
        const at = Temporal.Instant.fromEpochMilliseconds(row.startedMs);
        const used = countedByBoth(usage.at(row.startedMs, row.call), books.numberToken);
        const [before, after] = [policy, trial].map((one) => judged(one, request, at, used)) as [Decision, Decision];
        if (after.outcome === 'grant' && row.talkMs > mostMs(after, row.startedMs)) cut += 1;
        if (said(before) !== said(after)) changed.push(changeOf(row, at, before, after));
      }
      const unopened = rows.length - calls;
      const notes = [
        ...(unopened === 0 ? [] : [`${unopened} calls of contacts are left out: their numbers do not open`]),
        ...(books.note === undefined ? [] : [books.note]),
      ];
      terminal.stdout.write(
        values.json === true
          ? `${JSON.stringify({ calls, same: calls - changed.length, changed, cut, unopened }, null, 2)}\n`
          : asText(calls, changed, cut, notes),
      );
      return changed.length + cut === 0 ? EXIT.ok : EXIT.no;
    } finally {
      books.close();
    }
  },
};

function judged(policy: Judge, request: PastRequest, at: Temporal.Instant, usage: UsageBook): Decision {
  const decision = policy.judge(request, GOOD, at, usage);
  const { of } = request;
  return of === undefined || decision.outcome === 'refusal' ? decision : withinCampaign(decision, of);
}

function changeOf(row: LedgerRow, at: Temporal.Instant, before: Decision, after: Decision): Change {
  const { call, handset, person, campaign } = row;
  return {
    ...{ call, handset, at: at.toString(), before: said(before), after: said(after) },
    ...(person !== null && { person }),
    ...(campaign !== null && { campaign }),
  };
}

/** What was asked, as it can be asked again. `of`: its campaign, whole. */
type PastRequest = DialRequest & { readonly of?: Campaign };

/** Has the calls of the past asked again: by their own persons and campaigns, and contacts by the numbers behind their tokens. */
function requestsOf(rows: readonly LedgerRow[], books: SiteBooks): (row: LedgerRow) => PastRequest | undefined {
  const people = new Map(books.people.map((one) => [one.id, one]));
  const campaigns = new Map(books.campaigns.map((one) => [one.id, one]));
  const ofContacts = rows.filter(({ campaign }) => campaign !== null);
  const contacts = books.contacts(
    new Set(ofContacts.flatMap(({ campaign }) => campaign ?? [])),
    new Set(ofContacts.flatMap(({ number }) => number ?? [])),
  );
  return ({ handset, person, number, campaign }) => {
    const facts = people.get(person ?? '');
    const base = {
      handset: handsetId(handset),
      ...(person !== null && { person: personId(person) }),
      ...(facts !== undefined && { personFacts: facts }),
    };
    if (campaign === null) return { ...base, dialled: number ?? '' };
    const [contact, of] = [contacts.get(number ?? ''), campaigns.get(campaign)];
    if (contact === undefined || of === undefined) return undefined;
    const { number: dialled, calleeZone } = contact;
    return { ...base, dialled, campaign: of, of, isContact: true, ...(calleeZone !== undefined && { calleeZone }) };
  };
}

function asText(calls: number, changed: readonly Change[], cut: number, notes: readonly string[]): string {
  const lines = changed.map(
    ({ at, handset, call, before, after }) => `${at}  ${handset}  ${call}  ${before} → ${after}\n`,
  );
  const sums = new Map<string, number>();
  for (const { before, after } of changed) {
    const what = `${before} → ${after}`;
    sums.set(what, (sums.get(what) ?? 0) + 1);
  }
  const summary = [...sums].map(([what, count]) => `  ${count} × ${what}\n`);
  return `${lines.join('')}${calls} calls, ${changed.length} judged otherwise, ${cut} that talked longer than they then may\n${summary.join('')}${notes.map((note) => `note: ${note}\n`).join('')}`;
}
