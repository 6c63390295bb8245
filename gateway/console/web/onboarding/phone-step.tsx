import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { HandsetEdited, PhoneModelView, PhoneReplacement, ProvisionOrder } from '../../api/handset-edits.js';
import { ask } from '../ask.js';
import { EditOutcome } from '../parts/edit-outcome.js';
import { Choose, Field } from '../parts/field.js';
import { FaultNotice } from '../parts/notice.js';
import { may, session } from '../session.js';
import { useStore } from '../store.js';
import { useAsked, useOrder } from '../use-asked.js';
import { useWords } from '../words/speak.js';
import { Hands } from './hands.js';
import type { Walked } from './steps.js';

/** Which phone it is, and what is to be set at it: shown once. */
export function PhoneStep({
  walked: { view },
  onArmed,
}: {
  readonly walked: Walked;
  /** There is something to be set at the phone: what is left to do here is done there. */
  readonly onArmed: () => void;
}): JSX.Element {
  const { w } = useWords();
  const now = useStore(session);
  const asked = useAsked<{ readonly models: readonly PhoneModelView[] }>('models');
  const models = asked.is === 'got' ? asked.value.models : [];
  const [chosen, setModel] = useState('');
  const [mac, setMac] = useState('');
  const [port, setPort] = useState('');
  const [isFresh, setFresh] = useState(false);
  const order = useOrder<HandsetEdited>();
  const model = chosen || (models[0]?.model ?? '');
  const ports = models.find((one) => one.model === model)?.handsets ?? 1;
  const path = `handsets/${encodeURIComponent(view.handset)}`;
  const act = async (verb: 'replace' | 'provision', body: PhoneReplacement | ProvisionOrder) => {
    if ((await order.run(() => ask<HandsetEdited>(`${path}/${verb}`, 'POST', body))) !== undefined) onArmed();
  };
  const give = (event: Event) => {
    event.preventDefault();
    const body: PhoneReplacement = { model, mac: mac.trim(), ...(ports > 1 && port !== '' && { port: Number(port) }) };
    void act('replace', body);
  };
  const again = () => {
    const body: ProvisionOrder = isFresh ? { newToken: true } : {};
    void act('provision', body);
  };
  return (
    <>
      <Hands>{w.onboarding.phoneHands}</Hands>
      {asked.is === 'failed' && <FaultNotice fault={asked.fault} again={asked.again} />}
      {may(now, 'provision') && (
        <>
          <form onSubmit={give}>
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
            <Field
              label={w.onboarding.mac}
              hint={w.onboarding.macHint}
              value={mac}
              onValue={setMac}
              isRequired
              maxLength={17}
            />
            <button type="submit" class="button button-main" disabled={order.isBusy || mac.trim() === ''}>
              {w.onboarding.arm}
            </button>
          </form>
          <div class="row">
            <button type="button" class="button" disabled={order.isBusy} onClick={again}>
              {w.onboarding.again}
            </button>
            <label class="tick">
              <input type="checkbox" checked={isFresh} onChange={(event) => setFresh(event.currentTarget.checked)} />
              {w.onboarding.freshToken}
            </label>
          </div>
        </>
      )}
      {order.fault !== undefined && <FaultNotice fault={order.fault} />}
      {order.value !== undefined && <EditOutcome edited={order.value} />}
    </>
  );
}
