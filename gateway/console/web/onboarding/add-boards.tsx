import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { BoardsAdded, NewBoard } from '../../api/board-edits.js';
import type { FoundBoardView, ScanView } from '../../api/board-scan.js';
import { ask } from '../ask.js';
import { liveSite } from '../live.js';
import { Choose, Field } from '../parts/field.js';
import { FaultNotice, Notice } from '../parts/notice.js';
import { useStore } from '../store.js';
import { useOrder } from '../use-asked.js';
import { useWords } from '../words/speak.js';

/** A found board as it is to be added. */
interface Chosen {
  readonly unit: number;
  readonly isTaken: boolean;
  readonly name: string;
  readonly kind: string;
}

/** Adds what a scan has found to the site, each board by a name of the technician's choice. */
export function AddBoards({ scan: { place, boards } }: { readonly scan: ScanView }): JSX.Element | null {
  const { w } = useWords();
  const words = w.onboarding.scan;
  const known = useStore(liveSite, (site) => site?.boards) ?? [];
  const [chosen, setChosen] = useState<readonly Chosen[]>(() =>
    atFirst(
      boards,
      known.map(({ board }) => board),
    ),
  );
  const [isAmber, setAmber] = useState(false);
  const order = useOrder<BoardsAdded>();
  const taken = chosen.filter(({ isTaken }) => isTaken);
  if (order.value !== undefined) return <Outcome added={order.value} />;
  if (chosen.length === 0) return null;
  const add = (event: Event) => {
    event.preventDefault();
    const wanted = taken.map(
      ({ unit, name, kind }): NewBoard => ({
        id: name.trim().toLowerCase(),
        device: kind,
        unit,
        transport: place,
        ...(isAmber ? { allowNoWatchdog: true } : {}),
      }),
    );
    void order.run(() => ask<BoardsAdded>('boards', 'POST', { boards: wanted }));
  };
  const change = (unit: number, part: Partial<Chosen>) =>
    setChosen(chosen.map((one) => (one.unit === unit ? { ...one, ...part } : one)));
  return (
    <form class="add-boards" onSubmit={add}>
      <h3>{words.lines}</h3>
      {chosen.map((one) => (
        <ChosenFields
          key={one.unit}
          chosen={one}
          kinds={boards.find(({ unit }) => unit === one.unit)?.matches.map(({ kind }) => kind) ?? []}
          change={(part) => change(one.unit, part)}
        />
      ))}
      <label class="tick">
        <input type="checkbox" checked={isAmber} onChange={(event) => setAmber(event.currentTarget.checked)} />
        {words.noWatchdog}
      </label>
      {order.fault !== undefined && <FaultNotice fault={order.fault} />}
      <button type="submit" class="button button-main" disabled={order.isBusy || taken.length === 0}>
        {order.isBusy ? words.adding : words.add(taken.length)}
      </button>
    </form>
  );
}

function ChosenFields({
  chosen: { unit, isTaken, name, kind },
  kinds,
  change,
}: {
  readonly chosen: Chosen;
  readonly kinds: readonly string[];
  readonly change: (part: Partial<Chosen>) => void;
}): JSX.Element {
  const { w } = useWords();
  const words = w.onboarding.scan;
  return (
    <fieldset>
      <legend>
        <label class="tick">
          <input
            type="checkbox"
            checked={isTaken}
            onChange={(event) => change({ isTaken: event.currentTarget.checked })}
          />
          {words.take(unit)}
        </label>
      </legend>
      {isTaken && (
        <div class="pair">
          <Field
            label={words.name(unit)}
            value={name}
            onValue={(text) => change({ name: text })}
            isRequired
            maxLength={64}
          />
          <Choose
            label={words.kindOf(unit)}
            value={kind}
            onValue={(text) => change({ kind: text })}
            choices={kinds.map((value) => ({ value, text: value }))}
          />
        </div>
      )}
    </fieldset>
  );
}

function Outcome({ added: { boards } }: { readonly added: BoardsAdded }): JSX.Element {
  const { w } = useWords();
  const words = w.onboarding.scan;
  const named = (isRunning: boolean) =>
    boards
      .filter((one) => one.isRunning === isRunning)
      .map(({ board }) => board)
      .join(', ');
  const [inUse, waiting] = [named(true), named(false)];
  return (
    <>
      {inUse !== '' && <Notice tone="good">{words.added(inUse)}</Notice>}
      {waiting !== '' && <Notice tone="warn">{words.waits(waiting)}</Notice>}
    </>
  );
}

/** All that fit a kind on file, by names that are free. */
function atFirst(boards: readonly FoundBoardView[], taken: readonly string[]): readonly Chosen[] {
  const used = new Set(taken);
  return boards.flatMap(({ unit, matches }): readonly Chosen[] => {
    const [best] = matches;
    if (best === undefined) return [];
    let name = `b${unit}`;
    for (let more = 2; used.has(name); more += 1) name = `b${unit}-${more}`;
    used.add(name);
    return [{ unit, isTaken: true, name, kind: best.kind }];
  });
}
