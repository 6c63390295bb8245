import type { CallEvent, MediaOrder, MediaPlane } from '../../gateway/calls/ports.js';
import type { Deadline } from '../../gateway/clock/deadline.js';
import type { CallId } from '../../gateway/policy/ids.js';
import type { Channel } from './channel.js';
import type { Random } from './random.js';
import type { Happening, Timeline } from './timeline.js';

/** How long a refused caller listens. */
const PROMPT_US = 4_000_000;

interface Stream {
  /** Since when packets are forwarded; undefined when both gates are closed. */
  flowingUs?: number;
  deadlineUs?: number;
  timer?: Happening | undefined;
}

export interface MediaWatcher {
  armed(call: CallId, deadlineUs: number): void;
  /** Packets were forwarded from one instant to another. */
  flowed(call: CallId, fromUs: number, toUs: number): void;
}

/** The relay's process: forwards until the deadline, the close, or the loss of contact. */
export class SimMedia implements MediaPlane {
  isUp = true;
  /** A planted fault: the relay does not obey its own deadline. */
  isDeaf = false;
  private readonly streams = new Map<CallId, Stream>();

  constructor(
    private readonly timeline: Timeline,
    private readonly random: Random,
    private readonly channel: Channel,
    private readonly usOf: (monotonicNs: bigint) => number,
    private readonly watcher: MediaWatcher,
  ) {}

  holds(call: CallId): boolean {
    return this.streams.has(call);
  }

  isFlowing(call: CallId): boolean {
    return this.streams.get(call)?.flowingUs !== undefined;
  }

  get size(): number {
    return this.streams.size;
  }

  open(call: CallId, _order: MediaOrder): void {
    if (!this.isUp) {
      this.tell(call, { type: 'media-failed', code: 'media.lost' });
      return;
    }
    if (this.random.chance(0.002)) {
      this.tell(call, { type: 'media-failed', code: 'media.no-codec' });
      return;
    }
    this.streams.set(call, {});
    this.tell(call, { type: 'media-opened', trunkOffer: 'offer' });
  }

  announce(call: CallId): void {
    if (!this.isUp || this.random.chance(0.01)) {
      this.tell(call, { type: 'media-failed', code: 'media.no-prompt' });
      return;
    }
    this.streams.set(call, {});
    this.tell(call, { type: 'announcing', answer: 'answer' });
    this.timeline.at(this.timeline.nowUs + PROMPT_US, () => {
      if (this.streams.has(call)) this.tell(call, { type: 'announced' });
    });
  }

  connect(call: CallId, _sdp: string, final: boolean): void {
    if (!final) return;
    const isGood = this.streams.has(call) && !this.random.chance(0.002);
    this.tell(
      call,
      isGood ? { type: 'media-connected', handsetAnswer: 'answer' } : { type: 'media-failed', code: 'media.bad-sdp' },
    );
  }

  arm(call: CallId, deadline: Deadline): void {
    const stream = this.streams.get(call);
    if (stream === undefined || !this.isUp) {
      this.tell(call, { type: 'arm-failed', plane: 'media', why: 'media.lost' });
      return;
    }
    const atUs = this.usOf(deadline.monotonicNs);
    this.watcher.armed(call, atUs);
    stream.flowingUs ??= this.timeline.nowUs;
    stream.deadlineUs = Math.min(stream.deadlineUs ?? atUs, atUs);
    this.timeline.cancel(stream.timer);
    stream.timer = this.timeline.at(this.isDeaf ? stream.deadlineUs + 5e6 : stream.deadlineUs, () => {
      this.silence(call, stream);
      this.tell(call, { type: 'deadline-passed', by: 'media' });
    });
    this.tell(call, { type: 'armed', plane: 'media' });
  }

  close(call: CallId): void {
    const stream = this.streams.get(call);
    if (stream !== undefined) this.silence(call, stream);
    this.streams.delete(call);
    this.tell(call, { type: 'released', plane: 'media' });
  }

  /** The gateway is not heard any more, or this process is gone: every stream is silent, for good. */
  silenceAll(): void {
    for (const [call, stream] of this.streams) this.silence(call, stream);
    this.streams.clear();
  }

  private silence(call: CallId, stream: Stream): void {
    this.timeline.cancel(stream.timer);
    if (stream.flowingUs !== undefined) this.watcher.flowed(call, stream.flowingUs, this.timeline.nowUs);
    delete stream.flowingUs;
  }

  private tell(call: CallId, event: CallEvent): void {
    this.channel.tell((sink) => sink.event(call, event));
  }
}
