import type { JSX } from 'preact';
import type { HandsetView } from '../../api/handsets.js';
import { type HandsetState, stateOf } from '../handset-state.js';
import { Icon } from '../parts/icon.js';
import { Ring } from '../parts/ring.js';
import { hashOf } from '../router.js';
import { useFormat } from '../use-format.js';
import { titleOfCode } from '../words/code-text.js';
import { useWords } from '../words/speak.js';

/** One handset of the board: a mark, its name, its state, and why where there is a why. */
export function Tile({
  view,
  heardMs,
}: {
  readonly view: HandsetView;
  readonly heardMs: number | undefined;
}): JSX.Element {
  const { w } = useWords();
  const state = stateOf(view);
  const why = useWhy(view, state);
  return (
    <li>
      <a
        class={`tile is-${state}`}
        href={hashOf('handsets', view.handset)}
        data-handset={view.handset}
        data-state={state}
      >
        {state === 'talking' && view.leftS !== undefined ? (
          <Ring view={view} heardMs={heardMs} />
        ) : (
          <span class="tile-mark">
            <Icon name={state} size={24} />
          </span>
        )}
        <span class="tile-text">
          <span class="tile-name">{view.handset}</span>
          <span class="tile-state">{w.states[state]}</span>
          {why !== '' && <span class="tile-why">{why}</span>}
        </span>
        {view.fault !== undefined && state !== 'fault' && (
          <span class="tile-fault" title={view.fault}>
            <Icon name="fault" size={16} />
            <span class="unseen">
              {w.states.fault}: {view.fault}
            </span>
          </span>
        )}
      </a>
    </li>
  );
}

/** What stands under the state, in a few words. */
function useWhy(view: HandsetView, state: HandsetState): string {
  const { w } = useWords();
  const format = useFormat();
  const { work } = view;
  switch (state) {
    case 'refused':
      return titleOfCode(w.rules, view.rule ?? '');
    case 'cut':
      return view.cut?.reason ?? '';
    case 'fault':
      return view.fault ?? '';
    case 'talking':
      if (work !== undefined) break;
      return view.until === undefined ? '' : w.board.ends(format.minute(view.until));
    default:
      break;
  }
  return work === undefined ? '' : `${work.person}: ${w.work[work.activity]}`;
}
