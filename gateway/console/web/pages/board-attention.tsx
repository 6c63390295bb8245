import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { LiveSite } from '../live-site.js';
import { AlarmDetail } from '../parts/alarm-detail.js';
import { hashOf } from '../router.js';
import { may, session } from '../session.js';
import { useStore } from '../store.js';
import { useFormat } from '../use-format.js';
import { factIn, titleOfCode } from '../words/code-text.js';
import { useWords } from '../words/speak.js';

const FEW = 3;
const READ = 'balise-alarms-read';

/** Alarms and refusals beside the board: there to be read, not to startle. What was marked as read is so in this browser. */
export function Attention({ site }: { readonly site: LiveSite }): JSX.Element {
  const { language, w } = useWords();
  const format = useFormat();
  const now = useStore(session);
  const [isWhole, setWhole] = useState(false);
  const [readAt, setReadAt] = useState(() => localStorage.getItem(READ) ?? '');
  const isFresh = ({ at }: { readonly at: string }) => readAt === '' || Date.parse(at) > Date.parse(readAt);
  const fresh = site.alarms.filter(isFresh).length;
  const shown = isWhole ? site.alarms : site.alarms.slice(0, FEW);
  const refusals = site.ended.filter(({ cause }) => cause === 'refused').slice(0, FEW);
  const markRead = () => {
    const newest = site.alarms[0]?.at ?? '';
    localStorage.setItem(READ, newest);
    setReadAt(newest);
  };
  return (
    <aside class={isWhole ? 'attention attention-whole' : 'attention'}>
      <section class="card" aria-label={w.board.attention}>
        <div class="card-head">
          <h2>{w.board.attention}</h2>
          {fresh > 0 && <span class="badge is-fault">{w.board.unread(fresh)}</span>}
          {fresh > 0 && (
            <button type="button" class="button-quiet" onClick={markRead}>
              {w.board.read}
            </button>
          )}
        </div>
        {site.alarms.length === 0 && <p class="nothing-small">{w.board.calm}</p>}
        <ul class="alarms">
          {shown.map((alarm) => (
            <li key={`${alarm.at} ${alarm.code}`} class={isFresh(alarm) ? 'alarm-fresh' : ''}>
              <span class="alarm-title">{titleOfCode(w.alarms, alarm.code)}</span>
              <time dateTime={alarm.at}>{format.when(alarm.at, site.at)}</time>
              <AlarmDetail alarm={alarm} />
            </li>
          ))}
        </ul>
        {site.alarms.length > FEW && (
          <button type="button" class="button-quiet" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
            {isWhole ? w.board.fewer : w.board.more(site.alarms.length - FEW)}
          </button>
        )}
      </section>
      <section class="card attention-refusals" aria-label={w.board.refusals}>
        <h2>{w.board.refusals}</h2>
        {refusals.length === 0 && <p class="nothing-small">{w.board.noRefusals}</p>}
        <ul class="alarms">
          {refusals.map((one) => {
            const title = titleOfCode(w.rules, one.rule ?? '');
            return (
              <li key={one.call}>
                <span class="alarm-title">
                  {may(now, 'see-calls') ? <a href={hashOf('calls', one.call)}>{`${one.handset}: ${title}`}</a> : title}
                </span>
                <time dateTime={one.at}>{format.when(one.at, site.at)}</time>
                <span class="alarm-detail">{factIn(one, language)}</span>
              </li>
            );
          })}
        </ul>
      </section>
    </aside>
  );
}
