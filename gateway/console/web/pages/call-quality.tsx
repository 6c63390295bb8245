import type { JSX } from 'preact';
import type { CallQuality, CallView, StreamView } from '../../api/calls.js';
import { liveSite } from '../live.js';
import { AlarmDetail } from '../parts/alarm-detail.js';
import { useStore } from '../store.js';
import { useFormat } from '../use-format.js';
import { useWords } from '../words/speak.js';

/** How a call sounds, or sounded, from each side. */
export function Quality({ quality, isUp }: { readonly quality: CallQuality; readonly isUp: boolean }): JSX.Element {
  const { w } = useWords();
  const format = useFormat();
  const sides = ['handset', 'trunk'] as const;
  const packets = { handset: quality.handsetPackets, trunk: quality.trunkPackets };
  const rows: readonly (readonly [string, (stream: StreamView) => string])[] = [
    [w.call.packets, (stream) => format.number(stream.packets)],
    [w.call.lost, (stream) => format.number(stream.lost)],
    [w.call.jitter, (stream) => format.ms(stream.jitterMs)],
    [w.call.silence, (stream) => (stream.longestSilenceMs === undefined ? '–' : format.ms(stream.longestSilenceMs))],
    [w.call.mos, (stream) => (stream.mos === undefined ? '–' : format.number(stream.mos, 1))],
  ];
  const hasStreams = quality.handset !== undefined || quality.trunk !== undefined;
  return (
    <section class="card">
      <h2>{isUp ? w.call.upQuality : w.call.quality}</h2>
      <table class="quality">
        <thead>
          <tr>
            <th scope="col">
              <span class="unseen">{w.call.side}</span>
            </th>
            {sides.map((side) => (
              <th key={side} scope="col" class="number">
                {w.call.sides[side]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {(hasStreams ? rows : rows.slice(0, 1)).map(([name, text]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {sides.map((side) => {
                const stream = quality[side];
                const known = name === w.call.packets ? format.number(packets[side]) : '–';
                return (
                  <td key={side} class="number">
                    {stream === undefined ? known : text(stream)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {quality.droppedAfterDeadline > 0 && (
        <p class="hint">{w.call.afterDeadline(format.number(quality.droppedAfterDeadline))}</p>
      )}
    </section>
  );
}

/** The alarms of silence that came while a call was up. */
export function Silences({ call }: { readonly call: CallView }): JSX.Element | null {
  const { w } = useWords();
  const format = useFormat();
  const alarms = useStore(liveSite, (site) => site?.alarms) ?? [];
  const from = Date.parse(call.answeredAt ?? call.requestedAt ?? '');
  const until = call.endedAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(call.endedAt);
  const own = alarms.filter(
    ({ code, handset, at }) =>
      code === 'media.silence' && handset === call.handset && !(Date.parse(at) < from) && Date.parse(at) <= until,
  );
  if (own.length === 0 || Number.isNaN(from)) return null;
  return (
    <section class="card">
      <h2>{w.call.silenceAlarms}</h2>
      <ul class="alarms">
        {own.map((alarm) => (
          <li key={alarm.at}>
            <time dateTime={alarm.at}>{format.when(alarm.at)}</time>
            <AlarmDetail alarm={alarm} />
          </li>
        ))}
      </ul>
    </section>
  );
}
