import type { JSX } from 'preact';
import { Notice } from '../parts/notice.js';
import { Page } from '../parts/page.js';
import { useWords } from '../words/speak.js';

/** A new cell, from board scan to test call. The steps come with the gateway's provisioning; until then it says what to do instead. */
export function OnboardingPage(): JSX.Element {
  const { w } = useWords();
  return (
    <Page title={w.onboarding.title}>
      <p class="lead">{w.onboarding.lead}</p>
      <ol class="wizard-steps">
        {w.onboarding.steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      <Notice tone="plain">{w.onboarding.soon}</Notice>
    </Page>
  );
}
