import type { JSX } from 'preact';
import type { HandsetView } from '../../api/handsets.js';
import { clockLength } from '../format.js';
import { secondsLeft } from '../handset-state.js';
import { contact } from '../live.js';
import { useStore } from '../store.js';
import { useSteadyMs } from '../tick.js';

const RADIUS = 23;
const ROUND = 2 * Math.PI * RADIUS;
/** From here on the ring takes the colour of what is about to end: the first warning sounds now. */
const LAST_S = 60;

/**
 * The time left of a call: a ring that empties, and the figures in it. It stands still, and says so by its dashes, while
 * there is no contact with the gateway. Screen readers get the words of the tile; a ticking figure would drown them.
 */
export function Ring({
  view,
  heardMs,
}: {
  readonly view: HandsetView;
  readonly heardMs: number | undefined;
}): JSX.Element {
  const isLive = useStore(contact, ({ is }) => is === 'live');
  const nowMs = useSteadyMs(isLive);
  const left = secondsLeft(view, heardMs, nowMs) ?? 0;
  const whole = Math.max(view.grantS ?? left, left, 1);
  const tone = left <= LAST_S ? 'ring-last' : '';
  return (
    <svg
      class={`ring ${tone} ${isLive ? '' : 'ring-stale'}`}
      width="54"
      height="54"
      viewBox="0 0 54 54"
      aria-hidden="true"
    >
      <circle class="ring-way" cx="27" cy="27" r={RADIUS} />
      <circle
        class="ring-left"
        cx="27"
        cy="27"
        r={RADIUS}
        stroke-dasharray={`${((left / whole) * ROUND).toFixed(2)} ${ROUND.toFixed(2)}`}
        transform="rotate(-90 27 27)"
      />
      <text x="27" y="31" text-anchor="middle" class={left >= 3600 ? 'ring-long' : ''}>
        {clockLength(left)}
      </text>
    </svg>
  );
}
