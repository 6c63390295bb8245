/** What came of the work: bars by the hour of the day, and the same numbers as tables. */
import { shape } from './plots.js';

const $ = (id) => document.getElementById(id);
let results = { outcomes: [], scores: [] };

/** Shows what headquarters said, for the campaign and the kind of contact that are chosen. */
export function showWork(said) {
  results = said;
  const campaigns = [...new Set([...said.outcomes, ...said.scores].map(({ campaign }) => campaign))].sort();
  const select = $('work-campaign');
  const known = [...select.options].map(({ value }) => value);
  if (campaigns.join() !== known.join()) select.replaceChildren(...campaigns.map((id) => new Option(id, id)));
  draw();
}

function draw() {
  const campaign = $('work-campaign').value;
  const isMystery = $('work-kind').value === 'mystery';
  const mine = results.outcomes.filter((one) => one.campaign === campaign && one.isMystery === isMystery);
  if (mine.length === 0) {
    const none = document.createElement('p');
    none.className = 'empty';
    none.textContent = 'No call yet.';
    $('work-hours').replaceChildren(none);
    $('work-outcomes').replaceChildren();
  } else {
    $('work-hours').replaceChildren(hours(mine));
    const rows = sums(mine, ({ language, outcome }) => `${language || '?'}\t${outcome}`);
    $('work-outcomes').replaceChildren(
      table(
        `Outcomes of ${campaign}`,
        ['Language', 'Outcome', 'Calls'],
        rows.map(([name, n]) => [...name.split('\t'), n]),
      ),
    );
  }
  const scores = results.scores.filter((one) => one.campaign === campaign);
  $('work-scores').replaceChildren(
    ...(scores.length === 0
      ? []
      : [
          table(
            `Scores of ${campaign}`,
            ['Criterion', 'Mean of 5', 'Calls'],
            scores.map(({ criterion, mean, calls }) => [criterion, mean.toFixed(1), calls]),
          ),
        ]),
  );
}

function sums(some, nameOf) {
  const by = new Map();
  for (const one of some) by.set(nameOf(one), (by.get(nameOf(one)) ?? 0) + one.calls);
  return [...by].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
}

/** A bar for each hour of the day: completed calls, and on top of them all others. */
function hours(some) {
  const counts = Array.from({ length: 24 }, () => ({ completed: 0, other: 0 }));
  for (const { hour, outcome, calls } of some) counts[hour][outcome === 'completed' ? 'completed' : 'other'] += calls;
  const top = Math.max(1, ...counts.map(({ completed, other }) => completed + other));
  const svg = shape('svg', { viewBox: '0 0 340 120', role: 'img' });
  const said = counts.flatMap(({ completed, other }, hour) =>
    completed + other === 0 ? [] : [`${hour} h: ${completed} completed, ${other} other`],
  );
  svg.append(shape('title', {}, `Calls by hour: ${said.join('; ')}`), shape('text', { x: 0, y: 9 }, String(top)));
  for (const [hour, { completed, other }] of counts.entries()) {
    const x = 18 + hour * 13.4;
    const [low, high] = [(96 * completed) / top, (96 * other) / top];
    svg.append(
      shape('rect', { class: 'a', x, y: 104 - low, width: 10, height: low }),
      shape('rect', { class: 'b', x, y: 104 - low - high, width: 10, height: high }),
    );
    if (hour % 3 === 0) svg.append(shape('text', { x, y: 116 }, String(hour).padStart(2, '0')));
  }
  return svg;
}

function table(caption, heads, rows) {
  const made = document.createElement('table');
  made.createCaption().textContent = caption;
  const head = made.createTHead().insertRow();
  for (const name of heads) {
    const cell = document.createElement('th');
    cell.scope = 'col';
    cell.textContent = name;
    head.append(cell);
  }
  const body = made.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const value of row) line.insertCell().textContent = String(value);
  }
  return made;
}

$('work-campaign').addEventListener('change', draw);
$('work-kind').addEventListener('change', draw);
