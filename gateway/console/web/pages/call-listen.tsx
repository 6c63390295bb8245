import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { CutView } from '../../api/orders.js';
import { ask } from '../ask.js';
import { FaultNotice, Notice } from '../parts/notice.js';
import { may, session } from '../session.js';
import { useStore } from '../store.js';
import { useOrder } from '../use-asked.js';
import { useWords } from '../words/speak.js';

/** For supervisors: how a call that is up sounds, and its end. It is heard only after a press, and no longer than the page shows it. */
export function ListenCard({ id }: { readonly id: string }): JSX.Element | null {
  const { w } = useWords();
  const now = useStore(session);
  const [isOn, setOn] = useState(false);
  if (!may(now, 'listen')) return null;
  return (
    <section class="card">
      <h2>{w.call.listen}</h2>
      <p class="hint">{w.call.listenLead}</p>
      {isOn ? (
        <Heard id={id} onStop={() => setOn(false)} />
      ) : (
        <button type="button" class="button button-main" onClick={() => setOn(true)}>
          {w.call.listenAct}
        </button>
      )}
    </section>
  );
}

function Heard({ id, onStop }: { readonly id: string; readonly onStop: () => void }): JSX.Element {
  const { w } = useWords();
  const player = useRef<HTMLAudioElement>(null);
  const [isOver, setOver] = useState(false);
  const [isSure, setSure] = useState(false);
  const order = useOrder<CutView>();
  const path = `calls/${encodeURIComponent(id)}`;
  // Taken off the page, an element goes on loading until it is told not to.
  useEffect(() => {
    const { current } = player;
    return () => {
      current?.removeAttribute('src');
      current?.load();
    };
  }, []);
  if (order.value !== undefined) return <Notice tone="good">{w.call.listenCutDone}</Notice>;
  return (
    <div class="listen">
      {/* biome-ignore lint/a11y/useMediaCaption: a call that is up has no captions */}
      <audio
        ref={player}
        src={`api/${path}/listen`}
        autoplay
        controls
        aria-label={w.call.listenPlayer}
        onError={() => setOver(true)}
        onEnded={() => setOver(true)}
      />
      {isOver && <Notice tone="warn">{w.call.listenRefused}</Notice>}
      {order.fault !== undefined && <FaultNotice fault={order.fault} />}
      <div class="row">
        <button type="button" class="button" onClick={onStop}>
          {w.call.listenStop}
        </button>
        {!isOver && !isSure && (
          <button type="button" class="button" onClick={() => setSure(true)}>
            {w.call.listenCut}
          </button>
        )}
        {!isOver && isSure && (
          <button
            type="button"
            class="button button-now"
            disabled={order.isBusy}
            onClick={() => void order.run(() => ask<CutView>(`${path}/cut`, 'POST'))}
          >
            {w.call.listenSure}
          </button>
        )}
      </div>
    </div>
  );
}
