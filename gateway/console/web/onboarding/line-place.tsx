import type { JSX } from 'preact';
import type { LinePlace } from '../../api/handsets.js';
import { liveSite } from '../live.js';
import { Choose, Field } from '../parts/field.js';
import { useStore } from '../store.js';
import { useWords } from '../words/speak.js';

/** Where a wire ends, as it is being typed. */
export interface LineText {
  readonly board: string;
  readonly channel: string;
  readonly hook: string;
}

export const NO_LINE: LineText = { board: '', channel: '', hook: '' };

/** What was typed as a place; undefined for no supervised line. */
export function lineOf({ board, channel, hook }: LineText): LinePlace | undefined {
  return board === '' ? undefined : { board, channel: Number(channel), hook: Number(hook) };
}

/** Board, relay and hook input of a line. */
export function LinePlaceFields({
  value,
  onValue,
}: {
  readonly value: LineText;
  readonly onValue: (value: LineText) => void;
}): JSX.Element {
  const { w } = useWords();
  const boards = useStore(liveSite, (site) => site?.boards) ?? [];
  return (
    <>
      <Choose
        label={w.onboarding.board}
        value={value.board}
        onValue={(board) => onValue({ ...value, board })}
        choices={[
          { value: '', text: w.onboarding.noLine },
          ...boards.map(({ board, device }) => ({ value: board, text: `${board} (${device})` })),
        ]}
      />
      {value.board !== '' && (
        <div class="pair">
          <Field
            label={w.onboarding.channel}
            hint={w.onboarding.fromNought}
            value={value.channel}
            pattern="[0-9]{1,4}"
            onValue={(channel) => onValue({ ...value, channel })}
            isRequired
            maxLength={4}
          />
          <Field
            label={w.onboarding.hook}
            hint={w.onboarding.fromNought}
            value={value.hook}
            pattern="[0-9]{1,4}"
            onValue={(hook) => onValue({ ...value, hook })}
            isRequired
            maxLength={4}
          />
        </div>
      )}
    </>
  );
}
