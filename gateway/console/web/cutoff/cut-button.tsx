import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { CutTarget } from '../../api.js';
import { useWords } from '../words/speak.js';
import { CutDialog } from './cut-dialog.js';
import { ReleaseDialog } from './release-dialog.js';
import { nameOf } from './target.js';

/** Opens the two steps of a cutoff. */
export function CutButton({ target, label }: { readonly target: CutTarget; readonly label?: string }): JSX.Element {
  const { w } = useWords();
  const [isOpen, setOpen] = useState(false);
  const name = nameOf(target);
  return (
    <>
      <button
        type="button"
        class="button button-cut"
        aria-label={w.cut.title[target.kind](name)}
        onClick={() => setOpen(true)}
      >
        {label ?? w.cut.open}
      </button>
      {isOpen && <CutDialog target={target} onClose={() => setOpen(false)} />}
    </>
  );
}

/** Opens the release of what is cut off. */
export function ReleaseButton({ target }: { readonly target: CutTarget }): JSX.Element {
  const { w } = useWords();
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        class="button"
        aria-label={w.cut.releaseTitle[target.kind](nameOf(target))}
        onClick={() => setOpen(true)}
      >
        {w.cut.release}
      </button>
      {isOpen && <ReleaseDialog target={target} onClose={() => setOpen(false)} />}
    </>
  );
}
