/** The statement of one person and one month: what both sides can check against the audit chain. */

import type { Rate } from './campaign.js';
import { type Account, PayFold, type WorkEvent } from './pay.js';

export interface StatementLine {
  readonly campaign: string;
  readonly activity: string;
  readonly rate?: Rate;
  readonly ms: number;
}

export interface CampaignTotal {
  readonly campaign: string;
  /** Paid time at one rate. */
  readonly rate: Rate;
  readonly paidMs: number;
  /** Paid time × rate, in the currency's smallest unit, rounded to the nearest once for each campaign and rate. */
  readonly amount: number;
}

export interface Statement {
  readonly form: 'balise-statement-1';
  /** `<site>/<gateway>` whose chain it rests on. */
  readonly gateway: string;
  readonly person: string;
  readonly month: string;
  readonly zone: string;
  readonly lines: readonly StatementLine[];
  readonly totals: readonly CampaignTotal[];
  /** By currency. */
  readonly pay: Readonly<Record<string, number>>;
  readonly events: Account['events'];
  /** Sessions that were not closed when it was made. */
  readonly open: readonly string[];
}

/** The statement that events, in the chain's order, come to. */
export function statementOf(
  events: Iterable<WorkEvent>,
  of: { readonly gateway: string; readonly person: string; readonly month: string; readonly zone: string },
): Statement {
  const fold = new PayFold(of.person, of.month, of.zone);
  for (const event of events) fold.take(event);
  const account = fold.account();
  const lines = account.lines.map(({ campaign, activity, rate, ms }) => ({
    campaign,
    activity,
    ...(rate !== undefined && { rate }),
    ms,
  }));
  const totals = totalsOf(lines);
  const pay: Record<string, number> = {};
  for (const { rate, amount } of totals) pay[rate.currency] = (pay[rate.currency] ?? 0) + amount;
  const { gateway, person, month, zone } = of;
  return {
    form: 'balise-statement-1',
    gateway,
    person,
    month,
    zone,
    lines,
    totals,
    pay,
    events: account.events,
    open: account.open,
  };
}

function totalsOf(lines: readonly StatementLine[]): readonly CampaignTotal[] {
  const totals = new Map<string, { campaign: string; rate: Rate; paidMs: number }>();
  for (const { campaign, rate, ms } of lines) {
    if (rate === undefined) continue;
    const key = `${campaign} ${rate.currency} ${rate.perHour}`;
    const before = totals.get(key)?.paidMs ?? 0;
    totals.set(key, { campaign, rate, paidMs: before + ms });
  }
  return [...totals.values()].map((total) => ({
    ...total,
    amount: Math.round((total.paidMs * total.rate.perHour) / 3_600_000),
  }));
}

/** Hours, minutes and seconds, e.g. "12:03:09"; negative for what was taken away. */
export function clockTime(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1_000);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${ms < 0 ? '-' : ''}${Math.floor(seconds / 3_600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** An amount in a currency's smallest unit, in the currency. */
export function money(amount: number, currency: string): string {
  const digits =
    new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  return `${(amount / 10 ** digits).toFixed(digits)} ${currency}`;
}

/** As CSV (RFC 4180): a line an activity, then the totals; times in milliseconds. */
export function statementCsv({ person, month, lines, totals }: Statement): string {
  const rows = [
    ['person', 'month', 'campaign', 'activity', 'currency', 'per hour', 'milliseconds', 'amount'],
    ...lines.map(({ campaign, activity, rate, ms }) => [
      person,
      month,
      campaign,
      activity,
      rate?.currency ?? '',
      rate?.perHour ?? '',
      ms,
      '',
    ]),
    ...totals.map(({ campaign, rate, paidMs, amount }) => [
      person,
      month,
      campaign,
      'paid',
      rate.currency,
      rate.perHour,
      paidMs,
      amount,
    ]),
  ];
  return rows.map((row) => `${row.map((cell) => quotedCell(String(cell))).join(',')}\r\n`).join('');
}

// Ids begin with a letter or a digit, so that no cell is a formula to a spreadsheet.
const quotedCell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
