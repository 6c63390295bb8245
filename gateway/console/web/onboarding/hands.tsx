import type { ComponentChildren, JSX } from 'preact';
import { useWords } from '../words/speak.js';

/** What a step asks of the technician's hands. */
export function Hands({ children }: { readonly children: ComponentChildren }): JSX.Element {
  const { w } = useWords();
  return (
    <p class="hands">
      <b>{w.onboarding.hands}</b> {children}
    </p>
  );
}
