import type { HandsetMessage } from '../../config/schema/types.generated.js';
import type { CallObserver } from '../calls/ports.js';
import type { CallRecord } from '../calls/record.js';
import type { Clock } from '../clock/clock.js';
import type { HandsetId } from '../policy/ids.js';

type Hook = 'on' | 'off' | 'unknown';
type State = Omit<HandsetMessage, 'at'>;

interface Known {
  readonly hook: Hook;
  /** What the call makes of the handset; absent when there is none and the last one left nothing to tell. */
  readonly call?: State;
}

/** Handsets as headquarters sees them: what the call says while there is one, then how it ended, then what the hook says. */
export class HandsetStates {
  private readonly known = new Map<HandsetId, Known>();

  constructor(
    private readonly clock: Clock,
    private readonly publish: (handset: HandsetId, message: HandsetMessage) => void,
  ) {}

  /** The observer to give to `calls`. */
  readonly observer: CallObserver = {
    handset: (handset, phase, { call, until }) => {
      if (phase === 'idle' || phase === 'ended') {
        // The record may come before this or after it; what it said of the same call stands until something new happens.
        const before = this.known.get(handset)?.call;
        const isVerdict = before?.call === call && ['refused', 'cut', 'fault'].includes(before.state);
        this.set(handset, { call: isVerdict ? before : undefined });
        return;
      }
      this.set(handset, {
        call: { state: phase, call, ...(until === undefined ? {} : { until: until.toString() }) },
      });
    },
    ended: (record) => {
      const current = this.known.get(record.handset)?.call?.call;
      if (current === undefined || current === record.call) this.set(record.handset, { call: verdictOf(record) });
    },
    cutoff: () => undefined,
  };

  /** A handset of the site of which nothing is known yet: it is idle. */
  announce(handset: HandsetId): void {
    if (!this.known.has(handset)) this.set(handset, {});
  }

  /** What the wire says of a handset's hook. A hook put down ends the story of the last call. */
  hook(handset: HandsetId, hook: Hook): void {
    const before = this.known.get(handset)?.call;
    const isOver = hook === 'on' && before !== undefined && !['calling', 'ringing', 'talking'].includes(before.state);
    this.set(handset, { hook, ...(isOver ? { call: undefined } : {}) });
  }

  private set(handset: HandsetId, change: { readonly hook?: Hook; readonly call?: State | undefined }): void {
    const before = this.known.get(handset);
    const after = { hook: 'unknown', ...before, ...change } as Known;
    this.known.set(handset, after);
    const state = stateOf(after);
    if (before !== undefined && same(state, stateOf(before))) return;
    this.publish(handset, { ...state, at: this.clock.wall().toString() });
  }
}

function stateOf({ hook, call }: Known): State {
  if (call !== undefined) return call;
  if (hook === 'unknown') return { state: 'idle' };
  return { state: hook === 'on' ? 'on-hook' : 'off-hook' };
}

function verdictOf(record: CallRecord): State | undefined {
  const { call, cause, rule } = record;
  if (cause === 'refused') return { state: 'refused', call, ...(rule === undefined ? {} : { rule }) };
  if (cause === 'cutoff') return { state: 'cut', call, cause };
  if (cause.startsWith('fault.') || cause === 'line.controller-lost') return { state: 'fault', call, cause };
  return undefined;
}

function same(a: State, b: State): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
