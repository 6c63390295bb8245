import type { CallId, HandsetId } from '../policy/ids.js';
import type { CallState } from './call-state.js';
import type { CallStep, LiveCall } from './live-call.js';
import type { CallRecord } from './record.js';

/** Why a call is, or ended, as it is. No called number. */
export interface WhyReport {
  readonly call: CallId;
  readonly handset: HandsetId;
  readonly state: CallState['at'];
  readonly requestedAt: string;
  /** What policy granted, and by which rules it is bounded. */
  readonly granted?: {
    readonly notAfter: string;
    readonly notAfterBy: string;
    readonly maxTalkMs: number;
    readonly maxTalkBy: string;
    readonly calleeZones: readonly string[];
  };
  readonly deadline?: string;
  readonly endsBy?: string;
  readonly cause?: string;
  readonly rule?: string;
  readonly fact?: string;
  readonly nextAllowed?: string;
  readonly planes?: CallRecord['planes'];
  readonly steps: readonly CallStep[];
}

export function whyReport(entry: LiveCall): WhyReport {
  const { state, call, handset, steps } = entry;
  const { grant, deadline, endsBy } = entry.story;
  const record = state.at === 'recording' || state.at === 'ended' ? state.record : undefined;
  const refusal = state.at === 'refusing' || state.at === 'ending' ? state.refusal : undefined;
  const rule = record?.rule ?? refusal?.rule;
  const fact = record?.fact ?? refusal?.fact;
  const next = record?.nextAllowed ?? refusal?.nextAllowed;
  const cause = record?.cause ?? ('cause' in state ? state.cause : undefined);
  return {
    call,
    handset,
    state: state.at,
    requestedAt: entry.request.at.toString(),
    ...(grant === undefined
      ? {}
      : {
          granted: {
            notAfter: grant.notAfter.toString(),
            notAfterBy: grant.notAfterBy,
            maxTalkMs: grant.maxTalkMs,
            maxTalkBy: grant.maxTalkBy,
            calleeZones: grant.calleeZones,
          },
        }),
    ...(deadline === undefined ? {} : { deadline: deadline.wall.toString() }),
    ...(endsBy === undefined ? {} : { endsBy }),
    ...(cause === undefined ? {} : { cause }),
    ...(rule === undefined ? {} : { rule }),
    ...(fact === undefined ? {} : { fact }),
    ...(next === undefined ? {} : { nextAllowed: next.toString() }),
    ...(record === undefined ? {} : { planes: record.planes }),
    steps,
  };
}

/** The last calls, for "why?". Its size is fixed, so that a million calls leave no trace in memory. */
export class RecentCalls {
  private readonly calls = new Map<CallId, LiveCall>();

  constructor(private readonly most = 200) {}

  add(entry: LiveCall): void {
    this.calls.set(entry.call, entry);
    if (this.calls.size <= this.most) return;
    const [oldest] = this.calls.keys();
    if (oldest !== undefined) this.calls.delete(oldest);
  }

  get(call: CallId): LiveCall | undefined {
    return this.calls.get(call);
  }
}
