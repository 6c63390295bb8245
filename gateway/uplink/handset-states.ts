import type { HandsetMessage } from '../../config/schema/types.generated.js';
import type { CallObserver } from '../calls/ports.js';
import type { CallRecord } from '../calls/record.js';
import type { Clock, Timer } from '../clock/clock.js';
import { instantText } from '../clock/instant-text.js';
import type { HandsetId } from '../policy/ids.js';

/** What follows sooner than this is told in place of what was before, milliseconds: calling, ringing and talking of a call that is answered at once. */
const SOON_MS = 50;

type Hook = 'on' | 'off' | 'unknown';
type State = Omit<HandsetMessage, 'at'>;
/** What somebody who is signed on at a handset does there. */
export interface WorkState {
  readonly person: string;
  readonly activity: NonNullable<HandsetMessage['work']>;
}

interface Known {
  readonly hook: Hook;
  /** Calls that are up, in the order of their beginning: at the work desk there are two while a contact is called. */
  readonly calls: readonly State[];
  /** How the last call ended, where that is to be told. */
  readonly verdict?: State | undefined;
  readonly work?: WorkState | undefined;
}

const NOTHING: Known = { hook: 'unknown', calls: [] };

/** Handsets as headquarters sees them: what the newest call says while there is one, then how it ended, then what the hook says. */
export class HandsetStates {
  private readonly known = new Map<HandsetId, Known>();
  /** Handsets whose state has changed since it was told, and when it did last. */
  private untold = new Map<HandsetId, string>();
  private timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly publish: (handset: HandsetId, message: HandsetMessage) => void,
  ) {}

  /** The observer to give to `calls`. */
  readonly observer: CallObserver = {
    handset: (handset, phase, { call, until }) => {
      const { calls = [], verdict } = this.known.get(handset) ?? {};
      if (phase === 'idle' || phase === 'ended') {
        // The record may come before this or after it; what it said of the same call stands until something new happens.
        const stands = verdict?.call === call ? verdict : undefined;
        this.set(handset, { calls: calls.filter((one) => one.call !== call), verdict: stands });
        return;
      }
      const state: State = { state: phase, call, ...(until === undefined ? {} : { until: instantText(until) }) };
      const isNew = !calls.some((one) => one.call === call);
      const now = isNew ? [...calls, state] : calls.map((one) => (one.call === call ? state : one));
      this.set(handset, { calls: now, verdict: undefined });
    },
    ended: (record) => {
      const { calls = [], verdict } = this.known.get(record.handset) ?? {};
      const others = calls.filter(({ call }) => call !== record.call);
      if (others.length > 0) this.set(record.handset, { calls: others });
      else if (verdict === undefined || verdict.call === record.call)
        this.set(record.handset, { calls: others, verdict: verdictOf(record) });
    },
    cutoff: () => undefined,
  };

  /** A handset of the site of which nothing is known yet: it is idle. */
  announce(handset: HandsetId): void {
    if (!this.known.has(handset)) this.set(handset, {});
  }

  /** What the wire says of a handset's hook. A hook put down ends the story of the last call. */
  hook(handset: HandsetId, hook: Hook): void {
    this.set(handset, { hook, ...(hook === 'on' ? { verdict: undefined } : {}) });
  }

  /** Somebody who is signed on does something else; undefined: nobody is signed on any more. */
  work(handset: HandsetId, work: WorkState | undefined): void {
    this.set(handset, { work });
    // Each step of a shift is seen, however short it is.
    this.tell();
  }

  private set(handset: HandsetId, change: Partial<Known>): void {
    const before = this.known.get(handset);
    const after: Known = { ...NOTHING, ...before, ...change };
    this.known.set(handset, after);
    if (before !== undefined && same(stateOf(after), stateOf(before))) return;
    this.untold.set(handset, instantText(this.clock.wall()));
    this.timer ??= this.clock.after(SOON_MS, () => this.tell());
  }

  /** Tells now what would be told soon. */
  tell(): void {
    this.timer?.cancel();
    this.timer = undefined;
    const { untold } = this;
    this.untold = new Map();
    for (const [handset, at] of untold) this.publish(handset, { ...stateOf(this.known.get(handset) ?? NOTHING), at });
  }
}

function stateOf({ hook, calls, verdict, work }: Known): State {
  const doing = work === undefined ? {} : { work: work.activity, person: work.person };
  const call = calls.at(-1) ?? verdict;
  if (call !== undefined) return { ...call, ...doing };
  if (hook === 'unknown') return { state: 'idle', ...doing };
  return { state: hook === 'on' ? 'on-hook' : 'off-hook', ...doing };
}

function verdictOf(record: CallRecord): State | undefined {
  const { call, cause, rule } = record;
  if (cause === 'refused') return { state: 'refused', call, ...(rule === undefined ? {} : { rule }) };
  if (cause === 'cutoff') return { state: 'cut', call, cause };
  if (cause.startsWith('fault.') || cause === 'line.controller-lost') return { state: 'fault', call, cause };
  return undefined;
}

function same(a: State, b: State): boolean {
  const { state, call, until, rule, cause, work, person } = a;
  return (
    state === b.state &&
    call === b.call &&
    until === b.until &&
    rule === b.rule &&
    cause === b.cause &&
    work === b.work &&
    person === b.person
  );
}
