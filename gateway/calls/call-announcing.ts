/**
 * A call that is refused and is being told so. It can only end, with the refusal that it has: whatever happens ends it at
 * once, and nothing waits for the last word.
 */
import { end, endingTable } from './call-ending.js';
import type { Announcing, Now } from './call-state.js';
import { ignored, type Step, type Table, unexpected } from './call-table.js';

const over = (state: Announcing, _: unknown, now: Now): Step =>
  end(state, now, { cause: 'refused', refusal: state.refusal });

const lost = (state: Announcing, { plane }: { readonly plane: 'signalling' | 'media' | 'line' }, now: Now): Step =>
  plane === 'line'
    ? { state, effects: [] }
    : end(state, now, { cause: 'refused', refusal: state.refusal, lost: plane });

export const announcingTable: Table<Announcing> = {
  ...unexpected('released', 'release-timeout', 'recorded', 'record-failed', 'record-again', 'byes-sent'),
  ...unexpected('judged', 'journalled', 'journal-failed', 'media-opened', 'dialling', 'trunk-ringing'),
  ...unexpected('trunk-early-media', 'trunk-answered', 'trunk-failed', 'media-connected', 'committed', 'commit-failed'),
  ...unexpected('handset-called', 'handset-answered', 'handset-failed'),
  ...unexpected('armed', 'arm-failed', 'accepted', 'ring-timeout', 'trunk-hung-up', 'callee-redirected'),
  ...ignored('judge-again', 'narrowed', 'hook-on', 'hook-grace-over', 'hook-checked', 'controller-lost'),
  announcing: (state, { answer }) => ({ state, effects: [{ do: 'early-media', answer }] }),
  announced: over,
  'media-failed': over,
  'handset-cancelled': over,
  'handset-hung-up': over,
  'deadline-passed': over,
  stop: over,
  overdue: (state, { state: of }, now) => (of === 'announcing' ? over(state, undefined, now) : { state, effects: [] }),
  'plane-lost': lost,
  // The order to open the relay is obeyed as in any call that ends.
  cutoff: (state, event, now) => {
    const ended = over(state, event, now);
    if (ended.state.at !== 'refusing') return ended;
    const cut = endingTable.cutoff(ended.state, event, now);
    return { state: cut.state, effects: [...ended.effects, ...cut.effects] };
  },
};
