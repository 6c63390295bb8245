import type { ComponentChildren, JSX } from 'preact';
import type { Asked } from '../use-asked.js';
import { useWords } from '../words/speak.js';
import { FaultNotice } from './notice.js';

/** What was asked of the gateway: a quiet placeholder until it comes, the reason when it does not, else what `children` makes of it. */
export function AskedPart<T>({
  asked,
  children,
}: {
  readonly asked: Asked<T> & { readonly again: () => void };
  readonly children: (value: T) => ComponentChildren;
}): JSX.Element {
  const { w } = useWords();
  if (asked.is === 'failed') return <FaultNotice fault={asked.fault} again={asked.again} />;
  if (asked.is === 'got') return <>{children(asked.value)}</>;
  return (
    <div class="asking" role="status">
      <span class="unseen">{w.loading}</span>
      <span class="bone" />
      <span class="bone bone-short" />
      <span class="bone" />
    </div>
  );
}
