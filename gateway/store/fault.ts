import type { EventDraft } from '../calls/ports.js';

/** What can be wrong with a data folder at the start. Codes are stable. */
export type StoreFaultCode =
  | 'store.unusable'
  | 'store.corrupt'
  | 'store.chain-broken'
  | 'store.newer'
  | 'store.foreign';

/**
 * Thrown by `openStore` when the folder's database cannot be trusted or used. The file is left as it is: whoever looks
 * into the matter needs it, and a gateway that began afresh would forget the calls that it still owes an end.
 */
export class StoreFault extends Error {
  override readonly name = 'StoreFault';
  readonly exitCode = 78;

  constructor(
    readonly code: StoreFaultCode,
    readonly file: string,
    what: string,
    readonly hint: string,
  ) {
    super(`${file}: ${what}; ${hint}`);
  }
}

/** Tells that the disk had not taken what was written, once it has. */
export function diskFaultAlarm(why: Error): EventDraft {
  const message = `The disk did not take what was written (${why.message}); calls were refused until it had.`;
  return { kind: 'alarm', type: 'balise.alarm.store.fault', data: { why: 'store.fault', message } };
}
