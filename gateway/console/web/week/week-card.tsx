import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { WeekView } from '../../api/hours.js';
import { AskedPart } from '../parts/asked.js';
import { Icon } from '../parts/icon.js';
import { useAsked } from '../use-asked.js';
import { useFormat } from '../use-format.js';
import { useWords } from '../words/speak.js';
import { type Span, weekRows } from './spans.js';
import { WeekStrip } from './week-strip.js';
import { dateIn, daysAfter, mondayOf } from './zone-time.js';

const ALL_ZONES = Intl.supportedValuesOf('timeZone');

/** The policy in force for a handset, drawn as a week in two zones. `zone` is the other one. */
export function WeekCard({
  id,
  zone,
  onZone,
}: {
  readonly id: string;
  readonly zone: string;
  readonly onZone: (zone: string) => void;
}): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const nowMs = Date.now();
  const [first, setFirst] = useState(() => mondayOf(dateIn(nowMs, format.zone)));
  // Each answer is seven dates; the strip needs nine of them, because the other zone's dates begin and end elsewhere.
  const path = `handsets/${encodeURIComponent(id)}/week?zone=${encodeURIComponent(zone)}&from=`;
  const one = useAsked<WeekView>(`${path}${daysAfter(first, -1)}`);
  const other = useAsked<WeekView>(`${path}${daysAfter(first, 6)}`);
  return (
    <section class="card week-card">
      <div class="card-head">
        <h2>{w.handset.week}</h2>
        <div class="week-move">
          <button
            type="button"
            class="button-icon"
            aria-label={w.handset.weekBefore}
            onClick={() => setFirst(daysAfter(first, -7))}
          >
            <Icon name="back" />
          </button>
          <button
            type="button"
            class="button-icon"
            aria-label={w.handset.weekAfter}
            onClick={() => setFirst(daysAfter(first, 7))}
          >
            <Icon name="next" />
          </button>
        </div>
        <label class="week-zone">
          <span>{w.handset.weekZone}</span>
          <select value={zone} onChange={(event) => onZone(event.currentTarget.value)}>
            {(ALL_ZONES.includes(zone) ? ALL_ZONES : [zone, ...ALL_ZONES]).map((name) => (
              <option key={name} value={name}>
                {name.replaceAll('_', ' ')}
              </option>
            ))}
          </select>
        </label>
      </div>
      <AskedPart asked={one}>
        {(before) => (
          <AskedPart asked={other}>
            {(after) => (
              <Week
                first={first}
                zone={zone}
                siteZone={before.siteZone}
                days={[...before.days, ...after.days]}
                nowMs={nowMs}
              />
            )}
          </AskedPart>
        )}
      </AskedPart>
    </section>
  );
}

function Week(parts: {
  readonly first: string;
  readonly zone: string;
  readonly siteZone: string;
  readonly days: WeekView['days'];
  readonly nowMs: number;
}): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const { first, zone, siteZone, days, nowMs } = parts;
  const rows = weekRows(first, siteZone, days);
  const words = (spans: readonly Span[], inZone: string) =>
    spans.length === 0
      ? w.handset.weekNone
      : spans
          .map(({ fromMs, untilMs }) => {
            const until = format.minute(new Date(untilMs), inZone);
            return `${format.minute(new Date(fromMs), inZone)}–${until === '00:00' ? '24:00' : until}`;
          })
          .join(', ');
  return (
    <>
      <WeekStrip rows={rows} siteZone={siteZone} zone={zone} nowMs={nowMs} />
      <details class="week-text">
        <summary>{w.handset.weekTable}</summary>
        <div class="table-scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">{w.handset.weekDay}</th>
                <th scope="col">{w.handset.weekSite(format.city(siteZone))}</th>
                <th scope="col">{w.handset.weekThere(format.city(zone))}</th>
                <th scope="col">{`${w.handset.weekBoth} (${format.city(siteZone)})`}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.date}>
                  <th scope="row">{format.day(new Date(row.fromMs + 43_200_000), siteZone)}</th>
                  <td>{words(row.site, siteZone)}</td>
                  <td>{words(row.there, zone)}</td>
                  <td>{words(row.both, siteZone)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </>
  );
}
