import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { HandsetEdited, HandsetReason } from '../../api/handset-edits.js';
import type { HandsetView } from '../../api/handsets.js';
import { ask } from '../ask.js';
import { Dialog } from '../parts/dialog.js';
import { Field } from '../parts/field.js';
import { FaultNotice } from '../parts/notice.js';
import { useOrder } from '../use-asked.js';
import { useWords } from '../words/speak.js';

/** Disables a handset, or enables it again; both need a reason. */
export function AbleButton({ view }: { readonly view: HandsetView }): JSX.Element {
  const { w } = useWords();
  const [isOpen, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const order = useOrder<HandsetEdited>();
  const { handset, disabled } = view;
  const close = () => {
    setOpen(false);
    setReason('');
    order.clear();
  };
  const act = async (event: Event) => {
    event.preventDefault();
    const body: HandsetReason = { reason: reason.trim() };
    const path = `handsets/${encodeURIComponent(handset)}/${disabled ? 'enable' : 'disable'}`;
    if ((await order.run(() => ask<HandsetEdited>(path, 'POST', body))) !== undefined) close();
  };
  return (
    <>
      <button type="button" class="button" onClick={() => setOpen(true)}>
        {disabled ? w.handset.enable : w.handset.disable}
      </button>
      {isOpen && (
        <Dialog
          title={disabled ? w.handset.enableTitle(handset) : w.handset.disableTitle(handset)}
          onClose={close}
          isBusy={order.isBusy}
        >
          <p class="cut-lead">{disabled ? w.handset.enableLead : w.handset.disableLead}</p>
          <form onSubmit={act}>
            <Field
              label={w.cut.reason}
              hint={w.cut.reasonHint}
              value={reason}
              onValue={setReason}
              maxLength={200}
              isRequired
              isFirst
            />
            {order.fault !== undefined && <FaultNotice fault={order.fault} />}
            <div class="dialog-foot">
              <button type="button" class="button" disabled={order.isBusy} onClick={close}>
                {w.cancel}
              </button>
              <button type="submit" class="button button-main" disabled={order.isBusy || reason.trim() === ''}>
                {disabled ? w.handset.enable : w.handset.disable}
              </button>
            </div>
          </form>
        </Dialog>
      )}
    </>
  );
}
