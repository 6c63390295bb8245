import type { ClientLink } from '../client/client-link.js';
import { fromNetwork, madeUp } from '../client/reports.js';
import type { Challenged } from '../control/protocol.js';
import type { Dialog } from '../dialog/dialog.js';
import type { SipMessage } from '../message/message.js';
import { printMessage } from '../message/print.js';
import { reasonPhrase } from '../message/reason.js';
import type { ClientTransaction, ClientUser } from '../transaction/client-transaction.js';
import type { Flow } from '../transport/flow.js';
import type { Room } from './room.js';
import { madeUpResponse } from './sketch.js';

/** Told the final status, 408 when there was none, and what is asked for with a 401 or 407. */
export type ByeDone = (status: number, challenged?: Challenged) => void;

/** Whoever keeps a dialog up while its BYE is to be proven. */
interface Waiting {
  readonly room: Room;
  awaitProof(dialog: Dialog): void;
}

function challengeOf({ sent }: ClientTransaction, response: SipMessage): Challenged | undefined {
  if (response.status !== 401 && response.status !== 407) return undefined;
  const header = response.status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate';
  return { header, value: response.all(header.toLowerCase()).join(', '), uri: sent.uri };
}

/**
 * A BYE that the engine sent by itself. An application that wants to end the same dialog meanwhile joins it, and hears
 * the peer's answer to it. A challenge (401, 407) leaves the dialog standing for a BYE of the application with credentials,
 * for as long as a transaction lasts.
 */
export class EngineBye implements ClientUser {
  #joined: ClientLink | undefined;

  readonly #room: Room;

  constructor(
    readonly endings: Waiting,
    readonly dialog: Dialog,
    readonly onDone: ByeDone | undefined,
  ) {
    this.#room = endings.room;
  }

  join(link: ClientLink): void {
    this.#joined = link;
  }

  onResponse(transaction: ClientTransaction, response: SipMessage, from: Flow): void {
    const text = response.clean ? response.raw : printMessage(response);
    const time = this.#room.clock.timeOfDay();
    this.#joined?.send(fromNetwork(text, from.transport, from, time, transaction.id, this.dialog.id));
    if (response.status < 200) return;
    this.onDone?.(response.status, challengeOf(transaction, response));
    if (response.status === 401 || response.status === 407) {
      this.dialog.engineBye = undefined;
      this.endings.awaitProof(this.dialog);
      return;
    }
    this.#room.dialogs.remove(this.dialog);
  }

  onFailed(transaction: ClientTransaction, status: 408 | 503): void {
    this.onDone?.(status);
    const text = madeUpResponse(status, reasonPhrase(status), transaction.sent);
    const time = this.#room.clock.timeOfDay();
    this.#joined?.send(madeUp(text, transaction.flow.transport, time, transaction.id, this.dialog.id));
    this.#room.dialogs.remove(this.dialog);
  }
}
