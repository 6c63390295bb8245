import type { Database, Statement } from 'better-sqlite3';
import { Temporal } from 'temporal-polyfill';
import type { CallRequest, OpenCall } from '../calls/ports.js';
import type { LegDialog } from '../calls/record.js';
import type { Deadline } from '../clock/deadline.js';
import { instantText } from '../clock/instant-text.js';
import type { Grant } from '../policy/decision.js';
import type { CallId } from '../policy/ids.js';
import {
  deadlineFrom,
  deadlineToText,
  dialogFrom,
  grantFrom,
  grantToText,
  requestFrom,
  requestToText,
  toText,
} from './revive.js';

interface Row {
  readonly call: string;
  readonly request: string;
  readonly grant: string;
  readonly answered: string | null;
  readonly deadline: string | null;
}

/** What the journal knew of a call when it was closed. */
export interface ClosedEntry {
  readonly number: string;
  /** An INVITE to a trunk was journalled. */
  readonly dialled: boolean;
}

/** The calls that are open: rows come before the INVITE leaves and go with the record. The caller brings the transaction. */
export class Journal {
  private readonly insert: Statement;
  private readonly putDialog: Statement;
  private readonly answer: Statement;
  private readonly remove: Statement;
  private readonly removeDialogs: Statement;
  private readonly all: Statement;
  private readonly dialogsOf: Statement;
  /** Values that are on disk as they are: a dialog is never changed, only followed by another. */
  private readonly kept = new WeakSet<LegDialog>();

  constructor(db: Database) {
    this.insert = db.prepare(
      `INSERT INTO journal (call, handset, number, requested_ms, lease_ms, request, grant, newest_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.putDialog = db.prepare('INSERT OR REPLACE INTO dialog (call, leg, dialog_id, dialog) VALUES (?, ?, ?, ?)');
    this.answer = db.prepare(
      'UPDATE journal SET answered = ?, deadline = ?, lease_ms = ?, newest_ms = ? WHERE call = ?',
    );
    this.remove = db.prepare('DELETE FROM journal WHERE call = ? RETURNING number').pluck();
    this.removeDialogs = db.prepare('DELETE FROM dialog WHERE call = ? RETURNING leg').pluck();
    this.all = db.prepare('SELECT call, request, grant, answered, deadline FROM journal ORDER BY requested_ms, call');
    this.dialogsOf = db.prepare('SELECT dialog FROM dialog WHERE call = ? ORDER BY leg, dialog_id').pluck();
  }

  open(request: CallRequest, grant: Grant, newestMs: number): void {
    const windowMs = grant.notAfter.epochMilliseconds - request.at.epochMilliseconds;
    // Nothing is known of the answer yet, so the whole of what the grant allows counts as used.
    const leaseMs = Math.max(0, Math.ceil(Math.min(grant.maxTalkMs, windowMs)));
    const { call, handset, at } = request;
    this.insert.run(
      call,
      handset,
      grant.number,
      at.epochMilliseconds,
      leaseMs,
      requestToText(request),
      grantToText(grant),
      newestMs,
    );
  }

  /** Those that are `kept` already, to the letter, are not written again. */
  saveDialogs(call: CallId, dialogs: readonly LegDialog[]): void {
    for (const dialog of dialogs)
      if (!this.kept.has(dialog)) this.putDialog.run(call, dialog.leg, dialog.dialogId, toText(dialog));
  }

  /** The transaction that wrote these dialogs is done. */
  keep(dialogs: readonly LegDialog[]): void {
    for (const dialog of dialogs) this.kept.add(dialog);
  }

  /** Throws when the journal has no such call: a deadline of a call that was never opened would be forgotten by a restart. */
  commit(call: CallId, answeredAt: Temporal.Instant, deadline: Deadline, newestMs: number): void {
    const leaseMs = Math.max(0, deadline.wall.epochMilliseconds - answeredAt.epochMilliseconds);
    const { changes } = this.answer.run(instantText(answeredAt), deadlineToText(deadline), leaseMs, newestMs, call);
    if (changes !== 1) throw new Error(`call ${call} is not in the journal`);
  }

  /** Takes the call out; undefined when it was never opened (a refusal). */
  close(call: CallId): ClosedEntry | undefined {
    const number = this.remove.get(call) as string | undefined;
    const dialled = (this.removeDialogs.all(call) as string[]).includes('trunk');
    return number === undefined ? undefined : { number, dialled };
  }

  openCalls(): readonly OpenCall[] {
    return (this.all.all() as Row[]).map((row) => ({
      request: requestFrom(row.request),
      grant: grantFrom(row.grant),
      ...(row.answered === null ? {} : { answeredAt: Temporal.Instant.from(row.answered) }),
      ...(row.deadline === null ? {} : { deadline: deadlineFrom(row.deadline) }),
      dialogs: (this.dialogsOf.all(row.call) as string[]).map(dialogFrom),
    }));
  }
}
