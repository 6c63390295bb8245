import type { CallEffect, EventName, MachineEvent, TimerName } from './call-effect.js';
import type { CallState, Now, StateName } from './call-state.js';

export interface Step {
  readonly state: CallState;
  readonly effects: readonly CallEffect[];
}

export type Handler<S, E extends EventName> = (state: S, event: Extract<MachineEvent, { type: E }>, now: Now) => Step;

/** What a state does with every event there is; the compiler refuses a table with a hole. */
export type Table<S> = { readonly [E in EventName]: Handler<S, E> };

type Entries<K extends EventName> = { readonly [E in K]: Handler<CallState, E> };

/** A state is given up after this, milliseconds. */
export function bound(state: StateName, afterMs: number): CallEffect {
  return { do: 'set-timer', timer: 'step' satisfies TimerName, afterMs, event: { type: 'overdue', state } };
}

export const stay = (state: CallState): Step => ({ state, effects: [] });

function all<K extends EventName>(names: readonly K[], handler: Handler<CallState, EventName>): Entries<K> {
  return Object.fromEntries(names.map((name) => [name, handler])) as unknown as Entries<K>;
}

/** Events that cannot come here if the planes keep their promises: ignored and counted. */
export function unexpected<K extends EventName>(...names: readonly K[]): Entries<K> {
  return all(names, (state, event) => ({
    state,
    effects: [{ do: 'count-unexpected', state: state.at, event: event.type }],
  }));
}

/** Events that may come late or twice here, and mean nothing any more. */
export function ignored<K extends EventName>(...names: readonly K[]): Entries<K> {
  return all(names, stay);
}
