import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { CutTarget } from '../../api/orders.js';
import { useWords } from '../words/speak.js';
import { CutDialog } from './cut-dialog.js';
import { ReleaseDialog } from './release-dialog.js';

/** Opens the two steps of a cutoff. */
export function CutButton({ target }: { readonly target: CutTarget }): JSX.Element {
  const { w } = useWords();
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="button button-cut" onClick={() => setOpen(true)}>
        {target.kind === 'site' ? w.cut.openSite : w.cut.open}
        <Whose target={target} />
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
      <button type="button" class="button" onClick={() => setOpen(true)}>
        {w.cut.release}
        <Whose target={target} />
      </button>
      {isOpen && <ReleaseDialog target={target} onClose={() => setOpen(false)} />}
    </>
  );
}

/** What a button is for, where only its place on the page shows it. */
function Whose({ target }: { readonly target: CutTarget }): JSX.Element | null {
  const { w } = useWords();
  if (target.kind === 'site') return null;
  return <span class="unseen"> {target.kind === 'wing' ? w.board.wingName(target.wing) : target.handset}</span>;
}
