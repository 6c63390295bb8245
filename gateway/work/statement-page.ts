import { clockTime, money, type Statement } from './statement.js';

const MARKS: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const text = (value: string): string => value.replace(/[&<>"]/g, (mark) => MARKS[mark] ?? mark);

const STYLE = `
  body { font: 11pt/1.4 Georgia, serif; margin: 2.5cm auto; max-width: 17cm; color: #111; background: #fff; }
  h1 { font-size: 16pt; margin: 0 0 .2em; } h2 { font-size: 12pt; margin: 1.6em 0 .4em; }
  table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .2em .6em .2em 0; border-bottom: 1px solid #bbb; }
  .n { text-align: right; font-variant-numeric: tabular-nums; } tfoot td { font-weight: bold; border-bottom: 2px solid #111; }
  .events { font: 7pt/1.5 monospace; overflow-wrap: anywhere; color: #333; } .note { font-size: 9pt; color: #333; }
  @media print { body { margin: 0; } tr { break-inside: avoid; } }`;

/**
 * The statement as a page for printing. It needs nothing from elsewhere, and carries the statement's own JSON, which
 * `balise statement verify` reads.
 */
export function statementPage(statement: Statement): string {
  const { person, month, gateway, zone, lines, totals, pay, events, open } = statement;
  const row = (cells: readonly (readonly [string, boolean])[]) =>
    `<tr>${cells.map(([cell, isNumber]) => `<td${isNumber ? ' class="n"' : ''}>${text(cell)}</td>`).join('')}</tr>`;
  const times = lines.map(({ campaign, activity, rate, ms }) =>
    row([
      [campaign, false],
      [activity, false],
      [rate === undefined ? 'not paid' : `${money(rate.perHour, rate.currency)} an hour`, false],
      [clockTime(ms), true],
    ]),
  );
  const sums = totals.map(({ campaign, rate, paidMs, amount }) =>
    row([
      [campaign, false],
      [`${money(rate.perHour, rate.currency)} an hour`, false],
      [clockTime(paidMs), true],
      [money(amount, rate.currency), true],
    ]),
  );
  const all = Object.entries(pay).map(([currency, amount]) => money(amount, currency));
  const unclosed =
    open.length === 0
      ? ''
      : `<p class="note">${open.length} session(s) were not closed when this was made; their last stretch is not in it.</p>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Statement ${text(person)} ${text(month)}</title><style>${STYLE}</style></head>
<body>
<h1>Statement of work</h1>
<p>Person <strong>${text(person)}</strong>, month <strong>${text(month)}</strong> (${text(zone)}), gateway ${text(gateway)}</p>
<h2>Time</h2>
<table><thead><tr><th>Campaign</th><th>Activity</th><th>Rate</th><th class="n">h:mm:ss</th></tr></thead>
<tbody>${times.join('\n')}</tbody></table>
<h2>Pay</h2>
<table><thead><tr><th>Campaign</th><th>Rate</th><th class="n">h:mm:ss</th><th class="n">Amount</th></tr></thead>
<tbody>${sums.join('\n')}</tbody><tfoot><tr><td colspan="3">In all</td><td class="n">${text(all.join(', ') || 'nothing')}</td></tr></tfoot></table>
${unclosed}
<h2>What this rests on</h2>
<p class="note">${events.length} events of the gateway's audit chain, each by its number and the SHA-256 of its content. Whoever has the chain can check
them, and the sums above, with <code>balise statement verify</code>.</p>
<p class="events">${events.map(({ sequence, hash }) => `${sequence}:${hash}`).join(' ')}</p>
<script type="application/json" id="statement">${JSON.stringify(statement).replaceAll('<', '\\u003c')}</script>
</body></html>
`;
}

/** The statement inside a page that `statementPage` made, or a bare one as JSON; undefined when there is none. */
export function statementIn(content: string): Statement | undefined {
  const inside = INSIDE.exec(content)?.[1] ?? content;
  try {
    const value: unknown = JSON.parse(inside);
    return isStatement(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const INSIDE = /<script type="application\/json" id="statement">(.*?)<\/script>/s;

/** Whether a page prints what the statement in it says; true of a bare one, which prints nothing. */
export function isPageOf(content: string, statement: Statement): boolean {
  return !INSIDE.test(content) || content.trim() === statementPage(statement).trim();
}

function isStatement(value: unknown): value is Statement {
  const { form, gateway, person, month, zone, lines, totals, pay, events, open } = (value ?? {}) as Partial<Statement>;
  const isList = (list: unknown): boolean =>
    Array.isArray(list) && list.every((one) => typeof one === 'object' && one !== null);
  return (
    form === 'balise-statement-1' &&
    [gateway, person, zone].every((one) => typeof one === 'string') &&
    /^[0-9]{4}-(0[1-9]|1[0-2])$/.test(month ?? '') &&
    isZone(zone ?? '') &&
    [lines, totals, events].every(isList) &&
    typeof pay === 'object' &&
    Array.isArray(open)
  );
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
