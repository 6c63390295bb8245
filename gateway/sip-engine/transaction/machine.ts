import type { TimerName } from './timer-values.js';

/** What a machine asks for. `send` sends the request, or the last response, once more or for the first time. */
export type Action =
  | 'send'
  | 'pass-up'
  | 'ack'
  | 'tell-timeout'
  | 'tell-transport-error'
  | `start ${TimerName}`
  | `stop ${TimerName}`;

/** One row of a machine: from a state, on an event, to the next state, doing these in this order. */
export interface Step<State extends string> {
  readonly next: State;
  readonly actions: readonly Action[];
}

/** A state machine as its table: an event that has no row in a state is ignored there. */
export interface Machine<State extends string, Event extends string> {
  readonly initial: State;
  /** What is done when the transaction comes into being. */
  readonly begin: readonly Action[];
  readonly rows: { readonly [S in State]: { readonly [E in Event]?: Step<State> } };
}

/** Any machine, for whoever runs them all. */
export interface AnyMachine {
  readonly initial: string;
  readonly begin: readonly Action[];
  readonly rows: { readonly [state: string]: { readonly [event: string]: Step<string> | undefined } };
}

/** The row for an event, if the state has one. */
export function stepOf(machine: AnyMachine, state: string, event: string): Step<string> | undefined {
  return machine.rows[state]?.[event];
}

export const go = <State extends string>(next: State, ...actions: Action[]): Step<State> => ({ next, actions });
