import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { AuditEvent, AuditView } from '../../api/site.js';
import { AskFault, ask } from '../ask.js';
import { Field } from '../parts/field.js';
import { FaultNotice, Nothing } from '../parts/notice.js';
import { Page } from '../parts/page.js';
import { useFormat } from '../use-format.js';
import { useWords } from '../words/speak.js';

const A_PAGE = 100;

/** The audit chain, newest first. */
export function AuditPage(): JSX.Element {
  const { w } = useWords();
  const [events, setEvents] = useState<readonly AuditEvent[]>([]);
  const [before, setBefore] = useState<number | undefined>(undefined);
  const [state, setState] = useState<'asking' | 'got' | AskFault>('asking');
  const [find, setFind] = useState('');
  const load = async (cursor: number | undefined) => {
    setState('asking');
    try {
      const said = await ask<AuditView>(`audit?limit=${A_PAGE}${cursor === undefined ? '' : `&before=${cursor}`}`);
      setEvents((known) => (cursor === undefined ? said.events : [...known, ...said.events]));
      setBefore(said.before);
      setState('got');
    } catch (fault) {
      if (!(fault instanceof AskFault)) throw fault;
      setState(fault);
    }
  };
  useEffect(() => void load(undefined), []);
  const wanted = find.trim().toLowerCase();
  const shown = events.filter((event) => wanted === '' || JSON.stringify(event).toLowerCase().includes(wanted));
  return (
    <Page title={w.audit.title}>
      <p class="lead">{w.audit.lead}</p>
      <search class="filters">
        <Field label={w.audit.filter} type="search" value={find} onValue={setFind} />
      </search>
      <section class="card card-table" aria-label={w.audit.title}>
        {events.length === 0 && state === 'got' && <Nothing>{w.audit.empty}</Nothing>}
        {shown.length > 0 && (
          <div class="table-scroll">
            <table class="audit">
              <thead>
                <tr>
                  <th scope="col" class="number">
                    {w.audit.sequence}
                  </th>
                  <th scope="col">{w.audit.at}</th>
                  <th scope="col">{w.audit.who}</th>
                  <th scope="col">{w.audit.type}</th>
                  <th scope="col">{w.audit.detail}</th>
                </tr>
              </thead>
              <tbody>
                {shown.map((event) => (
                  <Row key={event.sequence} event={event} />
                ))}
              </tbody>
            </table>
          </div>
        )}
        {state instanceof AskFault && <FaultNotice fault={state} again={() => void load(before)} />}
        <div class="pager" aria-busy={state === 'asking'}>
          {state === 'asking' && <span class="dim">{w.loading}</span>}
          {state === 'got' && before !== undefined && (
            <button type="button" class="button" onClick={() => void load(before)}>
              {w.calls.older}
            </button>
          )}
        </div>
      </section>
    </Page>
  );
}

function Row({ event }: { readonly event: AuditEvent }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const { who, by } = event.data;
  const name = typeof who === 'string' ? who : typeof by === 'string' ? by : '';
  return (
    <tr>
      <td class="number">{event.sequence}</td>
      <td class="calls-at">
        <time dateTime={event.at}>{format.when(event.at)}</time>
      </td>
      <td>{name.replace(/^console:/, '')}</td>
      <td>
        <code>{event.type}</code>
      </td>
      <td>
        <details>
          <summary>{brief(event.data)}</summary>
          <pre>{JSON.stringify(event.data, null, 2)}</pre>
          <p class="dim">
            {w.audit.hash} <code class="long">{event.hash}</code>
          </p>
        </details>
      </td>
    </tr>
  );
}

/** The plain values of an event, as many as fit a line. */
function brief(data: Readonly<Record<string, unknown>>): string {
  const words = Object.entries(data)
    .filter(
      ([name, value]) => name !== 'who' && name !== 'by' && (typeof value === 'string' || typeof value === 'number'),
    )
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
  return words.length > 120 ? `${words.slice(0, 119)}…` : words === '' ? '…' : words;
}
