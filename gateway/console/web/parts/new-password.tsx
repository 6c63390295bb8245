import type { JSX } from 'preact';
import { useWords } from '../words/speak.js';
import { Field } from './field.js';
import { Notice } from './notice.js';

/** A new password, and the same again; it says when they differ. */
export function NewPassword(asked: {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly again: string;
  readonly onAgain: (value: string) => void;
  readonly differ: boolean;
}): JSX.Element {
  const { w } = useWords();
  const common = { type: 'password', autocomplete: 'new-password', isRequired: true } as const;
  return (
    <>
      <Field {...common} label={asked.label} value={asked.value} onValue={asked.onValue} hint={w.password.rules} />
      <Field {...common} label={w.password.repeat} value={asked.again} onValue={asked.onAgain} />
      {asked.differ && <Notice tone="warn">{w.password.differ}</Notice>}
    </>
  );
}
