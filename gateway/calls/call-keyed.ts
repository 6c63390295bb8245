/**
 * A call that was keyed on a line card: policy has granted it, and the gateway calls the very handset that keyed it, to have
 * a leg to it. It is the one call that a handset ever receives; from its answer on the call is like any other.
 */
import type { Refusal } from '../policy/decision.js';
import { end, mergeDialogs } from './call-ending.js';
import { living, openMedia } from './call-living.js';
import type { CallingHandset, Granted, Now } from './call-state.js';
import { bound, ignored, type Step, stay, type Table, unexpected } from './call-table.js';
import { CALL_HANDSET_MS } from './call-times.js';

/** The grant is in the journal: the handset is called. */
export function callHandset(call: Granted): Step {
  return {
    state: { at: 'calling-handset', call },
    effects: [{ do: 'call-handset' }, bound('calling-handset', CALL_HANDSET_MS)],
  };
}

/** Its display tells the person why: nobody was called. */
function failed(state: CallingHandset, fact: string, sipStatus: number, now: Now): Step {
  const refusal: Refusal = { outcome: 'refusal', rule: 'fault.signalling', fact, sipStatus };
  return end(state, now, { cause: 'refused', refusal });
}

const know = (call: Granted, dialog: Granted['dialogs'][number]): Granted => ({
  ...call,
  dialogs: mergeDialogs(call.dialogs, [dialog]),
});

export const callingHandset: Table<CallingHandset> = {
  ...living,
  ...unexpected('announcing', 'announced', 'released', 'release-timeout', 'recorded', 'record-failed', 'record-again'),
  ...unexpected('byes-sent', 'judged', 'journalled', 'media-opened', 'dialling', 'trunk-ringing', 'trunk-early-media'),
  ...unexpected('trunk-answered', 'trunk-failed', 'media-connected', 'committed', 'commit-failed', 'armed', 'accepted'),
  ...unexpected('ring-timeout'),
  ...ignored('judge-again'),
  'handset-called': ({ call }, { dialog }) => ({
    state: { at: 'calling-handset', call: know(call, dialog) },
    effects: [{ do: 'save-dialogs', dialogs: [dialog] }],
  }),
  // The wire is looked at as the handset answers: who keyed must still have it off the hook.
  'handset-answered': ({ call }, { offer, dialog }) =>
    openMedia(know(call, dialog), offer, [{ do: 'save-dialogs', dialogs: [dialog] }, { do: 'look-at-hook' }]),
  'handset-failed': (state, { status, why }, now) => failed(state, why, status, now),
  overdue: (state, { state: of }, now) =>
    of === state.at ? failed(state, 'the handset did not answer the call that was keyed on it', 480, now) : stay(state),
};
