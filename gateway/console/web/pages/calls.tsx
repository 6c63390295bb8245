import type { JSX } from 'preact';
import type { CallsView } from '../../api/calls.js';
import type { Format } from '../format.js';
import { liveSite } from '../live.js';
import { AskedPart } from '../parts/asked.js';
import { CallsTable } from '../parts/calls-table.js';
import { Choose, Field } from '../parts/field.js';
import { Page } from '../parts/page.js';
import { setQuery } from '../router.js';
import { useStore } from '../store.js';
import { useAsked } from '../use-asked.js';
import { useFormat } from '../use-format.js';
import { daysAfter, startOfDate } from '../week/zone-time.js';
import type { Words } from '../words/en.js';
import { useWords } from '../words/speak.js';

const FILTERS = ['handset', 'outcome', 'from', 'to'] as const;

/** Calls and refusals, filtered by what stands in the address, so that a view can be kept and sent. */
export function CallsPage({ query }: { readonly query: URLSearchParams }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const handsets = useStore(liveSite, (site) => site?.handsets);
  const latest = useStore(liveSite, (site) => site?.ended);
  const asked = useAsked<CallsView>(`calls?${wire(query, format)}`);
  const given = (name: string) => query.get(name) ?? '';
  const isFiltered = FILTERS.some((name) => given(name) !== '');
  const change = (name: string) => (value: string) => setQuery({ [name]: value, before: '' });
  // Only where the newest stand on top and nothing but the handset narrows them can it be said how many are newer.
  const isTop = given('before') === '' && given('outcome') === '' && given('to') === '' && given('from') === '';
  const newest = asked.is === 'got' ? asked.value.calls[0]?.call : undefined;
  const after = latest?.filter(({ handset }) => given('handset') === '' || handset === given('handset')) ?? [];
  const known = after.findIndex(({ call }) => call === newest);
  const fresh = !isTop || asked.is !== 'got' ? 0 : known < 0 ? after.length : known;
  return (
    <Page title={w.calls.title}>
      <search class="filters">
        <Choose
          label={w.calls.handset}
          value={given('handset')}
          onValue={change('handset')}
          choices={[
            { value: '', text: w.calls.any },
            ...[...new Set([...(handsets ?? []).map(({ handset }) => handset), given('handset')])]
              .filter(Boolean)
              .map((value) => ({ value, text: value })),
          ]}
        />
        <Choose label={w.calls.outcome} value={given('outcome')} onValue={change('outcome')} choices={outcomes(w)} />
        <Field label={w.calls.from} type="date" value={given('from')} onValue={change('from')} />
        <Field label={w.calls.to} type="date" value={given('to')} onValue={change('to')} />
        {isFiltered && (
          <button
            type="button"
            class="button-quiet"
            onClick={() => setQuery({ handset: '', outcome: '', from: '', to: '', before: '' })}
          >
            {w.calls.clear}
          </button>
        )}
      </search>
      {fresh > 0 && (
        <button type="button" class="button calls-fresh" onClick={asked.again}>
          {w.calls.fresh(fresh)}
        </button>
      )}
      <section class="card card-table" aria-label={w.calls.title}>
        <AskedPart asked={asked}>
          {({ calls, before }) => (
            <>
              <CallsTable calls={calls} empty={isFiltered ? w.calls.empty : w.calls.none} />
              <div class="pager">
                {given('before') !== '' && (
                  <button type="button" class="button" onClick={() => setQuery({ before: '' })}>
                    {w.calls.newest}
                  </button>
                )}
                {before !== undefined && (
                  <button type="button" class="button" onClick={() => setQuery({ before })}>
                    {w.calls.older}
                  </button>
                )}
              </div>
            </>
          )}
        </AskedPart>
      </section>
    </Page>
  );
}

function outcomes(w: Words): readonly { readonly value: string; readonly text: string }[] {
  const causes = Object.entries(w.causes).filter(([cause]) => cause !== 'refused');
  return [
    { value: '', text: w.calls.any },
    { value: 'answered', text: w.calls.answered },
    { value: 'unanswered', text: w.calls.unanswered },
    { value: 'refused', text: w.calls.refused },
    ...causes.map(([value, text]) => ({ value, text })),
  ];
}

/** What is asked of the gateway: dates of the site become instants, the last one whole. */
function wire(query: URLSearchParams, { zone }: Format): string {
  const asked = new URLSearchParams();
  for (const name of ['handset', 'outcome', 'before']) {
    const value = query.get(name);
    if (value) asked.set(name, value);
  }
  const from = query.get('from');
  const to = query.get('to');
  if (isDate(from)) asked.set('from', new Date(startOfDate(from, zone)).toISOString());
  if (isDate(to)) asked.set('to', new Date(startOfDate(daysAfter(to, 1), zone)).toISOString());
  return asked.toString();
}

function isDate(text: string | null): text is string {
  return text !== null && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));
}
