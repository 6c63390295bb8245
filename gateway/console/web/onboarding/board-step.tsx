import type { JSX } from 'preact';
import type { BoardView } from '../../api/parts.js';
import { liveSite } from '../live.js';
import { BoardDetail } from '../parts/board-detail.js';
import { Nothing } from '../parts/notice.js';
import { useStore } from '../store.js';
import { useFormat } from '../use-format.js';
import { titleOfCode } from '../words/code-text.js';
import { useWords } from '../words/speak.js';
import { Hands } from './hands.js';
import type { Walked } from './steps.js';

/** How the boards do, live; all of them, or the one that is named. */
export function BoardCards({ only }: { readonly only?: string }): JSX.Element {
  const { w } = useWords();
  const boards = useStore(liveSite, (site) => site?.boards) ?? [];
  const shown = only === undefined ? boards : boards.filter(({ board }) => board === only);
  if (shown.length === 0) return <Nothing>{w.onboarding.noBoards}</Nothing>;
  return (
    <ul class="board-rows">
      {shown.map((board) => (
        <BoardRow key={board.board} board={board} />
      ))}
    </ul>
  );
}

function BoardRow({ board }: { readonly board: BoardView }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const isUp = board.state === 'ok';
  return (
    <li>
      <b>{w.onboarding.boardOf(board.board)}</b>
      <span class={`badge ${isUp ? 'is-talking' : 'is-fault'}`}>{titleOfCode(w.boardStates, board.state)}</span>
      <span class="dim">{board.at === undefined ? w.lines.noWord : format.when(board.at)}</span>
      <BoardDetail board={board} />
    </li>
  );
}

export function BoardStep({ walked: { facts } }: { readonly walked: Walked }): JSX.Element {
  const { w } = useWords();
  if (facts.line === undefined) return <p>{w.onboarding.boardNone}</p>;
  return (
    <>
      <Hands>{w.onboarding.boardHands}</Hands>
      <BoardCards only={facts.line.board} />
    </>
  );
}
