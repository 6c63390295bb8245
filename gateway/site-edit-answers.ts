/** What edits of a site's files by people at the console have in common: whose hand it is, and what becomes of faults. */
import { ConfigFault } from './config/fault.js';
import { ConsoleFault } from './console/fault.js';
import type { Change } from './console/source.js';
import { EditFault, type EditFaultCode } from './editing/edit-fault.js';
import type { EditOutcome, Hand } from './editing/site-edit.js';

const STATUS: Readonly<Record<EditFaultCode, number>> = {
  'handset.unknown': 404,
  'handset.taken': 409,
  'handset.no-phone': 409,
  'board.taken': 409,
  'site.busy': 409,
  'site.read-only': 503,
};

/** A person at the console, as the audit chain names them; this very gateway takes the edit. */
export function handOf(
  { who, role, from }: Pick<Change, 'who' | 'role' | 'from'>,
  command: string,
  running: { readonly reload: () => Promise<void> },
): Hand {
  return { by: `console:${who} (${role}, ${from})`, command, reload: () => running.reload() };
}

/** Throws a `ConsoleFault` when the running gateway did not take it. */
export function checkTaken({ gateway, remarks }: EditOutcome): void {
  if (gateway === 'taken') return;
  const why = 'the running gateway did not take it, and goes on as it was; the site’s files have it';
  throw new ConsoleFault(409, 'site.refused', why, { remarks });
}

/** What went wrong, as an answer; what is no fault of an edit stays as it is. */
export function asConsoleFault(fault: unknown): unknown {
  if (fault instanceof EditFault) return new ConsoleFault(STATUS[fault.code], fault.code, fault.message);
  if (!(fault instanceof ConfigFault)) return fault;
  const faults = fault.faults.map(({ file, pointer, found, expected, hint }) => ({
    ...{ file, pointer, found, expected, hint },
  }));
  return new ConsoleFault(422, 'site.faults', `nothing was changed: ${fault.message}`, { faults });
}
