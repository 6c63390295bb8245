import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { HandsetPage } from '../../api/handsets.js';
import { liveSite } from '../live.js';
import { AskedPart } from '../parts/asked.js';
import { Icon } from '../parts/icon.js';
import { hashOf, setQuery } from '../router.js';
import { useStore } from '../store.js';
import { useAsked } from '../use-asked.js';
import { useWords } from '../words/speak.js';
import { BoardStep } from './board-step.js';
import { CallStep, RegistrationStep } from './last-steps.js';
import { CellStep, LineStep } from './line-steps.js';
import { PhoneStep } from './phone-step.js';
import { doneOf, nextOf, STEPS, type Step, type Walked } from './steps.js';

const isStep = (text: string | null): text is Step => STEPS.some((step) => step === text);

/** The walk of one handset. The step is that of the address, else the first that is not done. */
export function Walk({ id, query }: { readonly id: string; readonly query: URLSearchParams }): JSX.Element {
  const view = useStore(liveSite, (site) => site?.handsets.find(({ handset }) => handset === id));
  const last = useStore(liveSite, (site) => site?.ended.find(({ handset }) => handset === id)?.call);
  const asked = useAsked<HandsetPage>(`handsets/${encodeURIComponent(id)}`, `${last} ${view?.registered}`);
  return (
    <AskedPart asked={asked}>
      {(facts) => <Steps walked={{ facts, view: view ?? facts.view }} query={query} again={asked.again} />}
    </AskedPart>
  );
}

function Steps({
  walked,
  query,
  again,
}: {
  readonly walked: Walked;
  readonly query: URLSearchParams;
  readonly again: () => void;
}): JSX.Element {
  const { w } = useWords();
  const heardMs = useStore(liveSite, (site) => site?.heardMs[walked.view.handset]);
  const done = doneOf(walked);
  const asked = query.get('step');
  // Without a word in the address the walk stands where it was opened, also when that step is done meanwhile.
  const opened = useRef(nextOf(done) ?? 'call');
  const step = isStep(asked) ? asked : opened.current;
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef(step);
  useEffect(() => {
    if (shown.current !== step) heading.current?.focus();
    shown.current = step;
  }, [step]);
  const [isArmed, setArmed] = useState(false);
  const isDone = done.has(step) || (step === 'phone' && isArmed);
  const at = STEPS.indexOf(step);
  const [before, after] = [STEPS[at - 1], STEPS[at + 1]];
  return (
    <>
      <ol class="wizard-steps">
        {STEPS.map((one) => (
          <li key={one} class={one === step ? 'step-here' : done.has(one) ? 'step-done' : ''}>
            <button
              type="button"
              aria-current={one === step ? 'step' : undefined}
              onClick={() => setQuery({ step: one })}
            >
              {w.onboarding.steps[one]}
              {done.has(one) && (
                <>
                  <Icon name="check" size={16} />
                  <span class="unseen"> ({w.onboarding.done})</span>
                </>
              )}
            </button>
          </li>
        ))}
      </ol>
      <section class="card wizard-card">
        <h2 tabIndex={-1} ref={heading}>
          {w.onboarding.steps[step]}
        </h2>
        {step === 'board' && <BoardStep walked={walked} />}
        {step === 'cell' && <CellStep walked={walked} again={again} />}
        {step === 'line' && <LineStep walked={walked} />}
        {step === 'phone' && <PhoneStep walked={walked} onArmed={() => setArmed(true)} />}
        {step === 'registration' && <RegistrationStep walked={walked} />}
        {step === 'call' && <CallStep walked={walked} heardMs={heardMs} />}
        <div class="wizard-foot">
          {before !== undefined && (
            <button type="button" class="button" onClick={() => setQuery({ step: before })}>
              {w.onboarding.before}
            </button>
          )}
          {after === undefined ? (
            <a class="button button-main" href={hashOf('handsets', walked.view.handset)}>
              {w.onboarding.finish}
            </a>
          ) : (
            <button
              type="button"
              class={isDone ? 'button button-main' : 'button'}
              onClick={() => setQuery({ step: after })}
            >
              {isDone ? w.onboarding.next : w.onboarding.skip}
            </button>
          )}
        </div>
      </section>
    </>
  );
}
