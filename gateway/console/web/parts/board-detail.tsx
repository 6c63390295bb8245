import type { JSX } from 'preact';
import type { BoardView } from '../../api/parts.js';
import { titleOfCode } from '../words/code-text.js';
import { useWords } from '../words/speak.js';

/** Why a board is not up: in the page's language, and below it what the gateway says of it, which is in English. */
export function BoardDetail({ board: { state, detail } }: { readonly board: BoardView }): JSX.Element | null {
  const { w } = useWords();
  if (detail === '') return null;
  if (w.boardSaid === undefined) return <p class="bad">{detail}</p>;
  return (
    <p class="bad">
      {titleOfCode(w.boardSaid, state)}
      <span class="alarm-more" lang="en">
        {detail}
      </span>
    </p>
  );
}
