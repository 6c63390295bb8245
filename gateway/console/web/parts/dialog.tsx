import type { ComponentChildren, JSX } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { useWords } from '../words/speak.js';
import { Icon } from './icon.js';

/**
 * A modal dialog: the browser keeps the focus in it, closes it on Escape, and gives the focus back to what opened it.
 * `isBusy`: what was ordered is under way, and it stays open.
 */
export function Dialog({
  title,
  onClose,
  isBusy = false,
  children,
}: {
  readonly title: string;
  readonly onClose: () => void;
  readonly isBusy?: boolean;
  readonly children: ComponentChildren;
}): JSX.Element {
  const { w } = useWords();
  const id = useId();
  const box = useRef<HTMLDialogElement>(null);
  // Taken before anything of the dialog is there to take the focus.
  const { current: opener } = useRef(document.activeElement);
  useLayoutEffect(() => {
    box.current?.showModal();
    return () => {
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  return (
    <dialog
      ref={box}
      aria-labelledby={id}
      onCancel={(event) => {
        if (isBusy) event.preventDefault();
      }}
      onClose={onClose}
    >
      <div class="dialog-head">
        <h2 id={id}>{title}</h2>
        <button type="button" class="button-icon" aria-label={w.close} disabled={isBusy} onClick={onClose}>
          <Icon name="cross" />
        </button>
      </div>
      {children}
    </dialog>
  );
}
