import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { HandsetEdited, PhoneModelView, PhoneReplacement, ProvisionOrder } from '../../api/handset-edits.js';
import type { HandsetPage } from '../../api/handsets.js';
import { ask } from '../ask.js';
import { Dialog } from '../parts/dialog.js';
import { EditOutcome } from '../parts/edit-outcome.js';
import { Choose, Field, Term } from '../parts/field.js';
import { FaultNotice, Notice } from '../parts/notice.js';
import { may, session } from '../session.js';
import { useStore } from '../store.js';
import { useAsked, useOrder } from '../use-asked.js';
import { titleOfCode } from '../words/code-text.js';
import { useWords } from '../words/speak.js';

/** The phone of a handset: what it is, how far it is, and what can be done with it. `again`: the facts have changed. */
export function PhoneCard({
  id,
  phone,
  again,
}: {
  readonly id: string;
  readonly phone: HandsetPage['phone'];
  readonly again: () => void;
}): JSX.Element {
  const { w } = useWords();
  const now = useStore(session);
  const [open, setOpen] = useState<'again' | 'replace'>();
  const close = () => {
    setOpen(undefined);
    again();
  };
  return (
    <section class="card">
      <h2>{w.handset.phone}</h2>
      {phone === undefined ? (
        <p>{w.handset.noPhone}</p>
      ) : (
        <dl class="terms">
          <Term name={w.onboarding.model}>{phone.model}</Term>
          <Term name={w.onboarding.mac}>
            <code>{phone.mac}</code>
          </Term>
          {phone.port > 1 && <Term name={w.onboarding.port}>{phone.port}</Term>}
          <Term name={w.handset.state}>{titleOfCode(w.handset.phoneStates, phone.state)}</Term>
        </dl>
      )}
      {phone?.state === 'mismatch' && <Notice tone="warn">{phone.detail}</Notice>}
      {may(now, 'provision') && (
        <div class="row">
          {phone !== undefined && (
            <button type="button" class="button" onClick={() => setOpen('again')}>
              {w.handset.again}
            </button>
          )}
          <button type="button" class="button" onClick={() => setOpen('replace')}>
            {w.handset.replace}
          </button>
        </div>
      )}
      {open === 'again' && <AgainDialog id={id} onClose={close} />}
      {open === 'replace' && <ReplaceDialog id={id} model={phone?.model} onClose={close} />}
    </section>
  );
}

function AgainDialog({ id, onClose }: { readonly id: string; readonly onClose: () => void }): JSX.Element {
  const { w } = useWords();
  const [newToken, setNewToken] = useState(false);
  const [rotate, setRotate] = useState(false);
  const order = useOrder<HandsetEdited>();
  const act = (event: Event) => {
    event.preventDefault();
    const body: ProvisionOrder = { newToken, rotate };
    void order.run(() => ask<HandsetEdited>(`handsets/${encodeURIComponent(id)}/provision`, 'POST', body));
  };
  return (
    <Dialog title={w.handset.againTitle(id)} onClose={onClose} isBusy={order.isBusy}>
      <p class="cut-lead">{w.handset.againLead}</p>
      {order.value === undefined ? (
        <form onSubmit={act}>
          <Tick label={w.onboarding.freshToken} isOn={newToken} onChange={setNewToken} />
          <Tick label={w.handset.freshSecret} isOn={rotate} onChange={setRotate} />
          {order.fault !== undefined && <FaultNotice fault={order.fault} />}
          <Foot act={w.handset.again} isBusy={order.isBusy} onClose={onClose} />
        </form>
      ) : (
        <Done edited={order.value} onClose={onClose} />
      )}
    </Dialog>
  );
}

function ReplaceDialog({
  id,
  model: present,
  onClose,
}: {
  readonly id: string;
  readonly model: string | undefined;
  readonly onClose: () => void;
}): JSX.Element {
  const { w } = useWords();
  const asked = useAsked<{ readonly models: readonly PhoneModelView[] }>('models');
  const models = asked.is === 'got' ? asked.value.models : [];
  const [chosen, setModel] = useState(present ?? '');
  const [mac, setMac] = useState('');
  const [port, setPort] = useState('');
  const order = useOrder<HandsetEdited>();
  const model = chosen || (models[0]?.model ?? '');
  const ports = models.find((one) => one.model === model)?.handsets ?? 1;
  const act = (event: Event) => {
    event.preventDefault();
    const body: PhoneReplacement = { model, mac: mac.trim(), ...(ports > 1 && port !== '' && { port: Number(port) }) };
    void order.run(() => ask<HandsetEdited>(`handsets/${encodeURIComponent(id)}/replace`, 'POST', body));
  };
  return (
    <Dialog title={w.handset.replaceTitle(id)} onClose={onClose} isBusy={order.isBusy}>
      <p class="cut-lead">{w.handset.replaceLead}</p>
      {order.value === undefined ? (
        <form onSubmit={act}>
          {asked.is === 'failed' && <FaultNotice fault={asked.fault} again={asked.again} />}
          <Field
            label={w.onboarding.mac}
            hint={w.onboarding.macHint}
            value={mac}
            onValue={setMac}
            isRequired
            isFirst
            maxLength={17}
          />
          <div class="pair">
            <Choose
              label={w.onboarding.model}
              value={model}
              onValue={setModel}
              choices={models.map((one) => ({ value: one.model, text: one.model }))}
            />
            {ports > 1 && (
              <Choose
                label={w.onboarding.port}
                value={port || '1'}
                onValue={setPort}
                choices={Array.from({ length: ports }, (_, n) => ({ value: String(n + 1), text: String(n + 1) }))}
              />
            )}
          </div>
          {order.fault !== undefined && <FaultNotice fault={order.fault} />}
          <Foot act={w.handset.replaceAct} isBusy={order.isBusy || mac.trim() === ''} onClose={onClose} />
        </form>
      ) : (
        <Done edited={order.value} onClose={onClose} />
      )}
    </Dialog>
  );
}

function Tick({
  label,
  isOn,
  onChange,
}: {
  readonly label: string;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
}): JSX.Element {
  return (
    <label class="tick">
      <input type="checkbox" checked={isOn} onChange={(event) => onChange(event.currentTarget.checked)} />
      {label}
    </label>
  );
}

function Foot({
  act,
  isBusy,
  onClose,
}: {
  readonly act: string;
  readonly isBusy: boolean;
  readonly onClose: () => void;
}): JSX.Element {
  const { w } = useWords();
  return (
    <div class="dialog-foot">
      <button type="button" class="button" onClick={onClose}>
        {w.cancel}
      </button>
      <button type="submit" class="button button-main" disabled={isBusy}>
        {act}
      </button>
    </div>
  );
}

/** What was armed is shown here and nowhere else: the dialog stays until it is closed by hand. */
function Done({ edited, onClose }: { readonly edited: HandsetEdited; readonly onClose: () => void }): JSX.Element {
  const { w } = useWords();
  return (
    <>
      <EditOutcome edited={edited} />
      <div class="dialog-foot">
        <button type="button" class="button button-main" onClick={onClose}>
          {w.close}
        </button>
      </div>
    </>
  );
}
