import type { JSX } from 'preact';
import type { OutcomeView, ScoreView, WorkView } from '../../api/work.js';
import { AskedPart } from '../parts/asked.js';
import { Choose } from '../parts/field.js';
import { Nothing } from '../parts/notice.js';
import { Page } from '../parts/page.js';
import { type Route, setQuery } from '../router.js';
import { may, session } from '../session.js';
import { useStore } from '../store.js';
import { useAsked } from '../use-asked.js';
import { useFormat } from '../use-format.js';
import { useWords } from '../words/speak.js';
import { ScoreSheets } from './work-sheets.js';

/** What came of the work: bars by the hour of the day, and the same numbers as tables. */
export function WorkPage({ query }: { readonly query: Route['query'] }): JSX.Element {
  const { w } = useWords();
  const asked = useAsked<WorkView>('work');
  return (
    <Page title={w.results.title}>
      <AskedPart asked={asked}>
        {(view) =>
          view.outcomes.length + view.scores.length === 0 ? (
            <section class="card">
              <Nothing>{w.results.empty}</Nothing>
            </section>
          ) : (
            <Results view={view} query={query} onScored={asked.again} />
          )
        }
      </AskedPart>
    </Page>
  );
}

function Results({
  view,
  query,
  onScored,
}: {
  readonly view: WorkView;
  readonly query: Route['query'];
  readonly onScored: () => void;
}): JSX.Element {
  const now = useStore(session);
  const { w } = useWords();
  const format = useFormat();
  const campaigns = [...new Set([...view.outcomes, ...view.scores].map(({ campaign }) => campaign))].sort();
  const campaign = query.get('campaign') ?? campaigns[0] ?? '';
  const isMystery = query.get('kind') === 'mystery';
  const mine = view.outcomes.filter((one) => one.campaign === campaign && one.isMystery === isMystery);
  const scores = view.scores.filter((one) => one.campaign === campaign);
  return (
    <div class="work-cards">
      <search class="filters">
        <Choose
          label={w.results.campaign}
          value={campaign}
          onValue={(value) => setQuery({ campaign: value })}
          choices={campaigns.map((id) => ({ value: id, text: id }))}
        />
        <Choose
          label={w.results.kind}
          value={isMystery ? 'mystery' : 'real'}
          onValue={(value) => setQuery({ kind: value })}
          choices={[
            { value: 'real', text: w.results.real },
            { value: 'mystery', text: w.results.mystery },
          ]}
        />
      </search>
      {mine.length === 0 ? (
        <section class="card">
          <Nothing>{w.results.empty}</Nothing>
        </section>
      ) : (
        <>
          <section class="card" aria-label={w.results.byHour}>
            <h2>{w.results.byHour}</h2>
            <Hours some={mine} />
            <p class="hint">
              <span class="work-key work-completed" aria-hidden="true" /> {w.results.completed},{' '}
              <span class="work-key work-other" aria-hidden="true" /> {w.results.other}.{' '}
              {w.results.zone(format.city(view.zone))}
            </p>
          </section>
          <Outcomes some={mine} />
        </>
      )}
      {scores.length > 0 && <Scores some={scores} />}
      {may(now, 'score') && <ScoreSheets campaign={campaign} onScored={onScored} />}
    </div>
  );
}

/** Completed calls at the foot of each bar, all others above them. */
function Hours({ some }: { readonly some: readonly OutcomeView[] }): JSX.Element {
  const { w } = useWords();
  const counts = Array.from({ length: 24 }, (_, hour) => {
    const then = some.filter((one) => one.hour === hour);
    const completed = sumOf(then.filter(({ outcome }) => outcome === 'completed'));
    return { hour, completed, other: sumOf(then) - completed };
  });
  const top = Math.max(1, ...counts.map(({ completed, other }) => completed + other));
  const said = counts
    .filter(({ completed, other }) => completed + other > 0)
    .map(({ hour, completed, other }) => `${hour}: ${completed} ${w.results.completed}, ${other} ${w.results.other}`);
  return (
    <svg class="work-hours" viewBox="0 0 480 130" role="img" aria-label={said.join('; ')}>
      <text x="0" y="10">
        {top}
      </text>
      {counts.map(({ hour, completed, other }) => {
        const [low, high] = [(100 * completed) / top, (100 * other) / top];
        const x = 24 + hour * 19;
        return (
          <g key={hour}>
            <rect class="work-completed" x={x} y={112 - low} width="14" height={low} />
            <rect class="work-other" x={x} y={112 - low - high} width="14" height={high} />
            {hour % 3 === 0 && (
              <text x={x} y="127">
                {String(hour).padStart(2, '0')}
              </text>
            )}
          </g>
        );
      })}
    </svg>
  );
}

function Outcomes({ some }: { readonly some: readonly OutcomeView[] }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const rows = new Map<string, readonly OutcomeView[]>();
  for (const one of some) {
    const key = `${one.language} ${one.outcome}`;
    rows.set(key, [...(rows.get(key) ?? []), one]);
  }
  const sorted = [...rows.values()].sort((a, b) => sumOf(b) - sumOf(a));
  return (
    <section class="card card-table" aria-label={w.results.outcome}>
      <div class="table-scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">{w.results.outcome}</th>
              <th scope="col">{w.results.language}</th>
              <th scope="col" class="number">
                {w.results.calls}
              </th>
            </tr>
          </thead>
          <tbody>
            {sorted.map(([first, ...more]) =>
              first === undefined ? null : (
                <tr key={`${first.language} ${first.outcome}`}>
                  <th scope="row">{w.results.outcomes[first.outcome] ?? first.outcome}</th>
                  <td>{first.language === '' ? '–' : format.languageName(first.language)}</td>
                  <td class="number">{format.number(sumOf([first, ...more]))}</td>
                </tr>
              ),
            )}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Scores({ some }: { readonly some: readonly ScoreView[] }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  return (
    <section class="card card-table" aria-label={w.results.scores}>
      <div class="table-scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">{w.results.criterion}</th>
              <th scope="col" class="number">
                {w.results.mean}
              </th>
              <th scope="col" class="number">
                {w.results.calls}
              </th>
            </tr>
          </thead>
          <tbody>
            {some.map(({ criterion, mean, calls }) => (
              <tr key={criterion}>
                <th scope="row">{criterion}</th>
                <td class="number">{format.number(mean, 1)}</td>
                <td class="number">{format.number(calls)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const sumOf = (some: readonly { readonly calls: number }[]): number => some.reduce((sum, { calls }) => sum + calls, 0);
