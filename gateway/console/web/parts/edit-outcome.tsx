import type { JSX } from 'preact';
import type { ArmedView, HandsetEdited } from '../../api/handset-edits.js';
import { useFormat } from '../use-format.js';
import { useWords } from '../words/speak.js';
import { Term } from './field.js';
import { Notice } from './notice.js';

/** What became of an edit: what is to be set at each device that was armed, shown once; and what a person should know. */
export function EditOutcome({
  edited: { armed, remarks, isServing },
}: {
  readonly edited: HandsetEdited;
}): JSX.Element {
  const { w } = useWords();
  return (
    <>
      {armed.length === 0 && <Notice tone="warn">{w.onboarding.noProvisioning}</Notice>}
      {!isServing && armed.some((one) => 'url' in one) && <Notice tone="bad">{w.onboarding.notServing}</Notice>}
      {armed.map((one) => (
        <Armed key={one.mac} armed={one} />
      ))}
      {remarks.map((remark) => (
        <p key={remark} class="hint">
          {remark}
        </p>
      ))}
    </>
  );
}

function Armed({ armed }: { readonly armed: ArmedView }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  return (
    <div class="armed">
      <p>
        <b>{w.onboarding.armed}</b>{' '}
        {'armedUntil' in armed && w.onboarding.armedUntil(format.dayMinute(armed.armedUntil))}
      </p>
      {'sheet' in armed ? (
        <pre>{armed.sheet}</pre>
      ) : (
        <dl class="terms">
          <Term name={w.onboarding.url}>
            <code class="long">{armed.url}</code>
          </Term>
          <Term name={w.onboarding.where}>{armed.where}</Term>
          <Term name={w.onboarding.file}>
            <code class="long">{armed.file}</code>
          </Term>
          {armed.user !== undefined && (
            <Term name={w.onboarding.user}>
              <code>{armed.user}</code>
            </Term>
          )}
          <Term name={w.onboarding.token}>
            <code class="long">{armed.token}</code>
          </Term>
        </dl>
      )}
    </div>
  );
}
