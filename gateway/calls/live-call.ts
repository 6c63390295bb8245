import type { Timer } from '../clock/clock.js';
import type { CallId, E164, HandsetId, PersonId, WingId } from '../policy/ids.js';
import type { Lockdown } from '../policy/request.js';
import type { EventName, TimerName } from './call-effect.js';
import type { CallState, StateName, Story } from './call-state.js';
import type { CutoffWatch } from './cutoff-watch.js';
import type { CallRequest, CutoffOrder } from './ports.js';

/** A turning point of a call, for whoever asks why. */
export interface CallStep {
  /** Since the request, milliseconds. */
  readonly ms: number;
  readonly event: EventName;
  readonly state: StateName;
}

/** Turning points kept of a call; one that flaps does not fill the memory. */
const MOST_STEPS = 40;

/** One call as the driver holds it: its state and its timers. */
export class LiveCall {
  readonly call: CallId;
  readonly handset: HandsetId;
  readonly timers = new Map<TimerName, Timer>();
  readonly steps: CallStep[] = [];
  watches: readonly CutoffWatch[] = [];

  constructor(
    readonly request: CallRequest,
    public state: CallState,
    private readonly sinceNs: bigint,
  ) {
    this.call = request.call;
    this.handset = request.handset;
  }

  /** What is known of the call, in whatever state it is. */
  get story(): Story {
    return this.state.call;
  }

  get number(): E164 | undefined {
    return this.story.grant?.number;
  }

  get wing(): WingId | undefined {
    return this.story.grant?.wing;
  }

  get person(): PersonId | undefined {
    return this.story.grant?.person ?? this.request.person;
  }

  /** It may still become a talk, or is one. */
  get isLiving(): boolean {
    const { at } = this.state;
    return at !== 'ending' && at !== 'refusing' && at !== 'recording' && at !== 'ended';
  }

  isTarget(target: CutoffOrder['target'] | Lockdown['target']): boolean {
    switch (target.kind) {
      case 'site':
        return true;
      case 'wing':
        return this.wing === target.wing;
      case 'handset':
        return this.handset === target.handset;
      case 'person':
        return this.person === target.person;
      case 'call':
        return this.call === target.call;
    }
  }

  note(event: EventName, nowNs: bigint): void {
    if (this.steps.length >= MOST_STEPS) return;
    this.steps.push({ ms: Number(nowNs - this.sinceNs) / 1e6, event, state: this.state.at });
  }

  setTimer(name: TimerName, timer: Timer): void {
    this.timers.get(name)?.cancel();
    this.timers.set(name, timer);
  }

  cancelTimer(name: TimerName): void {
    this.timers.get(name)?.cancel();
    this.timers.delete(name);
  }

  cancelAll(): void {
    for (const timer of this.timers.values()) timer.cancel();
    this.timers.clear();
  }
}
