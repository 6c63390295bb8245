import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Temporal } from 'temporal-polyfill';
import type { PolicyBundle } from '../../config/schema/types.generated.js';
import type { Judge } from '../../gateway/calls/judge.js';
import { loadSite } from '../../gateway/config/site.js';
import type { Decision } from '../../gateway/policy/decision.js';
import type { UsageBook } from '../../gateway/policy/request.js';
import type { TechnicianLanguage } from '../../gateway/policy/words/words.js';
import { checkBundle, payloadOf } from '../../gateway/policy-bundle/bundle.js';
import { SitePolicy } from '../../gateway/site-policy.js';
import { countedByBoth, withinCampaign } from '../../gateway/work/contact-judge.js';
import { type Command, EXIT, needed, UsageFault } from './command.js';
import { instantOf, languageOf } from './explain.js';
import { EXPLAIN_WORDS } from './explain-words.js';
import { siteFolderOf } from './gateway-client.js';
import { type PastRequest, PastRequests, type Unasked } from './past-requests.js';
import { PastUsage } from './past-usage.js';
import { KINDS, type Kind, REPLAY_WORDS, type ReplayWords } from './replay-words.js';
import { type BooksNote, knownOf, type LedgerRow, openBooks } from './site-books.js';

const HELP = `balise replay: judges the calls of the past by another policy, and tells what would change

usage: balise replay [--site <folder>] --policy <bundle.jws | bundle.json> --from <instant> --to <instant> [options]

  --site      the site's folder; default $BALISE_SITE, or /etc/balise/site
  --policy    the bundle to try, signed or not: nothing is put in force
  --from      the first instant, as of balise explain --at
  --to        the instant at which to stop
  --person    only the calls of this person
  --campaign  only the calls for this campaign
  --first     of each kind of change so many are listed, the earliest; default 10, with --json all
  --language  en, fr or nl; default en
  --json      the same as JSON on stdout: {"calls", "refusals", "same", "counts": {"newlyRefused", "newlyAllowed", "shortened",
              "lengthened", "otherwise"}, "changed": [{kind, call, handset, person, campaign, at, before, after, beforeS, afterS}, …],
              "cut", "held", "unopened"}

Each call, and each refusal, is judged twice, by the policy in force and by the one to try, at the instant at which it was asked
for and with what had been used by then. A call is newly refused, newly let through, shortened or lengthened (the most talk that
it may have, seconds), or refused for another reason. The clock is taken as good, and cutoffs of then are not looked at; a refusal
that the clock, a cutoff or a missing policy decided is left as it was. The wire of a refusal is as it was then. Each is judged by
its own person, campaign and do-not-call lists as they are now. What was dialled where a call was refused is on disk sealed, for as
long as the refusal itself; of what does not open it is said how many they are. Called numbers are not printed.

Exit status 0 when nothing would change, 1 when something would.

example
  balise replay --site /etc/balise --policy new.jws --from 2026-03-02 --to 2026-03-09
`;

/** The longest period of a limit is a month: usage is read that much further back, milliseconds. */
const BEFORE_MS = 32 * 86_400_000;
const LISTED = 10;

interface Change {
  readonly kind: Kind;
  readonly call: string;
  readonly handset: string;
  readonly person?: string;
  readonly campaign?: string;
  readonly at: string;
  /** "granted", or the rule that refuses. */
  readonly before: string;
  readonly after: string;
  /** The most talk that the call may have, seconds. */
  readonly beforeS: number;
  readonly afterS: number;
}

/** What a replay has come to. */
interface Outcome {
  calls: number;
  refusals: number;
  cut: number;
  readonly changed: Change[];
  readonly left: Record<Unasked, number>;
}

const GRANTED = 'granted';
const said = (decision: Decision): string => (decision.outcome === 'grant' ? GRANTED : decision.rule);

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
        ...{
          site: text,
          policy: text,
          from: text,
          to: text,
          person: text,
          campaign: text,
          first: text,
          language: text,
        },
        json: { type: 'boolean' },
      },
    });
    const site = await loadSite(siteFolderOf(values.site));
    const language = languageOf(values.language);
    const first = firstOf(values.first);
    const bundle = bundleIn(needed(values.policy, '--policy'));
    const instant = (given: string | undefined, option: string): number => {
      const wall = needed(given, option);
      return instantOf(/^\d{4}-\d\d-\d\d$/.test(wall) ? `${wall}T00:00` : wall, site.site.zone).epochMilliseconds;
    };
    const [fromMs, toMs] = [instant(values.from, '--from'), instant(values.to, '--to')];
    if (toMs <= fromMs) throw new UsageFault('--to is not later than --from');
    const books = openBooks(site);
    try {
      const { person, campaign } = values;
      if (person !== undefined) knownOf('person', books.people, person);
      if (campaign !== undefined) knownOf('campaign', books.campaigns, campaign);
      const tell = (code: string, why: string) => terminal.stderr.write(`${code}: ${why}\n`);
      const policy = new SitePolicy(site, tell, undefined, books.doNotCall);
      await policy.load(instantOf(undefined, site.site.zone));
      const isMeant = (row: Pick<LedgerRow, 'person' | 'campaign'>): boolean =>
        (person ?? row.person) === row.person && (campaign ?? row.campaign) === row.campaign;
      const usage = new PastUsage(books.calls(fromMs - BEFORE_MS, toMs));
      const trial = new Trial(policy, policy.onTrial(bundle), (ms, call) =>
        countedByBoth(usage.at(ms, call), books.numberToken),
      );
      const past = new PastRequests(books);
      const called = books.calls(fromMs, toMs).filter((row) => row.number !== null && isMeant(row));
      for (const one of past.granted(called)) trial.take(one, 'calls');
      for (const row of books.refused(fromMs, toMs)) if (isMeant(row)) trial.take(past.refused(row), 'refusals');
      const { outcome } = trial;
      terminal.stdout.write(
        values.json === true
          ? asJson(outcome, first ?? Number.POSITIVE_INFINITY)
          : asText(outcome, first ?? LISTED, language, books.note),
      );
      return outcome.changed.length + outcome.cut === 0 ? EXIT.ok : EXIT.no;
    } finally {
      books.close();
    }
  },
};

function firstOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new UsageFault(`--first is "${text}" and should be a whole number`);
  return Number(text);
}

function bundleIn(file: string): PolicyBundle {
  const text = readFileSync(file, 'utf8');
  const payload = text.trimStart().startsWith('{') ? text : payloadOf(text).toString('utf8');
  return checkBundle(JSON.parse(payload));
}

/** Judges calls of the past by two policies. */
class Trial {
  readonly outcome: Outcome = { calls: 0, refusals: 0, cut: 0, changed: [], left: { held: 0, unopened: 0 } };

  constructor(
    private readonly inForce: Judge,
    private readonly tried: Judge,
    private readonly usageAt: (ms: number, call: string) => UsageBook,
  ) {}

  take(one: PastRequest | Unasked, counted: 'calls' | 'refusals'): void {
    const { outcome } = this;
    if (typeof one === 'string') {
      outcome.left[one] += 1;
      return;
    }
    outcome[counted] += 1;
    const { call, startedMs, talkMs } = one.row;
    const used = this.usageAt(startedMs, call);
    const before = judged(this.inForce, one, used);
    const after = judged(this.tried, one, used);
    if (after.outcome === 'grant' && talkMs > mostMs(after, startedMs)) outcome.cut += 1;
    const kind = kindOf(before, after, startedMs);
    if (kind !== undefined) outcome.changed.push(changeOf(kind, one, before, after));
  }
}

function judged(policy: Judge, { row, request, of, facts }: PastRequest, usage: UsageBook): Decision {
  const decision = policy.judge(request, facts, Temporal.Instant.fromEpochMilliseconds(row.startedMs), usage);
  return of === undefined || decision.outcome === 'refusal' ? decision : withinCampaign(decision, of);
}

function kindOf(before: Decision, after: Decision, atMs: number): Kind | undefined {
  if (before.outcome === 'grant' && after.outcome === 'grant') {
    const moreMs = mostMs(after, atMs) - mostMs(before, atMs);
    return moreMs === 0 ? undefined : moreMs < 0 ? 'shortened' : 'lengthened';
  }
  if (before.outcome === 'grant') return 'newlyRefused';
  if (after.outcome === 'grant') return 'newlyAllowed';
  return before.rule === after.rule ? undefined : 'otherwise';
}

function changeOf(kind: Kind, { row }: PastRequest, before: Decision, after: Decision): Change {
  const { call, handset, person, campaign, startedMs } = row;
  const at = Temporal.Instant.fromEpochMilliseconds(startedMs).toString();
  const seconds = (decision: Decision): number => Math.floor(mostMs(decision, startedMs) / 1_000);
  return {
    ...{ kind, call, handset, at, before: said(before), after: said(after) },
    ...{ beforeS: seconds(before), afterS: seconds(after) },
    ...(person !== null && { person }),
    ...(campaign !== null && { campaign }),
  };
}

function byKind(changed: readonly Change[]): ReadonlyMap<Kind, readonly Change[]> {
  const inOrder = [...changed].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  return new Map(KINDS.map((kind) => [kind, inOrder.filter((one) => one.kind === kind)]));
}

function asJson({ calls, refusals, cut, changed, left }: Outcome, first: number): string {
  const sorted = byKind(changed);
  const counts = Object.fromEntries([...sorted].map(([kind, of]) => [kind, of.length]));
  const listed = [...sorted.values()].flatMap((of) => of.slice(0, first));
  const same = calls + refusals - changed.length;
  return `${JSON.stringify({ calls, refusals, same, counts, changed: listed, cut, ...left }, null, 2)}\n`;
}

function asText(outcome: Outcome, first: number, language: TechnicianLanguage, note: BooksNote | undefined): string {
  const words = REPLAY_WORDS[language];
  const { calls, refusals, cut, changed, left } = outcome;
  const lines = [words.judged(calls, refusals), words.same(calls + refusals - changed.length)];
  for (const [kind, of] of byKind(changed)) {
    lines.push(`${words[kind]}: ${of.length}`);
    for (const one of of.slice(0, first)) lines.push(`  ${lineOf(one, words)}`);
    if (of.length > first && first > 0) lines.push(`  ${words.more(of.length - first)}`);
  }
  lines.push(words.cut(cut));
  const notes = [
    ...(left.held === 0 ? [] : [words.held(left.held)]),
    ...(left.unopened === 0 ? [] : [words.unopened(left.unopened)]),
    ...(note === undefined ? [] : [EXPLAIN_WORDS[language].books(note)]),
  ];
  return `${[...lines, ...notes.map((one) => `${words.note}: ${one}`)].join('\n')}\n`;
}

function lineOf({ kind, at, handset, call, before, after, beforeS, afterS }: Change, words: ReplayWords): string {
  const isTalk = kind === 'shortened' || kind === 'lengthened';
  const told = (rule: string): string => (rule === GRANTED ? words.granted : rule);
  const change = isTalk ? `${beforeS} s → ${afterS} s` : `${told(before)} → ${told(after)}`;
  return `${at}  ${handset}  ${call}  ${change}`;
}
