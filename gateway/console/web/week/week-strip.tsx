import type { JSX } from 'preact';
import type { Format } from '../format.js';
import { useFormat } from '../use-format.js';
import { useWords } from '../words/speak.js';
import type { Span, WeekRow } from './spans.js';
import { offsetMs } from './zone-time.js';

const LEFT = 94;
const HOUR = 27;
const WIDTH = LEFT + 24 * HOUR + 14;
const TOP = 22;
const ROW = 38;
const HEIGHT = TOP + 7 * ROW + 24;
const TICKS = [0, 3, 6, 9, 12, 15, 18, 21, 24];

interface StripParts {
  readonly rows: readonly WeekRow[];
  readonly siteZone: string;
  readonly zone: string;
  readonly nowMs: number;
}

/**
 * A week as seven rows of a day: above, when the handset may call; below, when people in the other zone may be called; and
 * between them, strongly, when both. Hours of the site stand above the strip, those of the other zone below it. A day on
 * which the clocks change has 23 or 25 hours in the same width; the text beside it says the hours exactly.
 */
export function WeekStrip({ rows, siteZone, zone, nowMs }: StripParts): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const first = rows[0];
  const ahead = first === undefined ? 0 : offsetMs(first.fromMs, zone) - offsetMs(first.fromMs, siteZone);
  return (
    <figure class="week">
      <ul class="week-legend">
        <li class="key-site">{w.handset.weekSite(format.city(siteZone))}</li>
        <li class="key-both">{w.handset.weekBoth}</li>
        <li class="key-there">{w.handset.weekThere(format.city(zone))}</li>
      </ul>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={w.handset.week}>
        <g class="week-hours">
          {TICKS.map((hour) => (
            <g key={hour}>
              <line x1={xOf(hour)} x2={xOf(hour)} y1={TOP - 4} y2={TOP + 7 * ROW} />
              <text class="hour-site" x={xOf(hour)} y={TOP - 8} text-anchor="middle">
                {hour}
              </text>
              <text class="hour-there" x={xOf(hour)} y={TOP + 7 * ROW + 16} text-anchor="middle">
                {hourThere(hour, ahead)}
              </text>
            </g>
          ))}
          <text class="hour-site" x={0} y={TOP - 8}>
            {format.city(siteZone)}
          </text>
          <text class="hour-there" x={0} y={TOP + 7 * ROW + 16}>
            {format.city(zone)}
          </text>
        </g>
        {rows.map((row, n) => (
          <Row key={row.date} row={row} y={TOP + n * ROW} nowMs={nowMs} format={format} siteZone={siteZone} />
        ))}
      </svg>
    </figure>
  );
}

const xOf = (hour: number): number => LEFT + hour * HOUR;

/** The other zone's hour where the site's is `hour`; half hours are written out. */
function hourThere(hour: number, aheadMs: number): string {
  const minutes = (((hour * 60 + Math.round(aheadMs / 60_000)) % 1440) + 1440) % 1440;
  const rest = minutes % 60;
  return rest === 0 ? String(minutes / 60) : `${Math.floor(minutes / 60)}:${String(rest).padStart(2, '0')}`;
}

function Row(parts: {
  readonly row: WeekRow;
  readonly y: number;
  readonly nowMs: number;
  readonly format: Format;
  readonly siteZone: string;
}): JSX.Element {
  const { row, y, nowMs, format, siteZone } = parts;
  const at = (ms: number) => LEFT + ((ms - row.fromMs) / (row.untilMs - row.fromMs)) * 24 * HOUR;
  const isToday = nowMs >= row.fromMs && nowMs < row.untilMs;
  const bars = (spans: readonly Span[], name: string, top: number, height: number) =>
    spans.map(({ fromMs, untilMs }) => (
      <rect
        key={fromMs}
        class={name}
        x={at(fromMs)}
        width={Math.max(1, at(untilMs) - at(fromMs))}
        y={y + top}
        height={height}
        rx="2"
      />
    ));
  return (
    <g>
      <line class="week-rule" x1={0} x2={WIDTH - 14} y1={y + ROW} y2={y + ROW} />
      <text class={isToday ? 'week-day week-today' : 'week-day'} x={0} y={y + 23}>
        {format.day(new Date(row.fromMs + 43_200_000), siteZone)}
      </text>
      {bars(row.site, 'bar-site', 4, 8)}
      {bars(row.both, 'bar-both', 14, 11)}
      {bars(row.there, 'bar-there', 27, 8)}
      {isToday && <line class="week-now" x1={at(nowMs)} x2={at(nowMs)} y1={y} y2={y + ROW} />}
    </g>
  );
}
