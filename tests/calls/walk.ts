import type { CallEffect, MachineEvent } from '../../gateway/calls/call-effect.js';
import { begin, step } from '../../gateway/calls/call-machine.js';
import type { CallState, StateName } from '../../gateway/calls/call-state.js';
import type { CallRequest } from '../../gateway/calls/ports.js';
import type { CallRecord } from '../../gateway/calls/record.js';
import type { Grant } from '../../gateway/policy/decision.js';
import { CALL, dialog, grant, now, request } from './samples.js';

const HANDSET_ANSWERS: readonly [StateName, MachineEvent] = [
  'opening-media',
  { type: 'handset-answered', offer: 'h', dialog: dialog('handset') },
];

/** One call led through the machine by hand, with all that it has ordered. */
export class Walk {
  state: CallState;
  /** What the last event ordered. */
  last: readonly CallEffect[];
  readonly all: CallEffect[] = [];
  ms = 0;
  setBackMs = 0;

  constructor(fitted = true, asked: Partial<CallRequest> = {}) {
    const first = begin(request(asked), fitted, now());
    this.state = first.state;
    this.last = first.effects;
    this.all.push(...first.effects);
  }

  private get isKeyed(): boolean {
    return this.state.call.request.keyed === true;
  }

  get at(): StateName {
    return this.state.at;
  }

  /** One event, `afterMs` later than the one before. */
  on(event: MachineEvent, afterMs = 0): this {
    this.ms += afterMs;
    const next = step(this.state, event, now(this.ms, this.setBackMs));
    this.state = next.state;
    this.last = next.effects;
    this.all.push(...next.effects);
    return this;
  }

  /** The orders of one kind that the last event gave, or all of the call's. */
  ordered<D extends CallEffect['do']>(what: D, from = this.last): readonly Extract<CallEffect, { do: D }>[] {
    return from.filter((effect): effect is Extract<CallEffect, { do: D }> => effect.do === what);
  }

  /** Names of what the last event ordered, timers left out. */
  get orders(): readonly string[] {
    return this.last.map((effect) => effect.do).filter((name) => !/timer|^tell$/.test(name));
  }

  /** Leads the call along the plain way as far as `to`. */
  to(to: StateName, more: Partial<Grant> = {}): this {
    const way: readonly (readonly [StateName, MachineEvent])[] = [
      ['journalling', { type: 'judged', decision: grant(more) }],
      [this.isKeyed ? 'calling-handset' : 'opening-media', { type: 'journalled' }],
      ...(this.isKeyed ? [HANDSET_ANSWERS] : []),
      ['dialling', { type: 'media-opened', trunkOffer: 'trunk-offer' }],
      ['ringing', { type: 'trunk-ringing' }],
      [
        'connecting',
        { type: 'trunk-answered', answer: 'trunk-answer', dialogs: [dialog('trunk'), dialog('handset', 'early')] },
      ],
      ['committing', { type: 'media-connected', handsetAnswer: 'handset-answer' }],
      ['arming', { type: 'committed' }],
      ['accepting', { type: 'armed', plane: 'media' }],
      ['talking', { type: 'accepted' }],
    ];
    for (const [state, event] of way) {
      if (this.at === to) return this;
      this.on(event);
      if (state === 'dialling')
        this.on({ type: 'dialling', trunk: grant().trunks[0] ?? never(), dialog: dialog('trunk', 'early') });
      if (state === 'accepting') {
        this.on({ type: 'armed', plane: 'signalling' });
        if (this.at === 'arming') this.on({ type: 'armed', plane: 'line' });
      }
    }
    return this;
  }

  /** Answers every release that is owed. */
  release(afterMs = 1): this {
    this.on({ type: 'released', plane: 'media' }, afterMs);
    this.on({ type: 'released', plane: 'line', relayOpen: true });
    return this.on({ type: 'released', plane: 'signalling', legs: ['handset', 'trunk'] });
  }
}

/** What is left of a call that has ended. */
export function recordOf(walk: Walk): CallRecord {
  if (walk.state.at !== 'recording' && walk.state.at !== 'ended') throw new Error(`no record in ${walk.state.at}`);
  return walk.state.record;
}

function never(): never {
  throw new Error(`call ${CALL} has no trunk`);
}
