/** A contact is called by what stands for it: its number is opened where a plane needs it, and is nowhere else in a call. */
import type { E164 } from '../policy/ids.js';
import type { CallRequest } from './ports.js';
import type { LegDialog } from './record.js';

/** Opens what stands for contacts, in the moment in which a plane needs it; the rest of the house has tokens. */
export interface ContactNumbers {
  /** The number of a contact, by what its call has dialled. Throws when it cannot be unsealed. */
  numberOf(dialled: string): E164;
  /** What the journal keeps of a dialog whose URIs may hold a contact's number, and the way back. Throws when it does not open. */
  sealDialog(dialog: LegDialog): LegDialog;
  openDialog(dialog: LegDialog): LegDialog;
}

/** An order with the contact's own number in place of its token. Throws when that cannot be opened: nobody is called then. */
export function withNumber<T extends { readonly number?: E164 }>(
  request: CallRequest,
  contacts: ContactNumbers | undefined,
  order: T,
): T {
  if (request.contact === undefined) return order;
  return { ...order, number: opener(contacts).numberOf(request.dialled) };
}

/** The dialogs of a call as the journal may have them. */
export function sealedDialogs(
  request: CallRequest,
  contacts: ContactNumbers | undefined,
  dialogs: readonly LegDialog[],
): readonly LegDialog[] {
  if (request.contact === undefined) return dialogs;
  return dialogs.map((dialog) => opener(contacts).sealDialog(dialog));
}

/** The dialogs of a call as they were before they were sealed. */
export function openedDialogs(
  request: CallRequest,
  contacts: ContactNumbers | undefined,
  dialogs: readonly LegDialog[],
): readonly LegDialog[] {
  if (request.contact === undefined) return dialogs;
  return dialogs.map((dialog) => opener(contacts).openDialog(dialog));
}

function opener(contacts: ContactNumbers | undefined): ContactNumbers {
  if (contacts === undefined) throw new Error('a contact is called, and nothing here opens its number');
  return contacts;
}
