import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { CutOrder, CutTarget, CutView } from '../../api/orders.js';
import { ask } from '../ask.js';
import { liveCalls } from '../handset-state.js';
import { liveSite } from '../live.js';
import { Dialog } from '../parts/dialog.js';
import { Choose, Field } from '../parts/field.js';
import { FaultNotice, Notice } from '../parts/notice.js';
import { useStore } from '../store.js';
import { useOrder } from '../use-asked.js';
import { useFormat } from '../use-format.js';
import { useWords } from '../words/speak.js';
import { handsetsOf, nameOf } from './target.js';

const HOLDS = { released: 'until-released', s10: 10, m10: 600, h1: 3600 } as const;
type Hold = keyof typeof HOLDS;

/** As long as the gateway takes. */
const REASON_LENGTH = 200;

/** What came of the order, with the time that passed here between the press and the answer. */
interface Done extends CutView {
  readonly roundMs: number;
}

/** A cutoff in two steps: what and why, then the order itself; and then what was measured. */
export function CutDialog({
  target,
  onClose,
}: {
  readonly target: CutTarget;
  readonly onClose: () => void;
}): JSX.Element {
  const { w } = useWords();
  const site = useStore(liveSite);
  const [step, setStep] = useState<1 | 2>(1);
  const [reason, setReason] = useState('');
  const [hold, setHold] = useState<Hold>('released');
  const order = useOrder<Done>();
  const title = w.cut.title[target.kind](nameOf(target));
  const calls = liveCalls(handsetsOf(target, site?.handsets ?? []));

  const heading = useRef<HTMLParagraphElement>(null);
  // The order's own button does not take the focus: Enter pressed twice must not cut.
  useEffect(() => {
    if (step === 2) heading.current?.focus();
  }, [step]);

  const cut = () =>
    order.run(async () => {
      const startMs = performance.now();
      const body: CutOrder = { target, reason: reason.trim(), holdS: HOLDS[hold] };
      const view = await ask<CutView>('cutoffs', 'POST', body);
      return { ...view, roundMs: performance.now() - startMs };
    });

  if (order.value !== undefined) {
    return (
      <Dialog title={title} onClose={onClose}>
        <Outcome done={order.value} onClose={onClose} />
      </Dialog>
    );
  }
  return (
    <Dialog title={title} onClose={onClose} isBusy={order.isBusy}>
      <p class="step" tabIndex={-1} ref={heading}>
        {w.cut.step(step)}
      </p>
      <p class="cut-lead">{w.cut.lead(calls)}</p>
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
            isRequired
            isFirst
            maxLength={REASON_LENGTH}
          />
          <fieldset class="quick">
            <legend class="unseen">{w.cut.quick}</legend>
            {w.cut.reasons.map((one) => (
              <button key={one} type="button" class="chip" onClick={() => setReason(one)}>
                {one}
              </button>
            ))}
          </fieldset>
          <Choose
            label={w.cut.hold}
            value={hold}
            onValue={(value) => setHold(value as Hold)}
            choices={(Object.keys(HOLDS) as Hold[]).map((value) => ({ value, text: w.cut.holds[value] }))}
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
          <p>
            {hold === 'released' ? w.cut.holdWords(w.cut.holds.released) : w.cut.holdFor(w.cut.holds[hold])}{' '}
            {hold === 'released' && w.cut.whoReleases}
          </p>
          {order.fault !== undefined && <FaultNotice fault={order.fault} />}
          <div class="dialog-foot">
            <button type="button" class="button" disabled={order.isBusy} onClick={() => setStep(1)}>
              {w.back}
            </button>
            <button type="button" class="button button-now" disabled={order.isBusy} onClick={cut}>
              {order.isBusy ? w.cut.busy : w.cut.act}
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}

function Outcome({ done, onClose }: { readonly done: Done; readonly onClose: () => void }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  return (
    <div class="cut-outcome">
      <Notice tone={done.complete ? 'good' : 'bad'}>
        <p>{w.cut.done(done.calls)}</p>
        <p>{done.complete ? w.cut.complete : w.cut.incomplete}</p>
      </Notice>
      <dl class="figures">
        {done.calls > 0 && (
          <div>
            <dt>{w.cut.silent}</dt>
            <dd>{format.ms(done.silentMs)}</dd>
          </div>
        )}
        <div>
          <dt>{w.cut.round}</dt>
          <dd>{format.ms(done.roundMs)}</dd>
        </div>
      </dl>
      <div class="dialog-foot">
        <button type="button" class="button button-main" onClick={onClose}>
          {w.close}
        </button>
      </div>
    </div>
  );
}
