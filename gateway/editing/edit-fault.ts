/** Why an edit cannot be, beside what the site's own check finds. */
export type EditFaultCode =
  | 'handset.unknown'
  | 'handset.taken'
  | 'handset.no-phone'
  | 'board.taken'
  | 'site.busy'
  | 'site.read-only';

/** An edit that is not done; nothing was changed, and the message says what to do. */
export class EditFault extends Error {
  override readonly name = 'EditFault';
  constructor(
    readonly code: EditFaultCode,
    message: string,
  ) {
    super(message);
  }
}
