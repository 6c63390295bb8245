import type Srf from 'drachtio-srf';
import type { CallEvent } from '../calls/ports.js';
import type { EndCause } from '../calls/record.js';
import type { HandsetId } from '../policy/ids.js';
import type { Violations } from './violations.js';

/** What a leg needs of the call that it belongs to. */
export interface LegOwner {
  readonly handset: HandsetId;
  readonly tell: (event: CallEvent) => void;
  /** The leg is no more, for whatever reason. */
  readonly over: () => void;
  readonly violations: Violations;
}

/** BYE to one leg; whatever comes of it, the other leg has its own. `done` once it is answered, or given up. */
export function sendBye(dialog: Srf.Dialog, cause: EndCause, done: () => void): void {
  dialog.destroy({ headers: { Reason: `Q.850;cause=16;text="${cause}"` } }, done);
}
