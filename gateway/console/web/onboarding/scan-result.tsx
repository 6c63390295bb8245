import type { JSX } from 'preact';
import type { FoundBoardView, ScanPlace, ScanView } from '../../api/board-scan.js';
import { Notice } from '../parts/notice.js';
import { useFormat } from '../use-format.js';
import { useWords } from '../words/speak.js';
import { AddBoards } from './add-boards.js';

const nameOf = (place: ScanPlace): string => (place.kind === 'serial' ? place.path : `${place.host}:${place.port}`);

/** What a scan has found so far, and what is to be added to the site of it. */
export function ScanResult({ scan }: { readonly scan: ScanView }): JSX.Element | null {
  const { w } = useWords();
  const words = w.onboarding.scan;
  const { place, boards, state, why } = scan;
  if (state === 'running' && boards.length === 0) return null;
  return (
    <div class="scan-result">
      {state === 'failed' && (
        <Notice tone="bad">
          <p>{words.failed}</p>
          <p>{why}</p>
        </Notice>
      )}
      {state === 'done' && boards.length === 0 && <Notice tone="warn">{words.none}</Notice>}
      {boards.length > 0 && (
        <>
          <Notice tone="good">{words.found(boards.length, nameOf(place))}</Notice>
          <ul class="found">
            {boards.map((board) => (
              <FoundBoard key={board.unit} board={board} />
            ))}
          </ul>
          {state !== 'running' && <AddBoards key={scan.startedAt} scan={scan} />}
        </>
      )}
    </div>
  );
}

function FoundBoard({ board: { unit, tookMs, matches } }: { readonly board: FoundBoardView }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const words = w.onboarding.scan;
  const [best, ...others] = matches;
  return (
    <li>
      <b>
        {words.unit} {unit}
      </b>{' '}
      {best === undefined ? (
        words.noKind
      ) : (
        <>
          <code>{best.kind}</code> ({best.isCertain ? words.certain : best.isExact ? words.exact : words.fits})
        </>
      )}{' '}
      <span class="dim">
        {words.answers} {format.ms(tookMs)}
        {others.length > 0 && `; ${words.also(others.map(({ kind }) => kind).join(', '))}`}
      </span>
    </li>
  );
}
