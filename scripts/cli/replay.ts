import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Temporal } from 'temporal-polyfill';
import { loadSite } from '../../gateway/config/site.js';
import type { Decision } from '../../gateway/policy/decision.js';
import { handsetId, personId } from '../../gateway/policy/ids.js';
import type { Facts } from '../../gateway/policy/request.js';
import { checkBundle, payloadOf } from '../../gateway/policy-bundle/bundle.js';
import { SitePolicy } from '../../gateway/site-policy.js';
import { type Command, EXIT, needed, UsageFault } from './command.js';
import { instantOf } from './explain.js';
import { PastUsage } from './past-usage.js';
import { type LedgerRow, openBooks } from './site-books.js';

const HELP = `balise replay: judges the calls of the past by another policy, and tells what would change

usage: balise replay --site <folder> --policy <bundle.jws | bundle.json> --from <instant> --to <instant> [--json]

  --policy  the bundle to try, signed or not: nothing is put in force
  --from    the first instant, as of balise explain --at
  --to      the instant at which to stop
  --json    the same as JSON on stdout: {"calls", "same", "changed": [{call, handset, at, before, after}, …], "cut"}

Each call is judged twice, by the policy in force and by the one to try, at the instant at which it was asked for and with
what had been used by then. The clock and the wire are taken as good, and cutoffs of then are not looked at. Called
numbers are not printed.

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
      options: { site: text, policy: text, from: text, to: text, json: { type: 'boolean' } },
    });
    const site = await loadSite(needed(values.site, '--site'));
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
      const usage = new PastUsage(books.calls(fromMs - BEFORE_MS, toMs));
      const rows = books.calls(fromMs, toMs).filter(({ number }) => number !== null);
      const changed: Change[] = [];
      let cut = 0;
      for (const row of rows) {
        const at = Temporal.Instant.fromEpochMilliseconds(row.startedMs);
        const asked = [requestOf(row), GOOD, at, usage.at(row.startedMs, row.call)] as const;
        const [before, after] = [policy.judge(...asked), trial.judge(...asked)];
        if (after.outcome === 'grant' && row.talkMs > mostMs(after, row.startedMs)) cut += 1;
        if (said(before) === said(after)) continue;
        const { call, handset } = row;
        changed.push({ call, handset, at: at.toString(), before: said(before), after: said(after) });
      }
      terminal.stdout.write(
        values.json === true
          ? `${JSON.stringify({ calls: rows.length, same: rows.length - changed.length, changed, cut }, null, 2)}\n`
          : asText(rows.length, changed, cut, books.note),
      );
      return changed.length + cut === 0 ? EXIT.ok : EXIT.no;
    } finally {
      books.close();
    }
  },
};

function requestOf({ handset, person, number }: LedgerRow) {
  return { handset: handsetId(handset), dialled: number ?? '', ...(person !== null && { person: personId(person) }) };
}

function asText(calls: number, changed: readonly Change[], cut: number, note: string | undefined): string {
  const lines = changed.map(
    ({ at, handset, call, before, after }) => `${at}  ${handset}  ${call}  ${before} → ${after}\n`,
  );
  const sums = new Map<string, number>();
  for (const { before, after } of changed) {
    const what = `${before} → ${after}`;
    sums.set(what, (sums.get(what) ?? 0) + 1);
  }
  const summary = [...sums].map(([what, count]) => `  ${count} × ${what}\n`);
  return `${lines.join('')}${calls} calls, ${changed.length} judged otherwise, ${cut} that talked longer than they then may\n${summary.join('')}${note === undefined ? '' : `note: ${note}\n`}`;
}
