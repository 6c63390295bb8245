import type { JSX } from 'preact';
import type { CutTarget, ReleaseOrder } from '../../api/orders.js';
import { ask } from '../ask.js';
import { Dialog } from '../parts/dialog.js';
import { FaultNotice } from '../parts/notice.js';
import { useOrder } from '../use-asked.js';
import { useWords } from '../words/speak.js';
import { nameOf } from './target.js';

/** Lifts a cutoff. Only offered to a role that may. */
export function ReleaseDialog({
  target,
  onClose,
}: {
  readonly target: CutTarget;
  readonly onClose: () => void;
}): JSX.Element {
  const { w } = useWords();
  const order = useOrder<unknown>();
  const release = async () => {
    const body: ReleaseOrder = { target };
    const done = await order.run(() => ask('releases', 'POST', body));
    if (done !== undefined) onClose();
  };
  return (
    <Dialog title={w.cut.releaseTitle[target.kind](nameOf(target))} onClose={onClose} isBusy={order.isBusy}>
      <p class="cut-lead">{w.cut.releaseLead}</p>
      {order.fault !== undefined && <FaultNotice fault={order.fault} />}
      <div class="dialog-foot">
        <button type="button" class="button" disabled={order.isBusy} onClick={onClose}>
          {w.cancel}
        </button>
        <button type="button" class="button button-main" disabled={order.isBusy} onClick={release}>
          {w.cut.releaseAct}
        </button>
      </div>
    </Dialog>
  );
}
