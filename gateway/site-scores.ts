import { Temporal } from 'temporal-polyfill';
import type { Campaign } from '../config/schema/types.generated.js';
import type { Clock } from './clock/clock.js';
import type { ScoreOrder, SheetsView, SheetView } from './console/api/work.js';
import type { ConsoleSource } from './console/source.js';
import type { History, HistoryRow } from './store/history.js';
import type { WorkStore } from './work/ports.js';
import { scoresFor } from './work/quality.js';

const DAY_MS = 86_400_000;
const BACK_MS = 30 * DAY_MS;
const MOST_SHEETS = 100;

export interface SiteScoresParts {
  readonly work: Pick<WorkStore, 'campaigns' | 'append'>;
  readonly history: Pick<History, 'calls' | 'call' | 'scoresOf'>;
  readonly clock: Pick<Clock, 'wall'>;
}

/** The score sheets of a site's calls, for the console: whom a supervisor may score, and the score in the audit chain. */
export function siteScores({
  work,
  history,
  clock,
}: SiteScoresParts): Pick<ConsoleSource, 'sheets' | 'sheet' | 'score'> {
  const sheetOf = (row: HistoryRow, campaigns: readonly Campaign[]): SheetView | undefined => {
    const { criteria = [] } = campaigns.find(({ id }) => id === row.campaign) ?? {};
    if (row.campaign === null || row.person === null || row.answered === 0 || criteria.length === 0) return undefined;
    return {
      call: row.call,
      campaign: row.campaign,
      person: row.person,
      endedAt: Temporal.Instant.fromEpochMilliseconds(row.endedMs).toString(),
      talkS: Math.round(row.talkMs / 1_000),
      criteria: criteria.map(({ id, text }) => ({ id, text })),
      points: Object.fromEntries(history.scoresOf(row.call).map(({ criterion, points }) => [criterion, points])),
    };
  };
  const sheet = (call: string): SheetView | undefined => {
    const row = history.call(call);
    return row && sheetOf(row, work.campaigns());
  };
  return {
    sheet,
    sheets: (): SheetsView => {
      const fromMs = clock.wall().epochMilliseconds - BACK_MS;
      const rows = history.calls({ outcome: 'answered', isOfCampaign: true, fromMs, limit: MOST_SHEETS });
      const campaigns = work.campaigns();
      return { calls: rows.flatMap((row) => sheetOf(row, campaigns) ?? []) };
    },
    score: ({ call, points }: ScoreOrder, by: string): void => {
      const of = sheet(call);
      const campaign = work.campaigns().find(({ id }) => id === of?.campaign);
      if (of === undefined || campaign === undefined) throw new Error(`there is no call ${call} to score`);
      const scores = scoresFor(campaign, new Map(Object.entries(points)));
      if (typeof scores === 'string') throw new Error(scores);
      const data = { call, campaign: campaign.id, person: of.person, scores, by, at: clock.wall().toString() };
      work.append([{ kind: 'event', type: 'balise.work.score', data }]);
    },
  };
}
