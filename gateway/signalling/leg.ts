import type Srf from 'drachtio-srf';
import type { CallEvent } from '../calls/ports.js';
import type { EndCause, LegDialog, LegName } from '../calls/record.js';
import type { Clock } from '../clock/clock.js';
import type { HandsetId } from '../policy/ids.js';
import type { TrunkCredentials } from './account.js';
import type { DialogJudge } from './judged-srf.js';
import { type LegFacts, rule } from './rules-in-dialog.js';
import type { Direction, OpenSession } from './session.js';
import { sendRequest } from './trunk-request.js';
import type { Violations } from './violations.js';

/** What a leg needs of the call that it belongs to. */
export interface LegOwner {
  readonly handset: HandsetId;
  readonly clock: Clock;
  readonly tell: (event: CallEvent) => void;
  /** The leg is no more, for whatever reason. */
  readonly over: () => void;
  readonly violations: Violations;
  readonly openSession: OpenSession;
  /** The peer of a leg speaks and hears from now on as it says in its own words. */
  readonly held: (leg: LegName, direction: Direction) => void;
  /** A digit was keyed in an INFO. */
  readonly keyed: (leg: LegName, key: string) => void;
}

/** Holds a leg's dialog to the rules; `facts` is asked at each request. */
export function judgeOf(owner: LegOwner, facts: () => LegFacts): DialogJudge {
  return (request, response) => {
    const asked = facts();
    const { answer, count, alarm, redirected, direction, keyed } = rule(request, asked);
    const { handset, violations } = owner;
    if (count !== undefined) violations.count(count);
    if (alarm !== undefined) violations.alarm({ ...alarm, handset, address: request.source_address });
    if (redirected) sayRedirected(owner, 'the far end sent a call elsewhere while it was up');
    if (keyed !== undefined) owner.keyed(asked.leg, keyed);
    if (answer === undefined) return true;
    const { status, headers = {}, body } = answer;
    if (direction !== undefined) owner.held(asked.leg, direction);
    response.send(status, { headers, ...(body === undefined ? {} : { body }) });
    return false;
  };
}

/** The carrier has sent the call on, to somebody who was never judged: it must end. */
export function sayRedirected({ violations, handset, tell }: LegOwner, detail: string): void {
  violations.alarm({ code: 'callee.redirected', detail, handset });
  tell({ type: 'callee-redirected' });
}

/** Whether the engine itself has sent the BYE that drachtio-srf reports, and if so, whether at the deadline. */
export function endedByEngine(request: Srf.SrfRequest): 'deadline' | 'otherwise' | undefined {
  if (request.source !== 'application') return undefined;
  return request.has('reason') && request.get('reason').includes('"deadline"') ? 'deadline' : 'otherwise';
}

/** What the end of a handset's dialog means, as drachtio-srf reports it. The engine ends one whose handset is there no more. */
export function handsetEnd(request: Srf.SrfRequest): CallEvent {
  switch (endedByEngine(request)) {
    case 'deadline':
      return { type: 'deadline-passed', by: 'signalling' };
    case 'otherwise':
      return { type: 'handset-failed', status: 408, why: 'the handset has gone without a word' };
    case undefined:
      return { type: 'handset-hung-up' };
  }
}

export interface Bye {
  readonly srf: Srf;
  readonly dialog: LegDialog;
  readonly cause: EndCause;
  readonly auth?: TrunkCredentials | undefined;
}

/**
 * BYE to one leg; whatever comes of it, the other leg has its own. `done` is told the final status once it is answered, or
 * given up (408); undefined when the engine knows the dialog no more. Where the engine has sent a BYE of its own, this one
 * joins it.
 */
export function sendBye({ srf, dialog, cause, auth }: Bye, done: (status: number | undefined) => void): void {
  const headers = { Reason: `Q.850;cause=16;text="${cause}"` };
  const order = { method: 'BYE', uri: dialog.remoteTarget, stackDialogId: dialog.dialogId, headers };
  sendRequest(srf, order, auth, (answer) => done(answer?.response.status));
}
