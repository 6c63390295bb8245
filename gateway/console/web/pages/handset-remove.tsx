import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { HandsetEdited } from '../../api/handset-edits.js';
import { ask } from '../ask.js';
import { Dialog } from '../parts/dialog.js';
import { Field } from '../parts/field.js';
import { FaultNotice } from '../parts/notice.js';
import { hashOf } from '../router.js';
import { useOrder } from '../use-asked.js';
import { useWords } from '../words/speak.js';

/** Takes a handset from the site in two steps: the reason, then the order itself. */
export function RemoveButton({ id }: { readonly id: string }): JSX.Element {
  const { w } = useWords();
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="button" onClick={() => setOpen(true)}>
        {w.handset.remove}
      </button>
      {isOpen && <RemoveDialog id={id} onClose={() => setOpen(false)} />}
    </>
  );
}

function RemoveDialog({ id, onClose }: { readonly id: string; readonly onClose: () => void }): JSX.Element {
  const { w } = useWords();
  const [step, setStep] = useState<1 | 2>(1);
  const [reason, setReason] = useState('');
  const order = useOrder<HandsetEdited>();
  const heading = useRef<HTMLParagraphElement>(null);
  // The order's own button does not take the focus: Enter pressed twice must not remove.
  useEffect(() => {
    if (step === 2) heading.current?.focus();
  }, [step]);
  const remove = async () => {
    const path = `handsets/${encodeURIComponent(id)}?reason=${encodeURIComponent(reason.trim())}`;
    // Its page is gone with it.
    if ((await order.run(() => ask<HandsetEdited>(path, 'DELETE'))) !== undefined) location.hash = hashOf();
  };
  return (
    <Dialog title={w.handset.removeTitle(id)} onClose={onClose} isBusy={order.isBusy}>
      <p class="step" tabIndex={-1} ref={heading}>
        {w.cut.step(step)}
      </p>
      <p class="cut-lead">{w.handset.removeLead}</p>
      {step === 1 ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (reason.trim() !== '') setStep(2);
          }}
        >
          <Field
            label={w.cut.reason}
            hint={w.cut.reasonHint}
            value={reason}
            onValue={setReason}
            maxLength={200}
            isRequired
            isFirst
          />
          <div class="dialog-foot">
            <button type="button" class="button" onClick={onClose}>
              {w.cancel}
            </button>
            <button type="submit" class="button button-main" disabled={reason.trim() === ''}>
              {w.cut.next}
            </button>
          </div>
        </form>
      ) : (
        <>
          <blockquote class="cut-reason">{reason.trim()}</blockquote>
          <p>{w.handset.removeSure(id)}</p>
          {order.fault !== undefined && <FaultNotice fault={order.fault} />}
          <div class="dialog-foot">
            <button type="button" class="button" disabled={order.isBusy} onClick={() => setStep(1)}>
              {w.back}
            </button>
            <button type="button" class="button button-now" disabled={order.isBusy} onClick={remove}>
              {w.handset.removeAct}
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}
