import type Srf from 'drachtio-srf';
import type { Logger } from 'pino';
import type { LegDialog } from '../calls/record.js';
import type { EngineConnection } from './engine-connection.js';
import type { Violations } from './violations.js';

/**
 * Ends legs that an earlier process left up, from what the journal knows of them. Settles when each leg answered or was
 * declared dead; rejects when there is no SIP server to do it with.
 */
export async function endLate(
  engine: EngineConnection,
  log: Logger,
  violations: Violations,
  dialogs: readonly LegDialog[],
): Promise<void> {
  const { control } = engine;
  if (control === undefined) return endOnRealServer(engine.srf, dialogs);
  await Promise.all(
    dialogs.map(async (dialog) => {
      const paid = await control.restore({ ...dialog, listener: dialog.leg === 'handset' ? 'cell' : 'carrier' });
      const { leg, dialogId } = dialog;
      log[paid.ok ? 'info' : 'error']({ event: 'signalling.leg-ended-late', leg, dialog: dialogId, ...paid });
      // The engine has no credentials. What is left then is the session timer of the leg, which nobody refreshes any more.
      if (paid.ok && (paid.status === 401 || paid.status === 407)) {
        const detail = `a ${leg} leg of an earlier process does not believe our BYE: its session timer ends it`;
        violations.alarm({ code: 'trunk.bye-refused', detail, address: dialog.address });
      }
    }),
  );
}

/** A real drachtio server has outlived us, and knows its dialogs by id. */
async function endOnRealServer(srf: Srf | undefined, dialogs: readonly LegDialog[]): Promise<void> {
  if (srf === undefined) throw new Error('no SIP server to end the legs with');
  const request = srf.request as unknown as (
    options: unknown,
    sent: (error: unknown, request?: Srf.SrfRequest) => void,
  ) => void;
  await Promise.allSettled(
    dialogs.map(
      (dialog) =>
        new Promise<void>((resolve) => {
          request.call(srf, { method: 'BYE', stackDialogId: dialog.dialogId }, (error, sent) => {
            if (error || sent === undefined) resolve();
            else sent.on('response', () => resolve());
          });
        }),
    ),
  );
}
