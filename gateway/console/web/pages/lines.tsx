import type { JSX } from 'preact';
import type { BoardView } from '../../api/parts.js';
import { boardsAtFirst } from '../boards-at-first.js';
import { liveSite } from '../live.js';
import { BoardDetail } from '../parts/board-detail.js';
import { Term } from '../parts/field.js';
import { Nothing } from '../parts/notice.js';
import { Page } from '../parts/page.js';
import { hashOf } from '../router.js';
import { useStore } from '../store.js';
import { useFormat } from '../use-format.js';
import { titleOfCode } from '../words/code-text.js';
import { useWords } from '../words/speak.js';

/** The boards that supervise lines, and how their buses do. */
export function LinesPage(): JSX.Element {
  const { w } = useWords();
  const boards = useStore(liveSite, (site) => site?.boards);
  return (
    <Page title={w.lines.title}>
      {boards?.length === 0 && <Nothing>{w.lines.empty}</Nothing>}
      <div class="cards">
        {boards?.map((board) => (
          <Board key={board.board} board={board} />
        ))}
      </div>
    </Page>
  );
}

function Board({ board }: { readonly board: BoardView }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const isUp = board.state === 'ok' || board.state === 'starting';
  const isSafe = board.watchdog === undefined || board.watchdog === 'armed';
  return (
    <section class="card" aria-label={board.board}>
      <div class="card-head">
        <h2>{board.board}</h2>
        <span class={`badge ${isUp ? 'is-talking' : 'is-fault'}`}>{titleOfCode(w.boardStates, board.state)}</span>
      </div>
      <BoardDetail board={board} />
      <dl class="terms">
        <Term name={w.lines.device}>{board.device}</Term>
        <Term name={w.lines.port}>
          <code class="long">{board.port}</code>
        </Term>
        <Term name={w.lines.rtt}>{board.rttMs === undefined ? '–' : format.ms(board.rttMs)}</Term>
        <Term name={w.lines.watchdog}>
          <span class={isSafe ? '' : 'bad'}>
            {board.watchdog === undefined ? '–' : titleOfCode(w.lines.watchdogs, board.watchdog)}
          </span>
        </Term>
        <Term name={w.lines.errors}>
          <Errors board={board} />
        </Term>
        {board.polls !== undefined && board.polls > 0 && (
          <Term name={w.lines.rate}>
            {w.lines.of(format.number((100 * allErrors(board)) / board.polls, 2), format.number(board.polls))}
          </Term>
        )}
        <Term name={w.lines.heard}>{board.at === undefined ? w.lines.noWord : format.when(board.at)}</Term>
        <Term name={w.lines.handsets}>
          <ul class="names">
            {board.handsets.map((id) => (
              <li key={id}>
                <a href={hashOf('handsets', id)}>{id}</a>
              </li>
            ))}
          </ul>
        </Term>
      </dl>
    </section>
  );
}

function allErrors({ errors = {} }: BoardView): number {
  return Object.values(errors).reduce((sum, count) => sum + count, 0);
}

/** What is counted since the agent's start, and how much of it is new since this page looks: that is what tells of a bus that fails now. */
function Errors({ board }: { readonly board: BoardView }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const first = useStore(boardsAtFirst, (all) => all.get(board.board));
  const kinds = Object.entries(board.errors ?? {}).filter(([, count]) => count > 0);
  if (kinds.length === 0) return <>{w.lines.noErrors}</>;
  return (
    <ul class="errors">
      {kinds.map(([kind, count]) => {
        const more = count - (first?.errors[kind] ?? 0);
        return (
          <li key={kind}>
            {titleOfCode(w.errorKinds, kind)}: {format.number(count)}
            {first !== undefined && (
              <span class={more > 0 ? 'bad' : 'dim'}> ({w.lines.since(more, format.minute(first.at))})</span>
            )}
          </li>
        );
      })}
    </ul>
  );
}
