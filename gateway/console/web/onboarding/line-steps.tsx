import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { HandsetEdit, HandsetEdited } from '../../api/handset-edits.js';
import { ask } from '../ask.js';
import { LineTest } from '../pages/handset-tests.js';
import { Term } from '../parts/field.js';
import { Icon } from '../parts/icon.js';
import { FaultNotice, Notice } from '../parts/notice.js';
import { may, session } from '../session.js';
import { useStore } from '../store.js';
import { useOrder } from '../use-asked.js';
import { titleOfCode } from '../words/code-text.js';
import { useWords } from '../words/speak.js';
import { Hands } from './hands.js';
import { LinePlaceFields, type LineText, lineOf, NO_LINE } from './line-place.js';
import type { Walked } from './steps.js';

/** Which cell it is, and where its wire ends. */
export function CellStep({ walked, again }: { readonly walked: Walked; readonly again: () => void }): JSX.Element {
  const { w } = useWords();
  const now = useStore(session);
  const { facts, view } = walked;
  const { line } = facts;
  return (
    <>
      <Hands>{w.onboarding.cellHands}</Hands>
      <dl class="terms">
        <Term name={w.onboarding.id}>{view.handset}</Term>
        <Term name={w.onboarding.wing}>{facts.wing}</Term>
        <Term name={w.onboarding.profile}>{facts.profile}</Term>
        <Term name={w.handset.line}>
          {line === undefined ? w.handset.noLine : w.handset.lineAt(line.board, line.channel, line.hook)}
        </Term>
      </dl>
      {may(now, 'configure') && <Rewire walked={walked} again={again} />}
    </>
  );
}

function Rewire({ walked, again }: { readonly walked: Walked; readonly again: () => void }): JSX.Element {
  const { w } = useWords();
  const { line } = walked.facts;
  const [text, setText] = useState<LineText>(
    line === undefined ? NO_LINE : { board: line.board, channel: String(line.channel), hook: String(line.hook) },
  );
  const order = useOrder<HandsetEdited>();
  const act = async (event: Event) => {
    event.preventDefault();
    const body: HandsetEdit = { line: lineOf(text) ?? null };
    const path = `handsets/${encodeURIComponent(walked.view.handset)}`;
    if ((await order.run(() => ask<HandsetEdited>(path, 'PUT', body))) !== undefined) again();
  };
  return (
    <details>
      <summary>{w.onboarding.wire}</summary>
      <form onSubmit={act}>
        <LinePlaceFields value={text} onValue={setText} />
        {order.fault !== undefined && <FaultNotice fault={order.fault} />}
        {order.value !== undefined && (
          <Notice tone="good">
            <p>{w.onboarding.changed}</p>
            {order.value.remarks.map((remark) => (
              <p key={remark}>{remark}</p>
            ))}
          </Notice>
        )}
        <button type="submit" class="button" disabled={order.isBusy}>
          {w.onboarding.rewire}
        </button>
      </form>
    </details>
  );
}

/** The hook as it changes, and the test of the relay. */
export function LineStep({ walked: { facts, view } }: { readonly walked: Walked }): JSX.Element {
  const { w } = useWords();
  const now = useStore(session);
  const [seen, setSeen] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => setSeen((before) => new Set([...before, view.hook])), [view.hook]);
  if (facts.line === undefined) return <p>{w.handset.noLine}</p>;
  const sights = [
    ['off', w.onboarding.sawOff],
    ['on', w.onboarding.sawOn],
  ] as const;
  return (
    <>
      <Hands>{w.onboarding.lineHands}</Hands>
      <p class="hook-now" role="status">
        <Icon name={view.hook === 'off' ? 'off-hook' : 'on-hook'} size={28} />
        <span>
          {w.onboarding.lineNow}: <b>{titleOfCode(w.handset.hooks, view.hook)}</b>
        </span>
      </p>
      <ul class="sights">
        {sights.map(([hook, text]) => (
          <li key={hook} class={seen.has(hook) ? 'good' : 'dim'}>
            <Icon name={seen.has(hook) ? 'check' : 'clock'} size={18} />
            {text}
            {!seen.has(hook) && ` (${w.onboarding.notYet})`}
          </li>
        ))}
      </ul>
      {view.fault !== undefined && <Notice tone="bad">{view.fault}</Notice>}
      {seen.size < 2 && <p class="hint">{w.onboarding.hookNever}</p>}
      {may(now, 'test-line') && <LineTest path={`handsets/${encodeURIComponent(view.handset)}`} />}
    </>
  );
}
