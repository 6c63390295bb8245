import type { JSX } from 'preact';
import type { AudioTestView, LineTestView } from '../../api.js';
import { ask } from '../ask.js';
import { FaultNotice, Notice } from '../parts/notice.js';
import { may, session } from '../session.js';
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
      <AudioTest path={path} />
    </section>
  );
}

function LineTest({ path }: { readonly path: string }): JSX.Element {
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

function AudioTest({ path }: { readonly path: string }): JSX.Element {
  const { w } = useWords();
  const order = useOrder<AudioTestView & { readonly endsMs: number }>();
  const { value } = order;
  const nowMs = useSteadyMs(value !== undefined);
  const run = () =>
    void order.run(async () => {
      const view = await ask<AudioTestView>(`${path}/audio-test`, 'POST');
      return { ...view, endsMs: performance.now() + Date.parse(view.until) - Date.now() };
    });
  const left = value === undefined ? 0 : Math.ceil((value.endsMs - nowMs) / 1000);
  return (
    <div class="test">
      <button type="button" class="button" disabled={order.isBusy} onClick={run}>
        {w.handset.audioTest}
      </button>
      <p class="hint">{w.handset.audioTestHint}</p>
      {order.fault !== undefined && <FaultNotice fault={order.fault} />}
      {value !== undefined && (
        <Notice tone="plain">{left > 0 ? w.handset.audioTestGo(value.code, left) : w.handset.audioTestOver}</Notice>
      )}
    </div>
  );
}
