import { parseArgs } from 'node:util';
import type { JWK } from 'jose';
import { loadSite } from '../../gateway/config/site.js';
import type { Store } from '../../gateway/store/store.js';
import { countBy, type Score, scoresFor, signScore } from '../../gateway/work/quality.js';
import { type Command, EXIT, type ExitCode, needed, type Terminal, UsageFault } from './command.js';
import { siteFolderOf } from './gateway-client.js';
import { clock, jsonFile, withStore } from './open-work.js';

const HELP = `balise quality: how good the work is

usage: balise quality score [--site <folder>] --call <id> --score <criterion>=<0-5>... --by <name> --key <private jwk>
       balise quality results [--site <folder>] [--days <n>] [--json]

  score    scores a call by the criteria of its campaign, one --score for each; the score is signed, and appended to the
           audit chain. A call that is scored again has the later score. There is no room for a note
  results  counts how calls to contacts went, by campaign, language, hour and outcome, and tells what scores came to.
           Contacts that try the work (mystery) are counted apart

  --site   the site's folder; default $BALISE_SITE, or /etc/balise/site
  --days   how far back; default 30
  --json   all of it as JSON

example
  balise quality score --site /etc/balise --call 0197… --score script=4 --score tone=5 --by supervision --key sup.jwk
`;

const DAY_MS = 86_400_000;

/** `balise quality` */
export const quality: Command = {
  name: 'quality',
  summary: 'scores calls, and counts how they went',
  help: HELP,
  async run(args, terminal) {
    const text = { type: 'string' } as const;
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        ...{ site: text, call: text, by: text, key: text },
        days: { type: 'string', default: '30' },
        score: { type: 'string', multiple: true },
        json: { type: 'boolean' },
      },
      allowPositionals: true,
    });
    const [what] = positionals;
    const site = await loadSite(siteFolderOf(values.site));
    switch (what) {
      case 'score': {
        const of = { call: needed(values.call, '--call'), by: needed(values.by, '--by') };
        const key = jsonFile(needed(values.key, '--key')) as JWK & { readonly kid: string };
        return withStore(site, (store) => score(store, of, pointsOf(values.score ?? []), key, terminal));
      }
      case 'results':
        return withStore(site, (store) => results(store, daysOf(values.days), values.json === true, terminal));
      default:
        throw new UsageFault('score or results?');
    }
  },
};

function pointsOf(words: readonly string[]): ReadonlyMap<string, number> {
  return new Map(
    words.map((word) => {
      const [, criterion, points] = /^([^=]+)=([0-9]+)$/.exec(word) ?? [];
      if (criterion === undefined || points === undefined)
        throw new UsageFault(`--score ${word}: write <criterion>=<0-5>`);
      return [criterion, Number(points)];
    }),
  );
}

function daysOf(text: string): number {
  const days = Number(text);
  if (!Number.isInteger(days) || days < 1 || days > 400) throw new UsageFault(`--days ${text}: from 1 to 400`);
  return days;
}

async function score(
  store: Store,
  { call, by }: Pick<Score, 'call' | 'by'>,
  points: ReadonlyMap<string, number>,
  key: JWK & { readonly kid: string },
  { stdout }: Terminal,
): Promise<ExitCode> {
  const row = store.history.call(call);
  if (row === undefined) throw new UsageFault(`--call ${call}: there is no such call on record`);
  const { campaign: id, person } = row;
  const campaign = store.work.campaigns().find((one) => one.id === id);
  if (campaign === undefined || person === null)
    throw new UsageFault(`--call ${call}: it was no call of a campaign that is known here`);
  const scores = scoresFor(campaign, points);
  if (typeof scores === 'string') throw new UsageFault(scores);
  const at = clock.wall().toString();
  const data = await signScore({ call, campaign: campaign.id, person, scores, by, at }, key);
  store.work.append([{ kind: 'event', type: 'balise.work.score', data: { ...data } }]);
  stdout.write(`${call}: scored, ${scores.map(({ criterion, points: n }) => `${criterion} ${n}`).join(', ')}\n`);
  return EXIT.ok;
}

function results(store: Store, days: number, json: boolean, { stdout }: Terminal): ExitCode {
  const fromMs = clock.wall().epochMilliseconds - days * DAY_MS;
  const [outcomes, scores] = [store.work.outcomes(fromMs), store.work.scores(fromMs)];
  if (json) {
    stdout.write(`${JSON.stringify({ outcomes, scores }, null, 2)}\n`);
    return EXIT.ok;
  }
  const real = outcomes.filter(({ isMystery }) => !isMystery);
  const tried = outcomes.filter(({ isMystery }) => isMystery);
  for (const [title, some] of [
    ['calls to contacts', real],
    ['calls to contacts that try the work', tried],
  ] as const)
    for (const [what, calls] of countBy(some, (one) => `${one.campaign}  ${one.language}  ${one.outcome}`))
      stdout.write(`${title}  ${what}  ${calls}\n`);
  for (const { campaign, criterion, calls, mean } of scores)
    stdout.write(`scores  ${campaign}  ${criterion}  ${mean.toFixed(2)} of 5, ${calls} calls\n`);
  if (outcomes.length === 0 && scores.length === 0) stdout.write('nothing yet\n');
  return EXIT.ok;
}
