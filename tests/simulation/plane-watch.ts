import type { Deadline } from '../../gateway/clock/deadline.js';
import type { CallId, HandsetId } from '../../gateway/policy/ids.js';
import { SECOND_US } from './timeline.js';
import type { WorldParts } from './world-parts.js';

/** Legs that nobody has ended are ended by session timers after 90 s; ours must have been told before that. */
const LEGS_US = 100 * SECOND_US;

/** Looks at each plane by itself, at the instants that matter. */
export class PlaneWatch {
  constructor(private readonly world: WorldParts) {}

  /**
   * A deadline is on the disk. Just past it every plane must have ended its own part, whatever the others and the gateway do;
   * all deadlines that planes ever hold of this call lie before this one.
   */
  committed(call: CallId, handset: HandsetId, deadline: Deadline): void {
    const { clock, line, media, signalling, timeline, watch } = this.world;
    const { bootId } = clock;
    timeline.at(clock.usOf(deadline.monotonicNs) + 1, () => {
      if (clock.bootId !== bootId) return;
      if (media.isFlowing(call)) watch.breach('no media after the deadline', `the relay forwards ${call}`, call);
      if (line.holds(call) && line.isConnected(handset) && !line.isLeftToWatchdog(handset))
        watch.relayClosed(handset, `${call} is past its deadline`);
      if (signalling.holdsBeyond(call)) watch.breach('the engine ends both legs by itself', call, call);
    });
  }

  /** A record is written: the relay is silent by then, and some time later every plane has let go and both peers have been told. */
  recorded(call: CallId): void {
    const { line, media, signalling, timeline, watch } = this.world;
    if (media.isFlowing(call)) watch.breach('every plane released', `media of ${call} flows on`, call);
    timeline.in(LEGS_US, () => {
      if (media.holds(call)) watch.breach('every plane released', `the relay holds ${call}`, call);
      if (line.holds(call)) watch.breach('every plane released', `the line holds ${call}`, call);
      for (const { leg, peerUp, isEnded, isKnown } of signalling.legsOf(call)) {
        if (peerUp && !isEnded && isKnown) watch.breach('both legs are told', `the ${leg} leg of ${call} is up`, call);
      }
      signalling.forget(call);
    });
  }

  /** All is mended and some hours have gone by: nothing of any call is left anywhere, and headquarters knows all. */
  settled(): void {
    const { broker, gateway, line, media, signalling, store, watch } = this.world;
    if (gateway === undefined) throw watch.breach('the gateway comes back', 'it did not', '');
    watch.noCallOlderThan(0);
    const { size } = gateway.calls;
    if (size > 0) watch.breach('nothing of a call stays in memory', `${size} calls`, '');
    if (media.size + signalling.size + line.size > 0) {
      const held = `${media.size} in the relay, ${signalling.size} in the engine, ${line.size} on lines`;
      watch.breach('every plane released', held, '');
    }
    if (broker.through !== store.sequence) {
      const detail = `headquarters has ${broker.through} of ${store.sequence} without a gap`;
      watch.breach('no event lost', detail, '');
    }
    if (store.depth > 0) watch.breach('no event kept after its confirmation', `${store.depth} wait`, '');
  }
}
