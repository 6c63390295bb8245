import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ScoreOrder, SheetsView, SheetView } from '../../api/work.js';
import { ask } from '../ask.js';
import { clockLength } from '../format.js';
import { AskedPart } from '../parts/asked.js';
import { Dialog } from '../parts/dialog.js';
import { Choose } from '../parts/field.js';
import { FaultNotice, Nothing, Notice } from '../parts/notice.js';
import { useAsked, useOrder } from '../use-asked.js';
import { useFormat } from '../use-format.js';
import { useWords } from '../words/speak.js';

const POINTS = ['0', '1', '2', '3', '4', '5'] as const;

/** For supervisors: the calls of a campaign, and a sheet to score each by its criteria. */
export function ScoreSheets({
  campaign,
  onScored,
}: {
  readonly campaign: string;
  readonly onScored: () => void;
}): JSX.Element {
  const { w } = useWords();
  const asked = useAsked<SheetsView>('work/sheets');
  const [open, setOpen] = useState<SheetView>();
  const [isKept, setKept] = useState(false);
  const show = (sheet: SheetView) => {
    setKept(false);
    setOpen(sheet);
  };
  const kept = () => {
    setOpen(undefined);
    setKept(true);
    asked.again();
    onScored();
  };
  return (
    <section class="card card-table" aria-label={w.results.sheets}>
      <h2>{w.results.sheets}</h2>
      {isKept && <Notice tone="good">{w.results.kept}</Notice>}
      <AskedPart asked={asked}>
        {({ calls }) => <Sheets calls={calls.filter((one) => one.campaign === campaign)} onOpen={show} />}
      </AskedPart>
      {open !== undefined && <SheetDialog sheet={open} onClose={() => setOpen(undefined)} onKept={kept} />}
    </section>
  );
}

function Sheets({
  calls,
  onOpen,
}: {
  readonly calls: readonly SheetView[];
  readonly onOpen: (sheet: SheetView) => void;
}): JSX.Element {
  const { w } = useWords();
  if (calls.length === 0) return <Nothing>{w.results.noSheets}</Nothing>;
  return (
    <div class="table-scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">{w.results.ended}</th>
            <th scope="col">{w.results.person}</th>
            <th scope="col" class="number">
              {w.results.talk}
            </th>
            <th scope="col" class="number">
              {w.results.mean}
            </th>
            <th scope="col">{w.results.score}</th>
          </tr>
        </thead>
        <tbody>
          {calls.map((sheet) => (
            <SheetRow key={sheet.call} sheet={sheet} onOpen={() => onOpen(sheet)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function SheetRow({ sheet, onOpen }: { readonly sheet: SheetView; readonly onOpen: () => void }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const ended = format.dayMinute(sheet.endedAt);
  const mean = meanOf(sheet);
  const act = mean === undefined ? w.results.score : w.results.scoreAgain;
  return (
    <tr>
      <th scope="row">
        <a href={`#/calls/${encodeURIComponent(sheet.call)}`}>{ended}</a>
      </th>
      <td>{sheet.person}</td>
      <td class="number">{clockLength(sheet.talkS)}</td>
      <td class="number">{mean === undefined ? '–' : format.number(mean, 1)}</td>
      <td>
        <button type="button" class="button" aria-label={`${act}: ${sheet.person}, ${ended}`} onClick={onOpen}>
          {act}
        </button>
      </td>
    </tr>
  );
}

function SheetDialog({
  sheet,
  onClose,
  onKept,
}: {
  readonly sheet: SheetView;
  readonly onClose: () => void;
  readonly onKept: () => void;
}): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const [points, setPoints] = useState<Readonly<Record<string, number>>>(sheet.points);
  const order = useOrder<SheetView>();
  const isWhole = sheet.criteria.every(({ id }) => points[id] !== undefined);
  const act = async (event: Event) => {
    event.preventDefault();
    const given = Object.fromEntries(sheet.criteria.map(({ id }) => [id, points[id] ?? 0]));
    const body: ScoreOrder = { call: sheet.call, points: given };
    if ((await order.run(() => ask<SheetView>('work/scores', 'POST', body))) !== undefined) onKept();
  };
  return (
    <Dialog
      title={w.results.scoreOf(sheet.person, format.dayMinute(sheet.endedAt))}
      onClose={onClose}
      isBusy={order.isBusy}
    >
      <p class="hint">{w.results.sheetLead}</p>
      <form onSubmit={act}>
        {sheet.criteria.map(({ id, text }) => (
          <Choose
            key={id}
            label={text}
            value={String(points[id] ?? '')}
            onValue={(value) => {
              const { [id]: _, ...rest } = points;
              setPoints(value === '' ? rest : { ...rest, [id]: Number(value) });
            }}
            choices={[{ value: '', text: '–' }, ...POINTS.map((value) => ({ value, text: value }))]}
          />
        ))}
        {order.fault !== undefined && <FaultNotice fault={order.fault} />}
        <div class="dialog-foot">
          <button type="button" class="button" disabled={order.isBusy} onClick={onClose}>
            {w.cancel}
          </button>
          <button type="submit" class="button button-main" disabled={order.isBusy || !isWhole}>
            {w.results.keep}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** The mean of a sheet's points; undefined where it has none for a criterion that there is. */
function meanOf({ criteria, points }: SheetView): number | undefined {
  const given = criteria.map(({ id }) => points[id]).filter((one) => one !== undefined);
  return given.length === 0 || given.length < criteria.length
    ? undefined
    : given.reduce((sum, one) => sum + one, 0) / given.length;
}
