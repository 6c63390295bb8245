import type { CutoffCommand, ReleaseCommand } from '../../config/schema/types.generated.js';
import type { CutoffOrder } from '../calls/ports.js';
import { type CallId, callId, type E164, handsetId, personId, wingId } from '../policy/ids.js';
import type { Lockdown } from '../policy/request.js';
import type { NumberToken } from './number-token.js';

/** A call in progress, as far as a cutoff by number needs it. */
export interface LiveCall {
  readonly call: CallId;
  /** Of a contact it is the token that stands for it: its number is nowhere in a call. */
  readonly number: E164;
}

/**
 * A cutoff command as orders that `calls` understands: one, save for a number, which gives one for each call in progress to
 * it and holds nothing.
 */
export function cutoffOrders(
  command: CutoffCommand,
  live: readonly LiveCall[],
  numberToken: NumberToken,
): readonly CutoffOrder[] {
  const { id, reason, by, hold, target } = command;
  const order = { id, reason, by, hold };
  switch (target.kind) {
    case 'call':
      return [{ ...order, target: { kind: 'call', call: callId(target.call) } }];
    case 'number':
      return live
        .filter(({ number }) => (number.startsWith('+') ? numberToken(number) : number) === target.numberToken)
        .map(({ call }, index) => ({ ...order, id: `${id}.${index + 1}`, target: { kind: 'call', call } }));
    default:
      return [{ ...order, target: lockdownTarget(target) }];
  }
}

/** What a release lifts. */
export function lockdownTarget(target: ReleaseCommand['target']): Lockdown['target'] {
  switch (target.kind) {
    case 'site':
      return { kind: 'site' };
    case 'wing':
      return { kind: 'wing', wing: wingId(target.wing) };
    case 'handset':
      return { kind: 'handset', handset: handsetId(target.handset) };
    case 'person':
      return { kind: 'person', person: personId(target.person) };
  }
}
