import type { Counters } from '../counters.js';
import { type Dialog, dialogId } from './dialog.js';

/** All dialogs, by drachtio's id. */
export class DialogTable {
  readonly #dialogs = new Map<string, Dialog>();
  onRemoved: (dialog: Dialog) => void = () => undefined;

  constructor(readonly counters: Counters) {}

  get size(): number {
    return this.#dialogs.size;
  }

  get(id: string): Dialog | undefined {
    return this.#dialogs.get(id);
  }

  add(dialog: Dialog): void {
    this.#dialogs.set(dialog.id, dialog);
    this.counters.dialogsBegun++;
    dialog.hold();
  }

  /** Takes the dialog out; harmless when it is out already. */
  remove(dialog: Dialog): void {
    dialog.state = 'ended';
    dialog.answer?.stop();
    dialog.answer = undefined;
    dialog.session?.cancel();
    dialog.reliables.stop();
    if (this.#dialogs.get(dialog.id) !== dialog) return;
    this.#dialogs.delete(dialog.id);
    dialog.release();
    this.onRemoved(dialog);
  }

  /** The dialog of a request from the network: both tags must agree (RFC 3261 §12.2.2). */
  ofRequest(callId: string, fromTag: string, toTag: string): Dialog | undefined {
    const asUas = this.#dialogs.get(dialogId(callId, fromTag));
    if (asUas !== undefined && asUas.role === 'uas' && asUas.localTag === toTag) return asUas;
    const asUac = this.#dialogs.get(dialogId(callId, toTag));
    if (asUac !== undefined && asUac.role === 'uac' && asUac.remoteTag === fromTag) return asUac;
    return undefined;
  }

  all(): Dialog[] {
    return [...this.#dialogs.values()];
  }
}
