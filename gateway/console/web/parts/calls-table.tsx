import type { JSX } from 'preact';
import type { EndedView } from '../../api/calls.js';
import { clockLength } from '../format.js';
import { hashOf } from '../router.js';
import { may, session } from '../session.js';
import { useStore } from '../store.js';
import { useFormat } from '../use-format.js';
import { factIn, titleOfCode } from '../words/code-text.js';
import { useWords } from '../words/speak.js';
import { Nothing } from './notice.js';

/** Ends that were imposed, or that something was wrong with: a technician's eye goes there. */
function toneOf(cause: string): string {
  if (cause === 'refused') return 'is-refused';
  if (cause === 'cutoff') return 'is-cut';
  if (cause === 'deadline') return 'is-talking';
  if (cause.startsWith('fault.') || cause.startsWith('line.') || cause === 'trunk-failed' || cause === 'hook.on')
    return 'is-fault';
  return '';
}

/** Calls and refusals, newest first. `isOfOne`: all are of one handset, whose name need not be told. */
export function CallsTable({
  calls,
  isOfOne = false,
  empty,
}: {
  readonly calls: readonly EndedView[];
  readonly isOfOne?: boolean;
  readonly empty: string;
}): JSX.Element {
  const { language, w } = useWords();
  const format = useFormat();
  const now = useStore(session);
  if (calls.length === 0) return <Nothing>{empty}</Nothing>;
  return (
    <div class="table-scroll">
      <table class="calls">
        <thead>
          <tr>
            <th scope="col">{w.calls.at}</th>
            {!isOfOne && <th scope="col">{w.calls.handset}</th>}
            <th scope="col">{w.calls.end}</th>
            <th scope="col" class="number">
              {w.calls.talk}
            </th>
          </tr>
        </thead>
        <tbody>
          {calls.map((one) => (
            <tr key={one.call}>
              <td class="calls-at">
                {may(now, 'see-calls') ? (
                  <a href={hashOf('calls', one.call)} aria-label={w.calls.open(one.handset, format.when(one.at))}>
                    <time dateTime={one.at}>{format.when(one.at)}</time>
                  </a>
                ) : (
                  <time dateTime={one.at}>{format.when(one.at)}</time>
                )}
              </td>
              {!isOfOne && (
                <td>
                  <a href={hashOf('handsets', one.handset)}>{one.handset}</a>
                </td>
              )}
              <td class="calls-end">
                <span class={`badge ${toneOf(one.cause)}`}>{titleOfCode(w.causes, one.cause)}</span>
                {one.rule !== undefined && <span class="calls-rule">{titleOfCode(w.rules, one.rule)}</span>}
                {one.fact !== undefined && <span class="calls-fact">{factIn(one, language)}</span>}
              </td>
              <td class="number">{one.talkS > 0 ? clockLength(one.talkS) : '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
