import type { JSX } from 'preact';
import { Begin } from '../onboarding/begin.js';
import { Walk } from '../onboarding/walk.js';
import { Icon } from '../parts/icon.js';
import { Page } from '../parts/page.js';
import { hashOf } from '../router.js';
import { useWords } from '../words/speak.js';

/** From a wire in the wall to the first call: the beginning, or the walk of one handset. */
export function OnboardingPage({ id, query }: { readonly id?: string; readonly query: URLSearchParams }): JSX.Element {
  const { w } = useWords();
  if (id === undefined) {
    return (
      <Page title={w.onboarding.title}>
        <Begin />
      </Page>
    );
  }
  return (
    <Page
      title={w.onboarding.titleOf(id)}
      back={
        <a href={hashOf('new-cell')}>
          <Icon name="back" size={16} /> {w.onboarding.back}
        </a>
      }
    >
      <Walk id={id} query={query} />
    </Page>
  );
}
