import type { JSX } from 'preact';
import { stateOf } from '../handset-state.js';
import { liveSite } from '../live.js';
import { AudioTest } from '../pages/handset-tests.js';
import { Term } from '../parts/field.js';
import { Icon } from '../parts/icon.js';
import { Notice } from '../parts/notice.js';
import { Ring } from '../parts/ring.js';
import { hashOf } from '../router.js';
import { may, session } from '../session.js';
import { useStore } from '../store.js';
import { useFormat } from '../use-format.js';
import { factIn, titleOfCode } from '../words/code-text.js';
import { useWords } from '../words/speak.js';
import { Hands } from './hands.js';
import { answered, type Walked } from './steps.js';

/** What the gateway says when a phone is not what was provisioned. */
const MISMATCH = 'provisioning.mismatch';

/** The phone signs on, and says what it is. */
export function RegistrationStep({ walked: { facts, view } }: { readonly walked: Walked }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const { registration } = facts;
  const alarm = useStore(liveSite, (site) =>
    site?.alarms.find(({ code, handset }) => code === MISMATCH && handset === view.handset),
  );
  const isOfNow = alarm !== undefined && registration !== undefined && alarm.at >= registration.since;
  if (!view.registered || registration === undefined) {
    return (
      <>
        <Hands>{w.onboarding.registrationHands}</Hands>
        <Notice tone="plain">{w.onboarding.waiting}</Notice>
      </>
    );
  }
  return (
    <>
      <Notice tone="good">{w.onboarding.isRegistered}</Notice>
      <dl class="terms">
        <Term name={w.handset.registration}>
          {w.handset.registeredFrom(registration.address)}, {w.handset.since(format.when(registration.since))}
        </Term>
        {registration.userAgent !== undefined && <Term name={w.onboarding.says}>{registration.userAgent}</Term>}
      </dl>
      {isOfNow ? (
        <Notice tone="warn">
          <p>{w.onboarding.readBackBad}</p>
          <p lang="en">{alarm.detail}</p>
        </Notice>
      ) : (
        <p class="hint">{w.onboarding.readBackGood}</p>
      )}
    </>
  );
}

/** The handset hears itself, and then a call is watched. */
export function CallStep({
  walked: { facts, view },
  heardMs,
}: {
  readonly walked: Walked;
  readonly heardMs: number | undefined;
}): JSX.Element {
  const { language, w } = useWords();
  const format = useFormat();
  const now = useStore(session);
  const state = stateOf(view);
  const last = answered(facts);
  const call = view.call ?? view.refusedCall ?? last?.call;
  return (
    <>
      <Hands>{w.onboarding.callHands}</Hands>
      {may(now, 'test-line') && <AudioTest id={view.handset} />}
      <div class={`call-now is-${state}`} role="status">
        {state === 'talking' && view.leftS !== undefined ? (
          <Ring view={view} heardMs={heardMs} />
        ) : (
          <Icon name={state} size={28} />
        )}
        <span>
          {w.onboarding.callNow}: <b>{w.states[state]}</b>
        </span>
      </div>
      {view.rule !== undefined && view.refusedAt !== undefined && (
        <Notice tone="warn">
          <p>
            {w.onboarding.callRefused(format.time(view.refusedAt))} <b>{titleOfCode(w.rules, view.rule)}</b>
          </p>
          {view.fact !== undefined && <p>{factIn(view, language)}</p>}
        </Notice>
      )}
      {last !== undefined && (
        <Notice tone="good">{w.onboarding.callDone(format.when(last.requestedAt ?? last.at))}</Notice>
      )}
      {last === undefined && state !== 'talking' && <p class="hint">{w.onboarding.callWait}</p>}
      {call !== undefined && may(now, 'see-calls') && (
        <a class="head-link" href={hashOf('calls', call)}>
          {w.onboarding.callWhy}
        </a>
      )}
    </>
  );
}
