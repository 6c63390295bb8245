import type { ClientHub } from '../client/client-hub.js';
import type { EngineClock } from '../clock.js';
import type { Limits } from '../config.js';
import type { Counters } from '../counters.js';
import type { Dialog } from '../dialog/dialog.js';
import type { DialogTable } from '../dialog/dialog-table.js';
import type { SipMessage } from '../message/message.js';
import type { ClientTransaction } from '../transaction/client-transaction.js';
import type { ServerTransaction } from '../transaction/server-transaction.js';
import type { TimerValues } from '../transaction/timer-values.js';
import type { TimerQueues } from '../transaction/timers.js';
import type { Resolver } from '../transport/resolver.js';
import type { Transports } from '../transport/transports.js';
import type { AdmissionDesk } from './admission.js';
import type { CallEvents } from './call-events.js';
import type { IncomingRequest } from './incoming-request.js';

/** Keeps the session timers of dialogs (RFC 4028). */
export interface SessionKeeper {
  /** The header of a 422, where a request of the peer asks for too short an interval. */
  refusal(request: SipMessage): string | undefined;
  /** The application sends an offer of its own: what it asks for is kept until the answer. */
  asked(dialog: Dialog, sketch: SipMessage): void;
  /** The application answers a request of the peer with a 2xx: headers that it must have besides. */
  answer(dialog: Dialog, incoming: IncomingRequest, sketch: SipMessage): string;
  /** The peer has answered an offer of ours with a 2xx. */
  answered(dialog: Dialog, response: SipMessage): void;
}

/** What the parts of the core share: the engine's tables and its ways out. */
export interface Room {
  readonly clock: EngineClock;
  readonly timers: TimerQueues;
  readonly values: TimerValues;
  readonly limits: Limits;
  readonly counters: Counters;
  readonly transports: Transports;
  readonly resolve: Resolver;
  readonly hub: ClientHub;
  readonly dialogs: DialogTable;
  readonly clientTransactions: Map<string, ClientTransaction>;
  readonly serverTransactions: Map<string, ServerTransaction>;
  /** Requests of the application that still run, by transaction id. */
  readonly outgoing: Map<string, ClientTransaction>;
  /** Requests from the network that the application has been told of, by transaction id. */
  readonly incoming: Map<string, IncomingRequest>;
  /** False while nobody watches the calls, or the engine is closing: then none may begin. */
  readonly admitting: () => boolean;
  readonly desk: AdmissionDesk;
  readonly sessions: SessionKeeper;
  readonly calls: CallEvents;
}
