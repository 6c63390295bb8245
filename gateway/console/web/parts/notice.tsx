import type { ComponentChildren, JSX } from 'preact';
import type { AskFault } from '../ask.js';
import { useWords } from '../words/speak.js';
import { Icon } from './icon.js';

/** Why the gateway did not do what was asked, in the page's language; what it said itself where the page has no words. */
export function FaultNotice({ fault, again }: { readonly fault: AskFault; readonly again?: () => void }): JSX.Element {
  const { w } = useWords();
  return (
    <div class="notice notice-bad" role="alert">
      <Icon name="fault" />
      <div>
        <p>{faultText(w, fault)}</p>
        {fault.details.map((detail) => (
          <p key={detail}>{detail}</p>
        ))}
      </div>
      {again !== undefined && (
        <button type="button" class="button" onClick={again}>
          {w.again}
        </button>
      )}
    </div>
  );
}

/** The words of a fault. A code that this page does not know says what the gateway said. */
export function faultText(w: ReturnType<typeof useWords>['w'], { code, said, retryAfterS }: AskFault): string {
  const words: unknown = Object.hasOwn(w.faults, code) ? w.faults[code] : undefined;
  // Of a form, only the gateway's own words say what is wrong in it.
  const text = typeof words !== 'string' ? said : code === 'form' ? `${words} (${said})` : words;
  return retryAfterS === undefined ? text : `${text} ${w.retryIn(retryAfterS)}`;
}

/** Something to know, or how something went. */
export function Notice({
  tone,
  children,
}: {
  readonly tone: 'good' | 'warn' | 'bad' | 'plain';
  readonly children: ComponentChildren;
}): JSX.Element {
  const icon = { good: 'check', warn: 'fault', bad: 'fault', plain: 'clock' } as const;
  return (
    <div class={`notice notice-${tone}`} role="status">
      <Icon name={icon[tone]} />
      <div>{children}</div>
    </div>
  );
}

/** Nothing to show, and what that means. */
export function Nothing({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <p class="nothing">{children}</p>;
}
