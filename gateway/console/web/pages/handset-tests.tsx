import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { AudioTestProgress, AudioTestView, LineTestView } from '../../api/line-tests.js';
import { ask } from '../ask.js';
import { liveSite } from '../live.js';
import { FaultNotice, Notice } from '../parts/notice.js';
import { may, session } from '../session.js';
import { siteNowMs } from '../site-time.js';
import { useStore } from '../store.js';
import { useSteadyMs } from '../tick.js';
import { useOrder } from '../use-asked.js';
import { useFormat } from '../use-format.js';
import { titleOfCode } from '../words/code-text.js';
import { useWords } from '../words/speak.js';

/** The tests of a handset's line and of its sound. */
export function TestsCard({ id }: { readonly id: string }): JSX.Element | null {
  const { w } = useWords();
  const now = useStore(session);
  if (!may(now, 'test-line')) return null;
  const path = `handsets/${encodeURIComponent(id)}`;
  return (
    <section class="card">
      <h2>{w.handset.tests}</h2>
      <LineTest path={path} />
      <AudioTest id={id} />
    </section>
  );
}

export function LineTest({ path }: { readonly path: string }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const order = useOrder<LineTestView>();
  const run = () => void order.run(() => ask<LineTestView>(`${path}/line-test`, 'POST'));
  const { value } = order;
  const times = [
    value?.openedMs === undefined ? undefined : w.handset.opened(format.ms(value.openedMs)),
    value?.closedMs === undefined ? undefined : w.handset.closed(format.ms(value.closedMs)),
  ].filter((one) => one !== undefined);
  const tone = value?.outcome === 'well' ? 'good' : value?.outcome.startsWith('did-not') === true ? 'bad' : 'warn';
  return (
    <div class="test">
      <button type="button" class="button" disabled={order.isBusy} onClick={run}>
        {order.isBusy ? w.handset.lineTestBusy : w.handset.lineTest}
      </button>
      <p class="hint">{w.handset.lineTestHint}</p>
      {order.fault !== undefined && <FaultNotice fault={order.fault} />}
      {value !== undefined && (
        <Notice tone={tone}>
          <p>{titleOfCode(w.lineTests, value.outcome)}</p>
          {times.length > 0 && <p>{times.join(', ')}</p>}
        </Notice>
      )}
    </div>
  );
}

/** The audio test: its order, and how it goes at the handset, live. */
export function AudioTest({ id }: { readonly id: string }): JSX.Element {
  const { w } = useWords();
  const order = useOrder<AudioTestView>();
  const progress = useStore(liveSite, (site) => site?.handsets.find(({ handset }) => handset === id)?.audioTest);
  const run = () => void order.run(() => ask<AudioTestView>(`handsets/${encodeURIComponent(id)}/audio-test`, 'POST'));
  return (
    <div class="test">
      <button type="button" class="button" disabled={order.isBusy || progress?.state === 'playing'} onClick={run}>
        {w.handset.audioTest}
      </button>
      <p class="hint">{w.handset.audioTestHint}</p>
      {order.fault !== undefined && <FaultNotice fault={order.fault} />}
      {progress !== undefined && <AudioProgress progress={progress} />}
    </div>
  );
}

function AudioProgress({ progress }: { readonly progress: AudioTestProgress }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const { state, until, packets, lost, jitterMs, why } = progress;
  const isRunning = state === 'waiting' || state === 'playing';
  const nowMs = useSteadyMs(isRunning);
  // The gateway's instant on the page's steady clock; a test lasts a minute, and no clock drifts as much in it.
  const endsMs = useMemo(() => performance.now() + Date.parse(until) - siteNowMs(), [until]);
  const left = Math.max(0, Math.ceil((endsMs - nowMs) / 1000));
  const heard =
    packets > 0
      ? w.handset.audioTestHeard(format.number(packets), format.number(lost), format.ms(jitterMs))
      : w.handset.audioTestNothing;
  return (
    <Notice tone={state === 'done' ? 'good' : state === 'failed' ? 'bad' : 'plain'}>
      {state === 'waiting' && <p>{w.handset.audioTestGo(left)}</p>}
      {state === 'playing' && <p>{w.handset.audioTestPlaying(left)}</p>}
      {state === 'done' && <p>{w.handset.audioTestDone}</p>}
      {state === 'failed' && <p>{titleOfCode(w.handset.audioTestFaults, why ?? '')}</p>}
      {(state === 'playing' || state === 'done') && <p>{heard}</p>}
    </Notice>
  );
}
