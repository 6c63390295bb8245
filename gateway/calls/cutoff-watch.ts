import type { CallId } from '../policy/ids.js';
import type { CallState } from './call-state.js';
import type { CutoffOrder, CutoffResult, PlaneName } from './ports.js';

interface Progress {
  silentMs?: number;
  byesMs?: number;
  lineMs?: number;
  confirmed: boolean;
}

/** Follows the calls that one cutoff ended, until media is silent, the BYEs are sent and the relays are open. */
export class CutoffWatch {
  private readonly calls = new Map<CallId, Progress>();
  private left: number;

  constructor(
    readonly order: CutoffOrder,
    calls: readonly CallId[],
    private readonly orderedNs: bigint,
    private readonly done: (result: CutoffResult) => void,
  ) {
    for (const call of calls) this.calls.set(call, { confirmed: true });
    this.left = calls.length;
  }

  /** Nothing to wait for: there was no call. */
  get isIdle(): boolean {
    return this.left === 0;
  }

  /** What the call's state says now of each plane. `byesSent`: signalling says that the BYEs are on the wire. */
  see(call: CallId, state: CallState, nowNs: bigint, byesSent: boolean): void {
    const progress = this.calls.get(call);
    if (progress === undefined || isDone(progress)) return;
    const ms = Number(nowNs - this.orderedNs) / 1e6;
    const settled = (plane: PlaneName): boolean => {
      if (state.at === 'ending' || state.at === 'refusing') return !state.owed.includes(plane);
      return state.at === 'recording' || state.at === 'ended';
    };
    if (settled('media')) progress.silentMs ??= ms;
    if (byesSent || settled('signalling')) progress.byesMs ??= ms;
    if (settled('line')) progress.lineMs ??= ms;
    const planes = state.at === 'recording' || state.at === 'ended' ? state.record.planes : undefined;
    const released = planes ?? ('released' in state ? state.released : {});
    for (const plane of ['media', 'line'] as const)
      if (released[plane]?.confirmed === false) progress.confirmed = false;
    if (!byesSent && released.signalling?.confirmed === false) progress.confirmed = false;
    if (!isDone(progress)) return;
    this.left -= 1;
    if (this.left === 0) this.done(this.result(ms));
  }

  /** The result as it stands; what has not been reached counts as `elapsedMs`. */
  result(elapsedMs: number): CutoffResult {
    const all = [...this.calls.values()];
    const worst = (of: (progress: Progress) => number | undefined): number =>
      Math.max(0, ...all.map((progress) => of(progress) ?? elapsedMs));
    return {
      id: this.order.id,
      calls: all.length,
      silentMs: worst(({ silentMs }) => silentMs),
      byesSentMs: worst(({ byesMs }) => byesMs),
      relaysOpenMs: worst(({ lineMs }) => lineMs),
      complete: all.every((progress) => isDone(progress) && progress.confirmed),
    };
  }
}

function isDone({ silentMs, byesMs, lineMs }: Progress): boolean {
  return silentMs !== undefined && byesMs !== undefined && lineMs !== undefined;
}
