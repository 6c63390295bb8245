import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface PageParts {
  readonly title: string;
  /** Beside the title: what can be done on this page. */
  readonly actions?: ComponentChildren;
  /** Above the title: the way back. */
  readonly back?: ComponentChildren;
  readonly children: ComponentChildren;
}

/**
 * One page: its heading takes the focus when the page opens, so that a screen reader says where one is and Tab goes on
 * from there.
 */
export function Page({ title, actions, back, children }: PageParts): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Balise`;
  }, [title]);
  useEffect(() => {
    window.scrollTo(0, 0);
    heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div class="page">
      {back !== undefined && <p class="page-back">{back}</p>}
      <div class="page-head">
        <h1 tabIndex={-1} ref={heading}>
          {title}
        </h1>
        {actions !== undefined && <div class="page-actions">{actions}</div>}
      </div>
      {children}
    </div>
  );
}
