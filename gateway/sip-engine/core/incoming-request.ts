import type { ClientLink } from '../client/client-link.js';
import type { Dialog } from '../dialog/dialog.js';
import type { SipMessage } from '../message/message.js';
import type { SessionExpires } from '../message/session-expires.js';
import type { ServerTransaction } from '../transaction/server-transaction.js';
import type { QueuedTimer } from '../transaction/timers.js';

/** A request from the network that an application has been told of. */
export interface IncomingRequest {
  readonly transaction: ServerTransaction;
  /** Until it has its final answer; what lingers after that is not to hold the whole message. */
  request: SipMessage | undefined;
  readonly owner: ClientLink;
  /** The dialog that it belongs to, or begins. */
  readonly dialog: Dialog | undefined;
  /** It begins its dialog. */
  readonly initial: boolean;
  readonly cseq: number;
  /** The URI of its Contact: a 2xx makes it the target of the dialog (RFC 3261 §12.2.2). */
  readonly target: string | undefined;
  /** What it asks for of the session's timer, and whether its sender takes UPDATE. */
  readonly session: SessionExpires | undefined;
  readonly peerTakesUpdate: boolean;
  /** Answers in the application's place when it never does. */
  patience: QueuedTimer | undefined;
  /** Told when it is refused in the application's place, or cancelled: of a request that is being proxied. */
  onRefused?: (() => void) | undefined;
}
